"""Planted truth: uplifts are found, equal arms are not told apart, controls explain away."""

from functools import partial

import polars as pl
import pytest

from shopsynth.evaluate import add_system, compare_arms
from shopsynth.schema import EVALUATION_COLUMNS

CONTROLS = ("same_compute", "oversample", "noise", "broken_link")
NO_UPLIFT = dict.fromkeys(CONTROLS, 0.0)

compare = partial(
    compare_arms,
    controls=CONTROLS,
    headline_model="sasrec",
    headline_metric="ndcg",
    cutoff=10,
    resamples=1_000,
)


def verdicts(uplift: pl.DataFrame, **where: object) -> dict[str, str]:
    rows = uplift.filter(**where)
    return dict(rows.select("against", "verdict").iter_rows())


def test_a_planted_uplift_is_found_with_three_seeds(make_units):
    units = make_units({"real": 0.0, "combined": 0.03, **NO_UPLIFT})
    uplift = compare(units)
    assert dict(uplift.schema) == EVALUATION_COLUMNS["uplift"]
    row = uplift.row(0, named=True)
    assert row["against"] == "real"
    assert row["verdict"] == "helps"
    assert row["absolute"] == pytest.approx(0.03, abs=0.005)
    assert row["relative"] == pytest.approx(0.06, abs=0.01)
    assert 0 < row["low"] < row["absolute"] < row["high"]
    assert row["p_holm"] < 0.05
    assert 0 < row["mde"] < 0.03
    assert set(verdicts(uplift).values()) == {"helps"}


def test_a_planted_harm_is_said(make_units):
    uplift = compare(make_units({"real": 0.0, "combined": -0.03, **NO_UPLIFT}))
    assert verdicts(uplift)["real"] == "harms"


def test_fewer_seeds_give_no_verdict(make_units):
    for effect in (0.03, -0.03):
        units = make_units({"real": 0.0, "combined": effect, **NO_UPLIFT}, n_seeds=2)
        assert set(verdicts(compare(units)).values()) == {"no effect shown"}
        assert verdicts(compare(units, min_seeds=2))["real"] in ("helps", "harms")


@pytest.mark.parametrize("control", CONTROLS)
def test_any_control_that_does_as_well_explains_the_uplift_away(control, make_units):
    units = make_units({"real": 0.0, "combined": 0.03, **NO_UPLIFT, control: 0.03})
    found = verdicts(compare(units))
    assert found["real"] == "no effect shown"
    assert found[control] == "no effect shown"
    assert [found[other] for other in CONTROLS if other != control] == ["helps"] * 3


def test_a_control_that_beats_the_candidate_harms_the_claim(make_units):
    units = make_units({"real": 0.0, "combined": 0.03, **NO_UPLIFT, "broken_link": 0.06})
    found = verdicts(compare(units))
    assert (found["real"], found["broken_link"]) == ("no effect shown", "harms")


def test_a_control_that_did_not_run_leaves_the_claim_open(make_units):
    """A fit that failed must not make the claim easier: every control asked for must be beaten."""
    units = make_units({"real": 0.0, "combined": 0.03, "noise": 0.0})
    assert verdicts(compare(units)) == {"real": "no effect shown", "noise": "helps"}
    assert verdicts(compare(units, controls=("noise",))) == {"real": "helps", "noise": "helps"}
    harmful = make_units({"real": 0.0, "combined": -0.03, "noise": 0.0})
    assert verdicts(compare(harmful))["real"] == "harms"


def test_a_control_with_fewer_seeds_leaves_the_claim_open(make_units):
    units = make_units({"real": 0.0, "combined": 0.03, **NO_UPLIFT})
    partial_ = units.filter((pl.col("arm") != "noise") | (pl.col("seed") == 0))
    found = verdicts(compare(partial_))
    assert (found["real"], found["noise"]) == ("no effect shown", "no effect shown")


def test_harm_pays_for_the_number_of_hypotheses(make_units):
    """An interval barely below 0 is harm for one model, and no more than chance for one of 31."""
    lone = make_units({"real": 0.0, "combined": -0.012}, seed=3)
    assert verdicts(compare(lone, controls=()))["real"] == "harms"
    others = [
        make_units({"real": 0.0, "combined": 0.0}, model=f"m{m}", seed=200 + m) for m in range(30)
    ]
    many = compare(pl.concat([lone, *others]), controls=()).filter(model="sasrec")
    assert many["high"][0] < 0
    assert many["verdict"][0] == "no effect shown"


@pytest.mark.parametrize("seed_noise", [0.0, 0.01])
def test_equal_arms_show_no_effect(seed_noise, make_units):
    """200 A/A runs of three seeds, units and seeds noisy: at most 5 % show anything."""
    shown = 0
    for trial in range(200):
        units = make_units(
            {"real": 0.0, "combined": 0.0},
            n_units=60,
            noise=0.05,
            seed_noise=seed_noise,
            seed=trial,
        )
        uplift = compare(units, controls=(), resamples=200, seed=trial)
        shown += uplift["verdict"][0] != "no effect shown"
    assert shown <= 10


