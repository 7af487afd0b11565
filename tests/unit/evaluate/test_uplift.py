"""Planted truth: uplifts are found, equal arms are not told apart, controls explain away."""

from functools import partial
from typing import Any

import polars as pl
import pytest

from shopsynth.evaluate import Hypothesis, add_system, compare_arms, register
from shopsynth.evaluate.hypotheses import ProveSettings
from shopsynth.schema import EVALUATION_COLUMNS

CONTROLS = ("same_compute", "oversample", "noise", "broken_link")
NO_UPLIFT = dict.fromkeys(CONTROLS, 0.0)
HELPED = {"real": 0.0, "combined": 0.03, **NO_UPLIFT}
MODELS = ("sasrec", "gru4rec")


def claim(model: str = "sasrec", **more: object) -> Hypothesis:
    words = {"name": f"{model} {more}", "model": model, "metric": "ndcg", "cutoff": 10, **more}
    return Hypothesis.model_validate(words)


def compare(units, plan=None, **more):
    settings: dict[str, Any] = {
        "controls": CONTROLS,
        "headline_model": "sasrec",
        "headline_metrics": {"next_item": "ndcg"},
        "cutoff": 10,
        "resamples": 1_000,
    } | more
    settings["controls"] = dict.fromkeys(("next_item", "search"), settings["controls"])
    return compare_arms(units, plan=[claim()] if plan is None else plan, **settings)


def verdicts(units, **more) -> dict[str, str]:
    """Verdicts of SASRec's rows of the candidate, by the arm it is compared with."""
    rows = compare(units, **more).uplift.filter(
        model="sasrec", arm="combined", metric="ndcg", slice="all"
    )
    return dict(rows.select("against", "verdict").iter_rows())


@pytest.fixture
def make_shop(make_units):
    """Two architectures with the same true uplifts."""

    def make(uplifts, **more) -> pl.DataFrame:
        seed = more.pop("seed", 0)
        return pl.concat(
            [make_units(uplifts, model=m, seed=seed + n, **more) for n, m in enumerate(MODELS)]
        )

    return make


@pytest.mark.parametrize("n_trainers", [0, 5])
def test_a_planted_uplift_is_found(n_trainers, make_shop):
    """With three paired seeds, and with three generators times five trainers."""
    uplift = compare(make_shop(HELPED, n_trainers=n_trainers)).uplift
    assert dict(uplift.schema) == EVALUATION_COLUMNS["uplift"]
    row = uplift.row(0, named=True)
    assert (row["model"], row["arm"], row["against"]) == ("sasrec", "combined", "real")
    assert (row["verdict"], row["role"]) == ("helps", "primary")
    assert row["absolute"] == pytest.approx(0.03, abs=0.005)
    assert row["relative"] == pytest.approx(0.06, abs=0.01)
    assert 0 < row["low"] < row["absolute"] < row["high"]
    assert row["p_holm"] < 0.05
    assert 0 < row["mde"] < 0.03
    assert (row["seeds"], row["seeds_agree"]) == ((15, 15) if n_trainers else (3, 3))
    assert set(uplift["verdict"]) == {"helps"}


def test_a_planted_harm_is_said(make_shop):
    harmful = {"real": 0.0, "combined": -0.03, **NO_UPLIFT}
    assert verdicts(make_shop(harmful))["real"] == "harms"
    row = compare(make_shop(harmful)).uplift.row(0, named=True)
    assert (row["seeds"], row["seeds_agree"]) == (3, 3)


def test_seeds_that_disagree_are_counted(make_units):
    units = make_units({"real": 0.0, "combined": 0.02}, noise=0.0)
    contrary = units.with_columns(
        pl.col("value") - pl.when(arm="combined", seed=1).then(0.03).otherwise(0.0)
    )
    row = compare(contrary).uplift.row(0, named=True)
    assert row["absolute"] == pytest.approx(0.01)
    assert (row["seeds"], row["seeds_agree"]) == (3, 2)


@pytest.mark.parametrize(
    "design", [{"n_seeds": 2}, {"n_seeds": 2, "n_trainers": 5}, {"n_seeds": 5, "n_trainers": 2}]
)
def test_fewer_generators_or_trainers_give_no_verdict(design, make_shop):
    for effect in (0.05, -0.05):
        units = make_shop({"real": 0.0, "combined": effect, **NO_UPLIFT}, **design)
        assert set(verdicts(units).values()) == {"no effect shown"}
        assert verdicts(units, min_seeds=2)["real"] in ("helps", "harms")


