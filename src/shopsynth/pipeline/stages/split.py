"""The split stage: the real holdout is set aside before anything learns.

In: clean tables. Out: ``train/…``, ``validation/…``, ``test/…``, the shared tables, ``slices``.
"""

from datetime import datetime
from typing import Any

import polars as pl

from shopsynth.pipeline.base import PartRef
from shopsynth.pipeline.job import Job
from shopsynth.pipeline.stages.base import PARTS, Stage, StageContext, StageOutput
from shopsynth.schema import TABLES, EmptyDataError
from shopsynth.split import (
    SplitSettings,
    TimeCuts,
    assign_parts,
    assign_queries,
    count_items,
    count_times,
    count_users,
    find_cuts,
    fix_slices,
    merge_counts,
)

_HERE = "shopsynth.pipeline.stages.split"
_CUT_TABLES = ("events", "queries", "judgments")


def run(context: StageContext) -> StageOutput:
    """Find the cuts from mergeable counts, cut every part, fix the slices from train alone."""
    verbs, cleaned = context.verbs, context.done["clean"]
    settings = context.recipe.split
    params = settings.model_dump(mode="json")
    shared = [
        t for t in TABLES if t not in _CUT_TABLES or (t != "events" and settings.by != "query")
    ]
    outputs: list[PartRef] = list(cleaned.parts(*shared))
    facts: dict[str, Any] = {"by": settings.by}
    events = cleaned.parts("events")
    counts: list[PartRef] = []
    if events and settings.by != "query":
        cuts = _find_cuts(context, events) if settings.by == "time" else None
        facts["cuts"] = cuts
        tasks = [
            verbs.task(f"{_HERE}:cut_events", [part], settings=params, cuts=cuts) for part in events
        ]
        made = [ref for result in verbs.map("cut events", tasks) for ref in result.outputs]
        outputs += [ref for ref in made if ref.name.endswith("/events")]
        counts = [ref for ref in made if ref.name.startswith("counts/")]
        _refuse_empty(outputs)
    if settings.by == "query":
        found = cleaned.parts("queries", "judgments")
        outputs += verbs.fit("cut queries", f"{_HERE}:cut_queries", found, settings=params).outputs
        outputs += events
    fixed = verbs.reduce(
        "slices", f"{_HERE}:fix", [*cleaned.parts("items"), *counts], settings=params
    )
    outputs += fixed.outputs
    facts["rows"] = {
        part: sum(r.rows or 0 for r in outputs if r.name == f"{part}/events") for part in PARTS
    }
    return StageOutput(tuple(outputs), facts)


def _find_cuts(context: StageContext, events: tuple[PartRef, ...]) -> dict[str, str]:
    tasks = [context.verbs.task(f"{_HERE}:count_part", [part]) for part in events]
    counted = [ref for r in context.verbs.map("count times", tasks) for ref in r.outputs]
    settings = context.recipe.split.model_dump(mode="json")
    found = context.verbs.reduce("find cuts", f"{_HERE}:find", counted, settings=settings)
    cuts: dict[str, str] = found.facts["cuts"]
    return cuts


def _refuse_empty(outputs: list[PartRef]) -> None:
    rows = {p: sum(r.rows or 0 for r in outputs if r.name == f"{p}/events") for p in PARTS}
    empty = [part for part, n in rows.items() if n == 0]
    if empty:
        listing = ", ".join(f"{part} {n}" for part, n in rows.items())
        raise EmptyDataError(
            f"split: expected events in every part, got {listing}. "
            'Give more data, another share under [split], or by = "leave_one_out".'
        )


def count_part(job: Job) -> None:
    """Count the events of a part by minute."""
    job.write("counts/times", count_times(job.frame("events")))


def find(job: Job) -> dict[str, Any]:
    """Merge the counts of all parts and find where to cut."""
    settings = SplitSettings.parse(job.params["settings"], "split")
    merged = merge_counts([job.frame("counts/times")])
    cuts = find_cuts(merged, settings)
    return {"cuts": {"validation": cuts.validation.isoformat(), "test": cuts.test.isoformat()}}


def cut_events(job: Job) -> None:
    """Cut one bucket of events and count what its training part holds."""
    settings = SplitSettings.parse(job.params["settings"], "split")
    events = job.frame("events")
    label = job.refs("events")[0].label
    assigned = assign_parts(events, settings, _cuts(job.params["cuts"]))
    for part in PARTS:
        job.write(f"{part}/events", assigned.filter(pl.col("part") == part).drop("part"), label)
    train = assigned.filter(pl.col("part") == "train")
    job.write("counts/items", count_items(train), label)
    held = assigned.select("user_id").unique(maintain_order=True)
    counted = held.join(count_users(train), on="user_id", how="left", maintain_order="left")
    job.write("counts/users", counted.with_columns(pl.col("n").fill_null(0)), label)


def cut_queries(job: Job) -> None:
    """Cut queries, and their judgments with them."""
    settings = SplitSettings.parse(job.params["settings"], "split")
    queries = assign_queries(job.frame("queries"), settings)
    judgments = job.optional_frame("judgments")
    for part in PARTS:
        mine = queries.filter(pl.col("part") == part).drop("part")
        job.write(f"{part}/queries", mine)
        if judgments is not None:
            follow = judgments.join(mine.select("query_id"), on="query_id", how="semi")
            job.write(f"{part}/judgments", follow)


def fix(job: Job) -> None:
    """Merge the counts of all parts and fix the slices."""
    settings = SplitSettings.parse(job.params["settings"], "split")
    items = job.optional_frame("counts/items")
    users = job.optional_frame("counts/users")
    slices = fix_slices(
        job.frame("items")["item_id"],
        merge_counts([items]) if items is not None else None,
        merge_counts([users]) if users is not None else None,
        settings,
    )
    job.write("slices", slices)


def _cuts(values: dict[str, str] | None) -> TimeCuts | None:
    if values is None:
        return None
    return TimeCuts(
        validation=datetime.fromisoformat(values["validation"]),
        test=datetime.fromisoformat(values["test"]),
    )


STAGE = Stage(
    name="split",
    needs=("clean",),
    rooms=("schema", "split", "pipeline.stages.split", "pipeline.stages.base"),
    config=lambda recipe: recipe.split.model_dump(mode="json"),
    run=run,
)
