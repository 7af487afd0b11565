"""The split stage: the real holdout is set aside before anything learns.

In: clean tables. Out: ``train/…``, ``validation/…``, ``test/…`` (at low data also ``asked/…`` and
``reserve/…``), the shared tables, ``slices``.
"""

from datetime import datetime
from typing import Any

import polars as pl

from shopsynth.pipeline.base import PartRef
from shopsynth.pipeline.job import Job
from shopsynth.pipeline.stages.base import Stage, StageContext, StageOutput
from shopsynth.schema import TABLES
from shopsynth.split import (
    CUT_TABLE,
    SplitSettings,
    TimeCuts,
    assign_parts,
    assign_texts,
    check_parts,
    count_items,
    count_times,
    count_users,
    find_cuts,
    fix_slices,
    follow_events,
    follow_queries,
    group_users,
    groups_of_parts,
    hold_labels_back,
    merge_counts,
    part_by_group,
    part_names,
    without_reserve,
)

_HERE = "shopsynth.pipeline.stages.split"
_CUT_TABLES = {
    "time": ("events", "reviews", "users"),
    "leave_one_out": ("events", "reviews", "users"),
    "query": ("events", "queries", "judgments"),
    "review": ("reviews",),
}
"""What each way of splitting cuts; the other tables are the same in every part."""

_NO_COUNTS = pl.DataFrame(schema={"id": pl.String, "n": pl.Int64})


def run(context: StageContext) -> StageOutput:
    """Find the cuts from mergeable counts, cut every part, fix the slices from train alone."""
    verbs, cleaned = context.verbs, context.done["clean"]
    settings = context.recipe.split
    params = settings.model_dump(mode="json")
    shared = [table for table in TABLES if table not in _CUT_TABLES[settings.by]]
    outputs: list[PartRef] = list(cleaned.parts(*shared))
    facts: dict[str, Any] = {"by": settings.by}
    events = cleaned.parts("events")
    counts: list[PartRef] = []
    if events and not settings.by_text:
        cuts = _find_cuts(context, events) if settings.by == "time" else None
        facts["cuts"] = cuts
        tasks = [
            verbs.task(f"{_HERE}:cut_events", [part], settings=params, cuts=cuts) for part in events
        ]
        made = [ref for result in verbs.map("cut events", tasks) for ref in result.outputs]
        outputs += [ref for ref in made if ref.name.endswith("/events")]
        counts = [ref for ref in made if ref.name.startswith("counts/")]
        check_parts(_table_rows(outputs, "events", settings), settings)
        if reviews := cleaned.parts("reviews"):
            outputs += verbs.fit(
                "cut reviews",
                f"{_HERE}:cut_reviews_by_time",
                [*reviews, *events],
                settings=params,
                cuts=cuts,
            ).outputs
        if users := cleaned.parts("users"):
            known = [*users, *(ref for ref in counts if ref.name == "counts/users")]
            outputs += verbs.fit("cut users", f"{_HERE}:cut_users", known, settings=params).outputs
    if settings.by_text:
        table = CUT_TABLE[settings.by]
        found = cleaned.parts(*_CUT_TABLES[settings.by])
        cut = verbs.fit(f"cut {table}", f"{_HERE}:cut_{table}", found, settings=params).outputs
        counts = [ref for ref in cut if ref.name.startswith("counts/")]
        outputs += [ref for ref in cut if ref not in counts]
        check_parts(_table_rows(outputs, table, settings), settings)
    fixed = verbs.reduce(
        "slices", f"{_HERE}:fix", [*cleaned.parts("items"), *counts], settings=params
    )
    outputs += fixed.outputs
    facts["rows"] = _table_rows(outputs, CUT_TABLE[settings.by], settings)
    if settings.few_labels and settings.by == "query":
        # What is held back of queries are their judgments; the texts stay where they are.
        facts["rows"].pop("reserve")
        facts["judgments"] = _table_rows(outputs, "judgments", settings)
    return StageOutput(tuple(outputs), facts)


def _find_cuts(context: StageContext, events: tuple[PartRef, ...]) -> dict[str, str]:
    tasks = [context.verbs.task(f"{_HERE}:count_part", [part]) for part in events]
    counted = [ref for r in context.verbs.map("count times", tasks) for ref in r.outputs]
    settings = context.recipe.split.model_dump(mode="json")
    found = context.verbs.reduce("find cuts", f"{_HERE}:find", counted, settings=settings)
    cuts: dict[str, str] = found.facts["cuts"]
    return cuts