@pytest.mark.parametrize("control", CONTROLS)
def test_any_control_that_does_as_well_explains_the_uplift_away(control, make_shop):
    found = verdicts(make_shop({**HELPED, control: 0.03}))
    assert found["real"] == "no effect shown"
    assert found[control] == "no effect shown"
    assert [found[other] for other in CONTROLS if other != control] == ["helps"] * 3


def test_a_control_that_beats_the_candidate_harms_the_claim(make_shop):
    found = verdicts(make_shop({**HELPED, "broken_link": 0.06}))
    assert (found["real"], found["broken_link"]) == ("no effect shown", "harms")


def test_a_control_that_did_not_run_leaves_the_claim_open(make_shop):
    """A fit that failed must not make the claim easier: every control asked for must be beaten."""
    units = make_shop({"real": 0.0, "combined": 0.03, "noise": 0.0})
    assert verdicts(units) == {"real": "no effect shown", "noise": "helps"}
    assert verdicts(units, controls=("noise",)) == {"real": "helps", "noise": "helps"}
    harmful = make_shop({"real": 0.0, "combined": -0.03, "noise": 0.0})
    assert verdicts(harmful)["real"] == "harms"


@pytest.mark.parametrize("controls", [(), ("side_information", "oracle")])
def test_a_run_without_controls_never_helps(controls, make_shop):
    """The ceiling and the side information are no controls, wherever they are listed."""
    units = make_shop({**HELPED, "side_information": 0.0, "oracle": 0.01})
    assert verdicts(units, controls=controls)["real"] == "no effect shown"


def test_a_control_with_fewer_seeds_leaves_the_claim_open(make_shop):
    units = make_shop(HELPED)
    partial_ = units.filter((pl.col("arm") != "noise") | (pl.col("seed") == 0))
    found = verdicts(partial_)
    assert (found["real"], found["noise"]) == ("no effect shown", "no effect shown")


def test_one_architecture_alone_helps_itself(make_units, make_shop):
    """No other model, one that loses, or a fusion that holds the model: none of them confirms."""
    alone = make_units(HELPED)
    assert verdicts(alone)["real"] == "helps this model"
    losing = make_units({**HELPED, "combined": -0.01}, model="gru4rec", seed=1)
    assert verdicts(pl.concat([alone, losing]))["real"] == "helps this model"
    fused = make_units(HELPED, model="item_knn+sasrec", seed=1)
    assert verdicts(pl.concat([alone, fused]))["real"] == "helps this model"
    other = make_units(HELPED, model="als+item_knn", seed=1)
    assert verdicts(pl.concat([alone, other]))["real"] == "helps"
    assert verdicts(make_shop(HELPED))["real"] == "helps"


@pytest.mark.parametrize(
    ("of_side", "margin", "verdict", "told"),
    [
        (0.0, 0.01, "helps", "beyond side information"),
        (0.03, 0.03, "helps", "not worse than side information"),
        (0.03, 0.0, "helps this model", "not shown to match side information"),
        (0.06, 0.01, "helps this model", "not shown to match side information"),
    ],
)
def test_side_information_must_be_matched_where_it_ran(of_side, margin, verdict, told, make_shop):
    found = compare(make_shop({**HELPED, "side_information": of_side}), margin=margin)
    assert found.uplift["verdict"][0] == verdict
    claimed = found.hypotheses.row(0, named=True)
    assert claimed["side_information"] == told
    assert claimed["passed"] == (verdict == "helps")


def test_the_oracle_is_a_ceiling_and_no_control(make_shop):
    found = compare(make_shop({**HELPED, "oracle": 0.06}, noise=0.01))
    rows = found.uplift.filter(model="sasrec")
    told = {
        (arm, against): v for arm, against, v in rows.select("arm", "against", "verdict").rows()
    }
    assert told["combined", "real"] == "helps"
    assert told["combined", "oracle"] == "no effect shown"
    assert told["oracle", "real"] == "helps"
    assert rows.filter(pl.col("against") != "real")["role"].unique().to_list() == ["exploratory"]
    share = found.hypotheses["oracle_share"][0]
    assert share == pytest.approx(0.5, abs=0.05)


