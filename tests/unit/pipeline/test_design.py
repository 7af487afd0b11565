"""The design of an experiment: which fits there are, and that it knows nothing of a task."""

from pathlib import Path

import pytest

import shopsynth.pipeline.stages
from fakes.rebuy import rebuy_task
from fakes.shops import write_tiny_shop
from shopsynth.pipeline import run
from shopsynth.pipeline.base import TaskResult
from shopsynth.pipeline.meter import Cost
from shopsynth.pipeline.recipe import make_recipe
from shopsynth.pipeline.run import _headline_gain
from shopsynth.pipeline.stages.costs import add_up, merge
from shopsynth.pipeline.stages.design import (
    Fit,
    control_arms,
    first_fits,
    fused_fits,
    made_of,
    menu,
    needed_controls,
    rows_label,
    runs,
    second_fits,
    side_is_unasked,
    single_models,
)
from shopsynth.pipeline.stages.train import _without_parts
from shopsynth.schema import RecipeError

INLINE = ('pipeline.executor="inline"',)


@pytest.fixture(autouse=True)
def key(monkeypatch):
    monkeypatch.setenv("SHOPSYNTH_PSEUDONYM_KEY", "a key that only tests use")


def recipe(**blocks):
    values = {"shop": {"events": {"path": "events.csv"}}, **blocks}
    return make_recipe(values, base=Path())


def test_a_paired_design_draws_both_seeds_anew_for_every_fit():
    paired = recipe(evaluate={"seeds": 3})
    assert runs(paired, "combined") == [(0, 0), (1, 1), (2, 2)]
    assert runs(paired, "real") == runs(paired, "same_compute") == [(0, 0), (0, 1), (0, 2)]


def test_a_crossed_design_meets_every_generator_seed_with_every_trainer_seed():
    crossed = recipe(evaluate={"seeds": 2, "trainer_seeds": 3})
    assert len(runs(crossed, "combined")) == len(set(runs(crossed, "noise"))) == 6
    assert runs(crossed, "real") == [(0, 0), (0, 1), (0, 2)]


def test_rows_are_labelled_by_all_they_depend_on():
    dose = {"ratio": 0.5, "weight": 1.0, "sources": {}}
    assert rows_label("combined", 2, dose) == "2-0.5-1"
    weighed = dose | {"sources": {"mask": 0.3, "insert": 1.0}}
    assert rows_label("combined", 2, weighed) == "2-0.5-1-insert-1-mask-0.3"
    assert rows_label("real", 2, dose) == "0"


def test_parts_of_a_fusion_are_fitted_even_if_they_are_not_on_the_menu():
    fused = recipe(train={"models": ["gru4rec", "gru4rec+hybrid"], "headline": "gru4rec"})
    assert menu(fused, "next_item") == ("gru4rec", "gru4rec+hybrid")
    assert single_models(fused, "next_item") == ("gru4rec", "hybrid")


def test_side_information_is_fused_from_fits_on_real_rows():
    """No second fit: the model as it is, and the one that reads text, weighed on validation."""
    values = {"models": ["item_knn", "hybrid"], "headline": "item_knn"}
    sided = recipe(train=values, evaluate={"seeds": 1, "controls": ["side_information"]})
    made = {fit.arm for fit in (*first_fits(sided), *second_fits(sided))}
    assert made == {"real", "combined", "synthetic"}
    assert fused_fits(sided) == {
        Fit("next_item", "side_information", "item_knn", 0, 0): (
            Fit("next_item", "real", "item_knn", 0, 0),
            Fit("next_item", "real", "hybrid", 0, 0),
        )
    }


def test_the_model_of_side_information_is_fitted_for_that_control_alone():
    values = {"models": ["item_knn"], "headline": "item_knn"}
    sided = recipe(train=values, evaluate={"seeds": 1, "controls": ["side_information"]})
    extra = [fit for fit in first_fits(sided) if fit.model == "hybrid"]
    assert extra == [Fit("next_item", "real", "hybrid", 0, 0)]


def test_a_task_has_the_controls_that_make_sense_for_it():
    with rebuy_task():
        values = {"tasks": ["next_item", "rebuy"], "models": ["item_knn", "global_rate"]}
        both = recipe(train={**values, "headline": "item_knn"})
        assert "same_compute" in control_arms(both, "next_item")
        assert control_arms(both, "rebuy") == ("oversample", "noise", "broken_link")


def result(arm: str, cpu_s: float, **facts):
    told = {"task": "next_item", "arm": arm, "model": "sasrec", **facts}
    return TaskResult((), told, Cost(2 * cpu_s, cpu_s, 100.0 + cpu_s))


def test_costs_are_told_by_task_arm_and_model():
    fits = [
        result("real", 3.0, rows=10, steps=4, skipped=None),
        result("real", 1.0, rows=0, steps=0, skipped="no order"),
        result("real", 2.0, trials=5),
        result("noise", 1.5, rows=12, steps=8, skipped=None),
    ]
    real, noise = add_up(fits)
    assert real == {
        "task": "next_item", "arm": "real", "model": "sasrec", "fits": 2, "failed": 1,
        "trials": 5, "steps": 4, "rows": 10, "cpu_s": 6.0, "wall_s": 12.0, "peak_rss_mb": 103.0,
        "reason": "no order",
    }  # fmt: skip
    assert noise["failed"] == 0
    doses = add_up([result("real", 0.5, trials=1), result("combined", 0.5, trials=1)])
    merged = {row["arm"]: row for row in merge([real, noise], doses)}
    assert merged["real"]["cpu_s"] == 6.5
    assert merged["real"]["trials"] == 6
    assert merged["real"]["steps"] == 4
    assert merged["combined"]["fits"] == 0