def _table_rows(outputs: list[PartRef], table: str, settings: SplitSettings) -> dict[str, int]:
    return {
        part: sum(ref.rows or 0 for ref in outputs if ref.name == f"{part}/{table}")
        for part in part_names(settings)
    }


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
    in_time = assign_parts(events, settings, _cuts(job.params["cuts"]))
    assigned = part_by_group(in_time, settings)
    _write_parts(job, "events", assigned, settings, label)
    _write_counts(job, assigned, without_reserve(in_time, settings), label)


def cut_reviews_by_time(job: Job) -> None:
    """Let reviews follow the purchases they belong to, and then their users."""
    settings = SplitSettings.parse(job.params["settings"], "split")
    cuts = _cuts(job.params["cuts"])
    events = assign_parts(job.frame("events"), settings, cuts)
    in_time = follow_events(job.frame("reviews"), events, cuts)
    _write_parts(job, "reviews", part_by_group(in_time, settings), settings)


def cut_users(job: Job) -> None:
    """Keep users who first act after the cut out of train; those who never act stay.

    At low data each group has its own users: train and validation one, test and asked another.
    """
    settings = SplitSettings.parse(job.params["settings"], "split")
    users, counts = job.frame("users"), merge_counts([job.frame("counts/users")])
    later = counts.filter(pl.col("n") == 0).select("user_id")
    groups = group_users(users["user_id"], settings)
    for part in part_names(settings):
        mine = users
        if settings.low_data:
            mine = users.filter(groups.is_in(groups_of_parts(settings)[part]))
        if part == "train":
            mine = mine.join(later, on="user_id", how="anti", maintain_order="left")
        job.write(f"{part}/users", mine)


def cut_queries(job: Job) -> None:
    """Cut queries, and let judgments and events follow them."""
    settings = SplitSettings.parse(job.params["settings"], "split")
    queries = assign_texts(job.frame("queries"), settings)
    _write_parts(job, "queries", queries, settings)
    labelled = {"judgments": hold_labels_back(queries, settings), "events": queries}
    seen = None
    for table, parted in labelled.items():
        if job.refs(table):
            seen = follow_queries(job.frame(table), parted)
            _write_parts(job, table, seen, settings)
            if table == "events":
                job.write("counts/users", count_users(seen), "all")
    _count_seen(job, seen)


def cut_reviews(job: Job) -> None:
    """Cut reviews by their texts."""
    settings = SplitSettings.parse(job.params["settings"], "split")
    reviews = hold_labels_back(assign_texts(job.frame("reviews"), settings), settings)
    _write_parts(job, "reviews", reviews, settings)
    _count_seen(job, reviews)


def _count_seen(job: Job, assigned: pl.DataFrame | None) -> None:
    """Count in train which items are known; events are the better witness, where there are any."""
    if assigned is not None:
        job.write("counts/items", count_items(assigned.filter(pl.col("part") == "train")), "all")


def _write_counts(job: Job, assigned: pl.DataFrame, in_time: pl.DataFrame, label: str) -> None:
    """Count items in train alone, and users by what they did before the holdout."""
    job.write("counts/items", count_items(assigned.filter(pl.col("part") == "train")), label)
    job.write("counts/users", count_users(in_time), label)


def _write_parts(
    job: Job, table: str, assigned: pl.DataFrame, settings: SplitSettings, label: str = "all"
) -> None:
    for part in part_names(settings):
        rows = assigned.filter(pl.col("part") == part).drop("part")
        job.write(f"{part}/{table}", rows, label)


def fix(job: Job) -> None:
    """Merge the counts of all parts and fix the slices."""
    settings = SplitSettings.parse(job.params["settings"], "split")
    # A shop split by text may have no events: then it has no users, and judged items are known.
    items, users = (
        merge_counts([job.frame(name)]) if job.refs(name) else _NO_COUNTS.rename({"id": key})
        for name, key in (("counts/items", "item_id"), ("counts/users", "user_id"))
    )
    job.write("slices", fix_slices(job.frame("items")["item_id"], items, users, settings))


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