def test_no_share_of_an_oracle_that_gains_nothing(make_shop):
    useless = compare(make_shop({**HELPED, "oracle": -0.02}, noise=0.01)).hypotheses
    assert useless["oracle_share"].is_nan().all()
    assert compare(make_shop(HELPED)).hypotheses["oracle_share"].is_nan().all()


def test_a_metric_that_falls_when_it_improves(make_shop):
    """RMSE: less error helps, more harms; the uplift keeps its sign, the claim counts the gain."""
    plan = (claim(metric="rmse", goal=0.05),)
    settings = {"headline_metrics": {"next_item": "rmse"}, "better": {"rmse": "lower"}}
    fallen = {**HELPED, "combined": -0.03}
    found = compare(make_shop(fallen, metric="rmse"), plan, **settings)
    assert found.uplift["absolute"][0] < 0
    assert set(found.uplift["verdict"]) == {"helps"}
    claimed = found.hypotheses.row(0, named=True)
    assert claimed["passed"]
    assert 0 < claimed["low"] < claimed["relative"] < claimed["high"]
    risen = compare(make_shop({**HELPED, "combined": 0.03}, metric="rmse"), plan, **settings)
    assert risen.uplift["verdict"][0] == "harms"
    spared = (claim(metric="rmse", kind="non_inferiority", margin=0.03),)
    level = make_shop({**HELPED, "combined": 0.005}, metric="rmse", noise=0.01)
    assert compare(level, spared, **settings).hypotheses["passed"].to_list() == [True]
    worse = make_shop({**HELPED, "combined": 0.02}, metric="rmse", noise=0.01)
    assert compare(worse, spared, **settings).hypotheses["passed"].to_list() == [False]


def test_harm_pays_for_the_number_of_hypotheses(make_units):
    """An interval barely below 0 is harm for one model, and no more than chance for one of 31."""
    lone = make_units({"real": 0.0, "combined": -0.012}, seed=3)
    assert verdicts(lone, controls=(), plan=())["real"] == "harms"
    others = [
        make_units({"real": 0.0, "combined": 0.0}, model=f"m{m}", seed=200 + m) for m in range(30)
    ]
    units = pl.concat([lone, *others])
    explored = compare(units, (), controls=()).uplift.filter(model="sasrec")
    assert explored["high"][0] < 0
    assert (explored["verdict"][0], explored["role"][0]) == ("no effect shown", "exploratory")
    assert verdicts(units, controls=())["real"] == "harms"


@pytest.mark.parametrize(("seed_noise", "n_trainers"), [(0.0, 0), (0.01, 0), (0.01, 3)])
def test_equal_arms_show_no_effect(seed_noise, n_trainers, make_units):
    """200 A/A runs, units and seeds noisy: at most 5 % show anything, harm as rarely as help."""
    shown = 0
    for trial in range(200):
        units = make_units(
            {"real": 0.0, "combined": 0.0},
            n_units=60,
            noise=0.05,
            n_trainers=n_trainers,
            seed_noise=seed_noise,
            seed=trial,
        )
        row = compare(units, resamples=200, seed=trial).uplift.row(0, named=True)
        shown += row["p_holm"] < 0.05 and (row["low"] > 0 or row["high"] < 0)
    assert shown <= 10


def two_models(make_units, system_gain: float) -> pl.DataFrame:
    """SASRec gains from synthetic rows, yet ItemKNN, the better model, gains ``system_gain``."""
    sasrec = make_units(HELPED)
    knn = make_units(
        {"real": 0.2, "combined": 0.2 + system_gain, **dict.fromkeys(CONTROLS, 0.2)},
        model="item_knn",
        seed=1,
    )
    return pl.concat([sasrec, knn])


with_system = partial(add_system, headline_metrics={"next_item": "ndcg"}, cutoff=10)


def test_a_gain_that_the_best_system_lacks_helps_this_model_only(make_units):
    units = two_models(make_units, 0.002)
    found = compare(with_system(units, units), (claim(), claim("system")))
    real = dict(found.uplift.filter(against="real").select("model", "verdict").iter_rows())
    assert real == {
        "sasrec": "helps this model", "system": "no effect shown", "item_knn": "no effect shown"
    }  # fmt: skip
    assert found.uplift["verdict"][3] == "helps"
    # The claim about the model passes; the best system stands beside it (PROOF §4).
    assert found.hypotheses["passed"].to_list() == [True, False]