def two_models(make_units, system_gain: float) -> pl.DataFrame:
    """SASRec gains from synthetic rows, yet ItemKNN, the better model, gains ``system_gain``."""
    sasrec = make_units({"real": 0.0, "combined": 0.03, **NO_UPLIFT})
    knn = make_units(
        {"real": 0.2, "combined": 0.2 + system_gain, **dict.fromkeys(CONTROLS, 0.2)},
        model="item_knn",
    )
    units = pl.concat([sasrec, knn])
    return add_system(units, units, "ndcg", 10)


def test_a_gain_that_the_best_system_lacks_helps_this_model_only(make_units):
    uplift = compare(two_models(make_units, 0.0))
    assert verdicts(uplift, model="sasrec")["real"] == "helps this model"
    assert verdicts(uplift, model="sasrec")["noise"] == "helps"
    assert verdicts(uplift, model="system")["real"] == "no effect shown"


def test_a_gain_of_the_best_system_helps(make_units):
    uplift = compare(two_models(make_units, 0.03))
    assert {verdicts(uplift, model=model)["real"] for model in ("sasrec", "system")} == {"helps"}
    assert uplift["model"].unique(maintain_order=True).to_list() == ["sasrec", "system", "item_knn"]


def test_primary_hypotheses_pay_for_each_other(make_units):
    """Three models (system among them) share a family: the smallest p is tripled."""
    units = two_models(make_units, 0.0)
    together = compare(units).filter(pl.col("against") == "real")
    alone = pl.concat(
        [
            compare(units.filter(pl.col("model") == model)).filter(pl.col("against") == "real")
            for model in together["model"]
        ]
    )
    smallest = alone["p_holm"].arg_min()
    assert smallest is not None
    assert together["p_holm"][smallest] == pytest.approx(3 * alone["p_holm"][smallest])
    assert (together["p_holm"] >= alone["p_holm"]).all()


def test_rows_against_controls_keep_their_own_p(make_units):
    units = make_units({"real": 0.0, "combined": 0.005, **NO_UPLIFT}, noise=0.2)
    both = compare(two_models(make_units, 0.0)).filter(model="sasrec", against="noise")
    assert both["p_holm"][0] <= 0.01
    assert compare(units).filter(against="noise")["p_holm"][0] > 0.05


def test_other_metrics_on_all_answers_and_the_headline_on_every_slice(make_units):
    arms = {"real": 0.0, "combined": 0.03, "noise": 0.0}
    units = pl.concat(
        [
            make_units(arms),
            make_units(arms, metric="recall"),
            make_units(arms, slice_="tail", n_units=100),
            make_units(arms, metric="recall", slice_="tail", n_units=100),
            make_units(arms).with_columns(pl.lit(20, dtype=pl.Int64).alias("cutoff")),
        ]
    )
    uplift = compare(units)
    assert uplift.select("metric", "slice", "against").rows() == [
        (metric, slice_, against)
        for metric, slice_ in (("ndcg", "all"), ("ndcg", "tail"), ("recall", "all"))
        for against in ("real", "noise")
    ]
    assert uplift["cutoff"].unique().to_list() == [10]


def test_nothing_to_compare_and_a_base_of_zero(make_units):
    assert compare(make_units({"real": 0.0})).is_empty()
    units = make_units({"real": 0.0, "combined": 0.0}).with_columns(pl.lit(0.0).alias("value"))
    row = compare(units).row(0, named=True)
    assert row["absolute"] == 0
    assert row["relative"] != row["relative"]
    assert row["verdict"] == "no effect shown"


def test_the_same_seed_gives_the_same_rows_whatever_their_order(make_units):
    units = make_units({"real": 0.0, "combined": 0.01, **NO_UPLIFT})
    assert compare(units, seed=4).equals(compare(units.reverse(), seed=4))
    assert not compare(units, seed=4).equals(compare(units, seed=5))


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
    system = add_system(test, validation, "ndcg", 10).filter(model="system")
    copied = {"real": "item_knn", "combined": "sasrec"}
    for arm, model in copied.items():
        expected = test.filter(arm=arm, model=model)["value"]
        assert system.filter(arm=arm)["value"].equals(expected)
    assert system.height == test.height // 2


def test_equal_models_are_chosen_by_name(make_units):
    units = pl.concat([make_units({"real": 0.0}, model=model) for model in ("b", "a")])
    marked = units.with_columns(pl.col("value") + pl.when(model="b").then(1.0).otherwise(0.0))
    system = add_system(marked, units, "ndcg", 10).filter(model="system")
    assert system["value"].max() < 1.2  # type: ignore[operator]
