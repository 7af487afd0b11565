"""The clean stage: rules take rows out, each with a reason.

In: the parts of ingest. Out: parts of the kept tables, and ``rejects``.
"""

from typing import Any

from shopsynth.clean import CleanSettings, clean_events, clean_items, clean_table
from shopsynth.pipeline.base import PartRef
from shopsynth.pipeline.job import Job
from shopsynth.pipeline.stages.base import (
    Stage,
    StageContext,
    StageOutput,
    add_counts,
    count_rejects,
)
from shopsynth.schema import TABLES, Cleaned, EmptyDataError

_HERE = "shopsynth.pipeline.stages.clean"


def run(context: StageContext) -> StageOutput:
    """Clean the catalogue, then every bucket of events and every other table against it."""
    verbs, ingested = context.verbs, context.done["ingest"]
    settings = context.recipe.clean.model_dump(mode="json")
    items = verbs.fit(
        "items", f"{_HERE}:clean_catalogue", ingested.parts("items"), settings=settings
    )
    catalogue = [ref for ref in items.outputs if ref.name == "items"]
    tasks = [
        verbs.task(f"{_HERE}:clean_one", [part, *catalogue], table=table, settings=settings)
        for table in TABLES
        if table != "items"
        for part in ingested.parts(table)
    ]
    results = [items, *verbs.map("tables", tasks)]
    outputs = tuple(ref for result in results for ref in result.outputs)
    rejects = add_counts(result.facts["rejects"] for result in results)
    rows = _rows(outputs)
    _refuse_empty(ingested.facts["rows"], rows, rejects)
    return StageOutput(outputs, {"rows": rows, "rejects": rejects})


def _rows(outputs: tuple[PartRef, ...]) -> dict[str, int]:
    rows: dict[str, int] = {}
    for ref in outputs:
        rows[ref.name] = rows.get(ref.name, 0) + (ref.rows or 0)
    return rows


def _refuse_empty(
    read: dict[str, int], kept: dict[str, int], rejects: dict[str, dict[str, int]]
) -> None:
    for table in ("items", "events"):
        if table in read and kept.get(table, 0) == 0:
            reasons = rejects.get(table, {})
            listing = ", ".join(f"{n} {reason}" for reason, n in sorted(reasons.items()))
            raise EmptyDataError(
                f"clean: table {table}: {read[table]} rows read, none kept "
                f"({listing or 'the source has no rows'}). "
                f"Check [shop.{table}] columns and the rules under [clean]."
            )


def clean_catalogue(job: Job) -> dict[str, Any]:
    """Clean the items as a whole."""
    settings = CleanSettings.parse(job.params["settings"], "clean")
    return _write(job, "items", "all", clean_items(job.frame("items"), settings))


def clean_one(job: Job) -> dict[str, Any]:
    """Clean one part of one table."""
    table = job.params["table"]
    settings = CleanSettings.parse(job.params["settings"], "clean")
    item_ids = job.frame("items")["item_id"]
    frame = job.frame(table)
    if table == "events":
        cleaned = clean_events(frame, item_ids, settings)
    else:
        cleaned = clean_table(table, frame, item_ids, settings)
    return _write(job, table, job.refs(table)[0].label, cleaned)


def _write(job: Job, table: str, label: str, cleaned: Cleaned) -> dict[str, Any]:
    job.write(table, cleaned.kept, label)
    if cleaned.rejects.height:
        job.write("rejects", cleaned.rejects, f"{table}-{label}")
    return {"rejects": count_rejects(cleaned.rejects)}


STAGE = Stage(
    name="clean",
    needs=("ingest",),
    rooms=("schema", "clean", "pipeline.stages.clean", "pipeline.stages.base"),
    config=lambda recipe: recipe.clean.model_dump(mode="json"),
    run=run,
)
