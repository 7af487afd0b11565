"""Arms differ in their rows alone: as many steps, as much noise as synthesis, ties told alike."""

from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl
import pytest

from shopsynth.pipeline.base import PartRef, Task
from shopsynth.pipeline.job import Job, run_task
from shopsynth.pipeline.stages.train import SAME_COMPUTE, steps_to_take
from shopsynth.pipeline.store import LocalStore
from shopsynth.schema import TRUTH_COLUMNS

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
        job.write("validation/history", events),
        job.write("validation/truth", truth),
        job.write(f"arms/{SAME_COMPUTE}", rows, "0"),
    )


def fit_params(model: str, steps: int | None = 0) -> dict[str, Any]:
    return {
        "arm": SAME_COMPUTE, "model": model, "number": 0, "task": "next_item", "options": {},
        "exclude_seen": False, "seed": 0, "steps": steps,
    }  # fmt: skip


def fit(store, shop, steps: int | None):
    params = fit_params("item_knn", steps)
    return run_task(Task("train", "shopsynth.pipeline.stages.train:fit_one", shop, params), store)


def job_frame(store, refs, name: str) -> pl.DataFrame:
    return Job(Task("s", "m:f", tuple(refs)), store).frame(name)


def test_steps_are_those_of_fits_that_worked():
    fits = [
        {"arm": "combined", "model": "sasrec", "number": 0, "steps": 70, "skipped": None},
        {"arm": "combined", "model": "sasrec", "number": 1, "steps": 0, "skipped": "no loss"},
        {"arm": "real", "model": "sasrec", "number": 1, "steps": 40, "skipped": None},
        {"arm": "combined", "model": "item_knn", "number": 1, "steps": 0, "skipped": None},
    ]
    assert steps_to_take(fits) == {("sasrec", 0): 70, ("item_knn", 1): 0}


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
    history = job_frame(store, shop, "validation/history")
    asked = [
        job.write(f"{part}/{name}", frame)
        for part in ("validation", "test")
        for name, frame in (("history", history), ("truth", truth), ("membership", membership))
    ]
    params = fit_params("popularity") | {"cutoffs": [2]}
    task = Task(
        "evaluate",
        "shopsynth.pipeline.stages.evaluate:score_one",
        (shop[0], *asked, *fitted.outputs),
        params,
    )
    scored = run_task(task, store)
    units = job_frame(store, scored.outputs, "units/test").filter(metric="recall")
    assert dict(units.select("unit_id", "value").iter_rows()) == {"u": 1.0, "v": 1.0}
