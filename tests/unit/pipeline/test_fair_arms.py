"""Arms differ in their rows alone: as many steps, as much noise as synthesis, ties told alike."""

from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import polars as pl
import pytest

from shopsynth.combine import Material, build_arm
from shopsynth.evaluate import count_catalogue
from shopsynth.generate import make_synthesizer
from shopsynth.pipeline.base import PartRef, Task
from shopsynth.pipeline.job import Job, run_task
from shopsynth.pipeline.recipe import make_recipe
from shopsynth.pipeline.stages.design import SAME_COMPUTE
from shopsynth.pipeline.stages.dose import ratio_on_hand
from shopsynth.pipeline.stages.methods import entries
from shopsynth.pipeline.stages.train import steps_to_take, trials_of
from shopsynth.pipeline.store import LocalStore
from shopsynth.privacy import PrivateView
from shopsynth.schema import TRUTH_COLUMNS, Dataset

START = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def store(tmp_path):
    return LocalStore(tmp_path / "w")


@pytest.fixture
def shop(store) -> tuple[PartRef, ...]:
    """Two users, the catalogue and a question each, as parts."""
    events = pl.DataFrame(
        {
            "user_id": [*"uuuvvv"],
            "item_id": [*"abcabc"],
            "timestamp": [START + timedelta(days=day) for day in (0, 1, 2, 0, 1, 2)],
        }
    )
    job = Job(Task("s", "m:f", ()), store)
    truth = pl.DataFrame([("u", "d", 1.0), ("v", "c", 1.0)], schema=TRUTH_COLUMNS, orient="row")
    rows = events.with_columns(pl.lit("real").alias("origin"), pl.lit(1.0).alias("weight"))
    return (
        job.write("items", pl.DataFrame({"item_id": [*"abcd"]})),
        job.write("questions/next_item/validation/requests/events", events),
        job.write("questions/next_item/validation/truth", truth),
        job.write(f"arms/next_item/{SAME_COMPUTE}", rows, "0"),
    )


def fit_params(model: str, steps: int | None = 0) -> dict[str, Any]:
    return {
        "arm": SAME_COMPUTE, "model": model, "generator": 0, "trainer": 0, "task": "next_item",
        "options": {}, "exclude_seen": False, "seed": 0, "steps": steps,
    }  # fmt: skip


def fit(store, shop, steps: int | None):
    params = fit_params("item_knn", steps)
    return run_task(Task("train", "shopsynth.pipeline.stages.train:fit_one", shop, params), store)


def job_frame(store, refs, name: str) -> pl.DataFrame:
    return Job(Task("s", "m:f", tuple(refs)), store).frame(name)


def fact(arm: str, model: str, generator: int, trainer: int, steps: int, skipped=None):
    return {
        "task": "next_item", "arm": arm, "model": model, "generator": generator,
        "trainer": trainer, "steps": steps, "skipped": skipped,
    }  # fmt: skip


def test_steps_are_those_of_fits_that_worked():
    fits = [
        fact("combined", "sasrec", 0, 0, 70),
        fact("combined", "sasrec", 1, 1, 0, "no loss"),
        fact("real", "sasrec", 0, 1, 40),
        fact("combined", "item_knn", 1, 1, 0),
    ]
    assert steps_to_take(fits) == {
        ("next_item", "sasrec", 0): 70,
        ("next_item", "item_knn", 1): 0,
    }


def test_in_a_crossed_design_same_compute_takes_the_most_steps_of_its_trainer_seed():
    fits = [fact("combined", "sasrec", generator, 0, 70 + generator) for generator in range(3)]
    assert steps_to_take(fits) == {("next_item", "sasrec", 0): 72}


def test_every_arm_looks_at_validation_equally_often(tmp_path):
    values = {"shop": {"events": {"path": "events.csv"}}, "train": {"trials": 6}}
    recipe = make_recipe(values | {"combine": {"doses": [1.0, 2.0]}}, base=tmp_path)
    assert trials_of(recipe, "combined", "events") == 6
    # Two doses at one weight, then the other weight at the better dose.
    assert trials_of(recipe, "real", "events") == trials_of(recipe, "noise", "events") == 6 + 2 + 1
    recipe = make_recipe(
        values | {"combine": {"doses": [1.0], "weights": [0.3, 0.5]}}, base=tmp_path
    )
    assert trials_of(recipe, "real", "events") == 6 + 1 + 2
    fixed = {"ratio": 1.0, "weight": 1.0}
    recipe = make_recipe(values | {"combine": fixed}, base=tmp_path)
    assert trials_of(recipe, "real", "events") == 6 + 1
    # Two methods are weighed against each other, with two shares each.
    methods = [{"synthesizer": "markov"}, {"synthesizer": "mask"}]
    weighed = {"combine": fixed | {"source_weights": [0.1, 0.3]}}
    recipe = make_recipe(values | weighed | {"generate": methods}, base=tmp_path)
    assert trials_of(recipe, "real", "events") == 6 + 1 + 2 * 2
    recipe = make_recipe(values | weighed | {"generate": methods[:1]}, base=tmp_path)
    assert trials_of(recipe, "real", "events") == 6 + 1
    recipe = make_recipe(values | {"train": {"trials": 0}}, base=tmp_path)
    assert trials_of(recipe, "real", "events") == trials_of(recipe, "combined", "events") == 0