def test_a_gain_of_the_best_system_helps(make_units):
    units = two_models(make_units, 0.03)
    uplift = compare(with_system(units, units)).uplift
    real = uplift.filter(against="real")
    assert real["verdict"].to_list() == ["helps", "helps", "helps"]
    assert uplift["model"].unique(maintain_order=True).to_list() == ["sasrec", "system", "item_knn"]


def test_a_system_is_not_confirmed_by_the_model_it_is(make_units):
    """ItemKNN is the best system; that it gains confirms nothing, and SASRec does not move."""
    units = two_models(make_units, 0.03).filter(pl.col("model") != "sasrec")
    units = pl.concat([units, make_units({**HELPED, "combined": -0.01})])
    found = compare(with_system(units, units), (claim("system"),))
    claimed = found.hypotheses.row(0, named=True)
    assert (claimed["confirmed_by"], claimed["passed"]) == ("", False)
    assert claimed["verdict"] == "helps this model"


def test_families_pay_for_their_own_members_only(make_units):
    """A primary pair, a secondary, two explored: the smallest p of each pays for its size."""
    models = ("a", "b", "c", "d", "e")
    arms = {"real": 0.0, "combined": 0.006}
    units = pl.concat([make_units(arms, model=m, seed=n) for n, m in enumerate(models)])
    plan = (claim("a"), claim("b"), claim("c", role="secondary"))
    rows = compare(units, plan, headline_model="a").uplift
    alone = [
        compare(units.filter(model=m), (), headline_model="a").uplift["p_holm"][0] for m in models
    ]
    roles = ["primary", "primary", "secondary", "exploratory", "exploratory"]
    assert rows["role"].to_list() == roles
    p_holm = rows["p_holm"].to_list()
    for family, size in (((0, 1), 2), ((2,), 1), ((3, 4), 2)):
        smallest = min(family, key=lambda place: alone[place])
        assert p_holm[smallest] == pytest.approx(min(1.0, size * alone[smallest]))


def test_a_claim_that_was_not_measured_is_paid_for_and_shown(make_shop):
    """Leaving out a hypothesis that would fail must not make the others easier."""
    units = make_shop({"real": 0.0, "combined": 0.01, **NO_UPLIFT})
    one = compare(units)
    both = compare(units, (claim(), claim("als")))
    assert both.uplift["p_holm"][0] == pytest.approx(2 * one.uplift["p_holm"][0])
    missing = both.hypotheses.row(1, named=True)
    assert (missing["model"], missing["passed"], missing["p_holm"]) == ("als", False, 1.0)
    assert missing["verdict"] == "no effect shown"
    assert missing["unbeaten"] == ",".join(CONTROLS)
    assert missing["relative"] != missing["relative"]


def test_the_goal_must_be_met_by_the_point(make_shop):
    plan = (claim(goal=0.04), claim(goal=0.08, name="too much", model="gru4rec"))
    found = compare(make_shop(HELPED), plan).hypotheses
    assert dict(found.schema) == EVALUATION_COLUMNS["hypotheses"]
    assert found["name"].to_list() == [hypothesis.name for hypothesis in plan]
    assert found["verdict"].to_list() == ["helps", "helps"]
    assert found["passed"].to_list() == [True, False]
    row = found.row(0, named=True)
    assert row["relative"] == pytest.approx(0.06, abs=0.01)
    assert 0 < row["low"] < row["relative"] < row["high"]
    assert row["unbeaten"] == ""
    assert row["confirmed_by"] == "gru4rec"
    assert 0 < row["mde"] < 0.06


def test_an_unbeaten_control_is_named_and_fails_the_claim(make_shop):
    found = compare(make_shop({**HELPED, "noise": 0.03, "oversample": 0.04})).hypotheses
    assert found["unbeaten"].to_list() == ["oversample,noise"]
    assert found["passed"].to_list() == [False]