def test_a_fusion_that_lacks_a_part_says_so():
    values = {"models": ["item_knn", "item_knn+hybrid"], "headline": "item_knn"}
    fused = recipe(train=values, evaluate={"seeds": 1, "controls": []})
    ready: dict[Fit, dict] = {fit: {} for fit in first_fits(fused) if fit.model != "hybrid"}
    told = [result.facts for result in _without_parts(fused, ready)]
    assert {each["arm"] for each in told} == {"real", "combined", "synthetic"}
    assert all(each["model"] == "item_knn+hybrid" for each in told)
    assert told[0]["skipped"] == "no fit of hybrid on real to fuse"
    everything: dict[Fit, dict] = {fit: {} for fit in first_fits(fused)}
    assert _without_parts(fused, everything) == []
    assert add_up(_without_parts(fused, ready))[0]["failed"] == 1


def uplift_row(**values):
    row = {
        "task": "next_item", "model": "item_knn", "metric": "ndcg", "cutoff": 10, "slice": "all",
        "arm": "combined", "against": "real", "relative": 0.1,
    }  # fmt: skip
    return row | values


def test_the_gate_reads_the_uplift_of_combined_in_the_first_task():
    values = {"models": ["item_knn"], "headline": "item_knn"}
    asked = recipe(train=values)
    rows = [
        uplift_row(task="another", relative=0.5),
        uplift_row(arm="oracle", relative=0.4),
        uplift_row(metric="recall", relative=0.3),
        uplift_row(),
    ]
    assert _headline_gain(asked, rows) == 0.1
    assert _headline_gain(asked, rows[:-1]) is None
    assert _headline_gain(asked, [uplift_row(relative=None)]) is None


def test_two_tasks_walk_through_one_run(tmp_path):
    """Users who are ranked for, and pairs that are predicted: one protocol, own units."""
    path = write_tiny_shop(tmp_path / "shop", n_users=150)
    with rebuy_task():
        done = run(
            path,
            tmp_path / "w",
            overrides=(
                *INLINE,
                'train.tasks=["next_item", "rebuy"]',
                'train.models=["popularity", "item_knn", "global_rate", "item_rate"]',
            ),
        )
    summary = done.summary
    assert summary is not None
    assert done.report is not None
    assert {row["task"] for row in summary["metrics"]} == {"next_item", "rebuy"}
    rebuy = [row for row in summary["uplift"] if row["task"] == "rebuy"]
    assert {row["model"] for row in rebuy} == {"system", "global_rate", "item_rate"}
    assert {row["metric"] for row in rebuy} == {"auroc", "auprc"}
    assert {row["against"] for row in rebuy} == {"real", "oversample", "noise", "broken_link"}
    primary = {r["task"] for r in summary["hypotheses"] if r["role"] == "primary"}
    assert primary == {"next_item", "rebuy"}
    costs = {(row["task"], row["arm"]) for row in summary["costs"]}
    assert ("next_item", "same_compute") in costs
    assert ("rebuy", "same_compute") not in costs
    report = done.report.read_text()
    assert "rebuy" in report


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ('evaluate.controls=["oracle"]', "expected split.train_users"),
        ('train.models=["item_knn", "item_knn+nothing"]', "nothing"),
        ('train.models=["item_knn", "popularity+item_rate"]', "item_rate"),
    ],
)
def test_a_design_that_cannot_be_is_refused_before_a_row_is_read(tmp_path, override, message):
    path = write_tiny_shop(tmp_path / "shop")
    with pytest.raises(RecipeError, match=message):
        run(path, tmp_path / "w", overrides=(*INLINE, override))
    assert not (tmp_path / "w" / "ingest").exists()


def test_the_harness_names_no_task():
    """Whoever adds a task edits no stage: their files hold no task's word, metric or unit."""
    folder = Path(shopsynth.pipeline.stages.__file__).parent
    texts = {path.name: path.read_text() for path in folder.glob("*.py")}
    assert len(texts) > 10
    judging = ("train.py", "evaluate.py", "combine.py", "dose.py", "questions.py", "design.py")
    for name in (*judging, "costs.py", "material.py"):
        for word in ("next_item", "ndcg", "sasrec", "item_knn", "content_knn"):
            assert word not in texts[name].replace("in ``next_item``", ""), f"{name} names {word}"


def test_a_claim_must_beat_every_control_of_its_task_asked_for_or_not():
    """A recipe that names one weak control would otherwise be a way to `helps`."""
    lax = recipe(evaluate={"controls": ["noise"]})
    assert control_arms(lax, "next_item") == ("noise",)
    assert set(needed_controls(lax, "next_item")) == {
        "same_compute", "oversample", "noise", "broken_link",
    }  # fmt: skip
    assert side_is_unasked(lax, "next_item")
    assert not side_is_unasked(recipe(), "next_item")


def test_a_hybrid_is_no_second_opinion_on_its_parts():
    assert made_of(recipe())["hybrid"] == ["item_knn", "content_knn"]