def test_same_compute_is_left_out_where_combined_failed(store, shop):
    """Without steps to match it would train until it stops by itself: another arm altogether."""
    left_out = fit(store, shop, None)
    assert left_out.outputs == ()
    assert "no fit of combined" in left_out.facts["skipped"]
    made = fit(store, shop, 0)
    assert made.facts["skipped"] is None
    assert made.outputs


def test_tied_answers_are_scored_alike_whatever_their_order(store, shop):
    """Items a, b and c each sold once a user are tied; at cutoff 2 all three stand at rank 2."""
    fitted = run_task(
        Task("train", "shopsynth.pipeline.stages.train:fit_one", shop, fit_params("popularity")),
        store,
    )
    job = Job(Task("s", "m:f", ()), store)
    answers = [("u", "a", 1.0), ("v", "c", 1.0)]
    truth = pl.DataFrame(answers, schema=TRUTH_COLUMNS, orient="row")
    membership = truth.select("unit_id", "item_id", pl.lit("all").alias("slice"))
    history = job_frame(store, shop, "questions/next_item/validation/requests/events")
    asked = [
        job.write(f"questions/next_item/{part}/{name}", frame)
        for part in ("validation", "test")
        for name, frame in (
            ("requests/events", history),
            ("truth", truth),
            ("membership", membership),
        )
    ]
    catalogue = job.write("catalogue", count_catalogue(job_frame(store, shop, "items"), history))
    params = fit_params("popularity") | {"cutoffs": [2], "members": []}
    task = Task(
        "evaluate",
        "shopsynth.pipeline.stages.evaluate:score_one",
        (shop[0], *asked, catalogue, *fitted.outputs),
        params,
    )
    scored = run_task(task, store)
    units = job_frame(store, scored.outputs, "units").filter(metric="recall")
    assert dict(units.select("unit_id", "value").iter_rows()) == {"u": 1.0, "v": 1.0}


def test_noise_is_as_large_as_the_whole_synthetic_data(tmp_path):
    """A quarter of each history is cropped or masked away; the control must not be smaller."""
    random = np.random.Generator(np.random.PCG64(0))
    events = pl.DataFrame(
        [
            (f"u{user}", f"i{item}", START + timedelta(days=day))
            for user in range(80)
            for day, item in enumerate(random.integers(0, 30, 20))
        ],
        schema={
            "user_id": pl.String,
            "item_id": pl.String,
            "timestamp": pl.Datetime("us", "UTC"),
        },
        orient="row",
    )
    shop = Dataset(items=events.select("item_id").unique().sort("item_id"), events=events)
    view = PrivateView(shop, mode="public", fingerprint="f" * 64, max_events_per_user=256)
    recipe = make_recipe(
        {
            "shop": {"events": {"path": "events.csv"}},
            "generate": [{"synthesizer": "markov"}],
        },
        base=tmp_path,
    )
    made = {
        entry.synthesizer: make_synthesizer(entry.synthesizer, entry.options)
        .fit(view, seed=1)
        .sample(round(entry.size * view.n_users), seed=2)
        for entry in entries(recipe)
    }
    material = Material(shop, (made["markov"],), made["noise"], ratio=1.0, weight=1.0)
    rows = {
        name: build_arm(name, material, 0).rows.height
        for name in ("combined", "oversample", "noise", "broken_link")
    }
    assert rows["broken_link"] == rows["combined"]
    # Whole users are taken, of at most 22 events.
    assert all(abs(n - rows["combined"]) <= 22 for n in rows.values())


def test_the_ratio_on_hand_is_that_of_the_scarcest_seed():
    def part(name: str, label: str, rows: int) -> PartRef:
        return PartRef(name, label, f"s/{label}", "00", 1, rows)

    kept = [
        part("kept/markov", "0", 30), part("kept/substitute", "0", 30),
        part("kept/markov", "1", 20), part("kept/substitute", "1", 30),
        part("kept/noise", "1", 90), part("rejects/markov", "1", 90),
    ]  # fmt: skip
    assert ratio_on_hand(kept, [part("train/events", "0", 60), part("train/events", "1", 3)]) == (
        0.793
    )