@pytest.mark.parametrize(
    ("effect", "passed"), [(0.0, True), (0.03, True), (-0.005, True), (-0.015, False)]
)
def test_non_inferiority_by_the_relative_limit(effect, passed, make_shop):
    """A margin of 2 % of 0.5 is 0.01; with this noise the interval is 0.002 to each side."""
    plan = (claim(kind="non_inferiority", margin=0.02, role="secondary"),)
    found = compare(make_shop({"real": 0.0, "combined": effect}, noise=0.02), plan)
    row = found.hypotheses.row(0, named=True)
    assert row["passed"] is passed
    assert (row["low"] > -0.02) is passed
    assert (row["p_holm"] < 0.05) is passed
    assert found.uplift["role"][0] == "exploratory"


def test_non_inferiority_needs_seeds_as_well(make_shop):
    plan = (claim(kind="non_inferiority", margin=0.02),)
    units = make_shop({"real": 0.0, "combined": 0.0}, n_seeds=2, noise=0.001)
    assert compare(units, plan).hypotheses["passed"].to_list() == [False]


def test_a_registered_cutoff_and_metric_are_measured(make_shop):
    units = pl.concat(
        [
            make_shop(HELPED),
            make_shop(HELPED, cutoff=20, slice_="tail"),
            make_shop(HELPED, metric="auroc", cutoff=0),
        ]
    )
    plan = (
        claim(cutoff=20, slice="tail", role="secondary"),
        # A metric of pairs has no list length, whatever the plan filled in.
        claim(metric="auroc", name="pairs"),
    )
    found = compare(units, plan)
    assert found.hypotheses.select("metric", "cutoff", "slice", "passed").rows() == [
        ("ndcg", 20, "tail", True), ("auroc", 0, "all", True)
    ]  # fmt: skip
    assert found.uplift.filter(model="sasrec", against="real")["role"].to_list() == [
        "exploratory", "secondary", "primary"
    ]  # fmt: skip


def test_other_metrics_on_all_answers_and_the_headline_on_every_slice(make_units):
    arms = {"real": 0.0, "combined": 0.03, "noise": 0.0}
    units = pl.concat(
        [
            make_units(arms),
            make_units(arms, metric="recall"),
            make_units(arms, slice_="tail", n_units=100),
            make_units(arms, metric="recall", slice_="tail", n_units=100),
            make_units(arms, cutoff=20),
        ]
    )
    uplift = compare(units).uplift
    assert uplift.select("metric", "slice", "against").rows() == [
        (metric, slice_, against)
        for metric, slice_ in (("ndcg", "all"), ("ndcg", "tail"), ("recall", "all"))
        for against in ("real", "noise")
    ]
    assert uplift["cutoff"].unique().to_list() == [10]


def test_tasks_have_headlines_of_their_own(make_shop):
    units = pl.concat([make_shop(HELPED), make_shop(HELPED, task="search", metric="mrr")])
    plan = (claim(), claim(task="search", metric="mrr", name="search"))
    found = compare(units, plan, headline_metrics={"next_item": "ndcg", "search": "mrr"})
    assert found.uplift["task"].unique(maintain_order=True).to_list() == ["next_item", "search"]
    assert found.hypotheses["passed"].to_list() == [True, True]


def test_nothing_to_compare_and_a_base_of_zero(make_units):
    nothing = compare(make_units({"real": 0.0}))
    assert nothing.uplift.is_empty()
    assert nothing.hypotheses["passed"].to_list() == [False]
    units = make_units({"real": 0.0, "combined": 0.0}).with_columns(pl.lit(0.0).alias("value"))
    found = compare(units, (claim(kind="non_inferiority"),))
    row = found.uplift.row(0, named=True)
    assert row["absolute"] == 0
    assert row["relative"] != row["relative"]
    assert row["verdict"] == "no effect shown"
    claimed = found.hypotheses.row(0, named=True)
    assert claimed["passed"] is False
    assert claimed["mde"] != claimed["mde"]


def test_the_same_seed_gives_the_same_rows_whatever_their_order(make_units):
    units = make_units({"real": 0.0, "combined": 0.01, **NO_UPLIFT})
    one, two = compare(units, seed=4), compare(units.reverse(), seed=4)
    assert one.uplift.equals(two.uplift)
    assert one.hypotheses.equals(two.hypotheses)
    assert not one.uplift.equals(compare(units, seed=5).uplift)


def test_a_slice_is_judged_alike_whatever_else_is_measured(make_shop):
    """Every slice has draws of its own, so a claim does not depend on the others."""
    tail = make_shop({"real": 0.0, "combined": 0.01}, slice_="tail")
    alone = compare(tail).uplift.drop("p_holm")
    together = compare(pl.concat([tail, make_shop(HELPED)])).uplift.filter(slice="tail")
    assert together.drop("p_holm").equals(alone)


def test_system_is_the_best_model_of_each_arm_by_validation(make_units):
    test = pl.concat(
        [
            make_units({"real": 0.0, "combined": 0.1}, model="sasrec", n_seeds=2),
            make_units({"real": 0.3, "combined": 0.3}, model="item_knn", n_seeds=2),
        ]
    )
    validation = pl.concat(
        [
            make_units({"real": 0.0, "combined": 0.5}, model="sasrec", n_units=50),
            make_units({"real": 0.2, "combined": 0.2}, model="item_knn", n_units=50),
        ]
    )
    chosen = {"real": "item_knn", "combined": "sasrec"}
    (table,) = with_system(test, validation).tables
    for arm, model in chosen.items():
        assert table.columns["system", arm, "ndcg", 10] is table.columns[model, arm, "ndcg", 10]
    assert len(table.columns) == 6
    (table,) = with_system(test, validation, better={"ndcg": "lower"}).tables
    columns = table.columns
    assert columns["system", "real", "ndcg", 10] is columns["sasrec", "real", "ndcg", 10]


def test_equal_models_are_chosen_by_name_and_other_tasks_have_no_system(make_units):
    units = pl.concat([make_units({"real": 0.0}, model=model) for model in ("b", "a")])
    test = pl.concat([units, units.with_columns(pl.lit("search").alias("task"))])
    mine, other = with_system(test, test).tables
    assert mine.columns["system", "real", "ndcg", 10] is mine.columns["a", "real", "ndcg", 10]
    assert ("system", "real", "ndcg", 10) not in other.columns


def test_the_default_plan_can_be_judged(make_shop):
    units = pl.concat([make_shop(HELPED), make_shop(HELPED, slice_="warm")])
    plan = register(
        ProveSettings(),
        tasks={"next_item": ("ndcg",)},
        headline="sasrec",
        cutoffs=(10,),
        slices={"next_item": ("all", "warm")},
    )
    found = compare(with_system(units, units), plan).hypotheses
    assert found["passed"].all()
    assert found.select("role", "kind", "model", "slice").rows() == [
        ("primary", "superiority", "system", "all"),
        ("primary", "superiority", "sasrec", "all"),
        ("secondary", "superiority", "system", "warm"),
        ("secondary", "superiority", "sasrec", "warm"),
        ("secondary", "non_inferiority", "system", "warm"),
        ("secondary", "non_inferiority", "sasrec", "warm"),
    ]


def test_a_control_counts_for_the_tasks_that_it_makes_sense_for(make_shop):
    """Elsewhere it is not missing: it would explain nothing there."""
    units = make_shop(HELPED)
    own, other = ("noise",), ("noise", "same_compute")
    only_noise = units.filter(~pl.col("arm").is_in(["same_compute", "oversample", "broken_link"]))
    plan = [claim()]
    settings: dict[str, Any] = {
        "plan": plan, "headline_model": "sasrec", "headline_metrics": {"next_item": "ndcg"},
        "cutoff": 10, "resamples": 1_000,
    }  # fmt: skip
    found = compare_arms(only_noise, controls={"next_item": own, "search": other}, **settings)
    assert found.hypotheses["unbeaten"].to_list() == [""]
    found = compare_arms(only_noise, controls={"next_item": other, "search": own}, **settings)
    assert found.hypotheses["unbeaten"].to_list() == ["same_compute"]


def test_side_information_that_nobody_asked_for_was_not_matched(make_shop):
    units = make_shop(HELPED)
    assert compare(units).hypotheses["verdict"].to_list() == ["helps"]
    found = compare(units, unasked=("next_item",)).hypotheses
    assert found["verdict"].to_list() == ["helps this model"]
    assert found["passed"].to_list() == [False]


def test_a_model_and_what_it_is_made_of_are_one_architecture(make_shop):
    units = make_shop(HELPED)
    assert compare(units).hypotheses["confirmed_by"].to_list() == ["gru4rec"]
    found = compare(units, made_of={"gru4rec": ["sasrec"]}).hypotheses
    assert found["confirmed_by"].to_list() == [""]
    assert found["verdict"].to_list() == ["helps this model"]
