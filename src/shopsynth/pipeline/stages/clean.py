"""The clean stage: rules take rows out, each with a reason.

In: the parts of ingest. Out: parts of the kept tables, and ``rejects``.
"""

from collections.abc import Iterable
from typing import Any

from shopsynth.clean import (
    CleanSettings,
    check_left,
    clean_events,
    clean_items,
    clean_table,
)
from shopsynth.pipeline.base import PartRef, TaskResult
from shopsynth.pipeline.job import Job
from shopsynth.pipeline.stages.base import (
    Stage,
    StageContext,
    StageOutput,
    add_counts,
    count_rejects,
)
from shopsynth.schema import TABLES, Cleaned

_HERE = "shopsynth.pipeline.stages.clean"


def run(context: StageContext) -> StageOutput:
    """Clean the catalogue, then every bucket of events and every other table against it."""
    verbs, ingested = context.verbs, context.done["ingest"]
    settings = context.recipe.clean.model_dump(mode="json")
    items = verbs.fit(
        "items", f"{_HERE}:clean_catalogue", ingested.parts("items"), settings=settings
    )
    catalogue = [ref for ref in items.outputs if ref.name == "items"]

    def clean_tables(label: str, tables: Iterable[str], known: list[PartRef]) -> list[TaskResult]:
        tasks = [
            verbs.task(f"{_HERE}:clean_one", [part, *known], table=table, settings=settings)
            for table in tables
            for part in ingested.parts(table)
        ]
        return verbs.map(label, tasks) if tasks else []

    # Judgments refer to queries, so these are cleaned before them.
    queries = clean_tables("queries", ["queries"], catalogue)
    kept = [ref for result in queries for ref in result.outputs if ref.name == "queries"]
    others = [table for table in TABLES if table not in ("items", "queries", "judgments")]
    results = [
        items,
        *queries,
        *clean_tables("judgments", ["judgments"], [*catalogue, *kept]),
        *clean_tables("tables", others, catalogue),
    ]
    outputs = tuple(ref for result in results for ref in result.outputs)
    rejects = add_counts(result.facts["rejects"] for result in results)
    rows = _rows(outputs)
    for table in ("items", "events"):
        if table in ingested.facts["rows"]:
            n_read = ingested.facts["rows"][table]
            check_left(table, n_read, rows.get(table, 0), rejects.get(table, {}))
    if "events" in rows and "users" not in rows:
        # A user's events lie in one bucket, so the buckets' counts add up.
        rows["users"] = sum(result.facts.get("users", 0) for result in results)
    return StageOutput(outputs, {"rows": rows, "rejects": rejects})


def _rows(outputs: tuple[PartRef, ...]) -> dict[str, int]:
    rows: dict[str, int] = {}
    for ref in outputs:
        rows[ref.name] = rows.get(ref.name, 0) + (ref.rows or 0)
    return rows


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
    label = job.refs(table)[0].label
    if table != "events":
        queries = job.optional_frame("queries") if table == "judgments" else None
        query_ids = None if queries is None else queries["query_id"]
        cleaned = clean_table(table, frame, item_ids, settings, query_ids)
        return _write(job, table, label, cleaned)
    cleaned = clean_events(frame, item_ids, settings)
    facts = _write(job, table, label, cleaned)
    return {**facts, "users": cleaned.kept["user_id"].n_unique()}


def _write(job: Job, table: str, label: str, cleaned: Cleaned) -> dict[str, Any]:
    job.write(table, cleaned.kept, label)
    if cleaned.rejects.height:
        job.write("rejects", cleaned.rejects, f"{table}-{label}")
    return {"rejects": count_rejects(cleaned.rejects)}


STAGE = Stage(
    name="clean",
    needs=("ingest",),
    rooms=("schema", "text", "clean", "pipeline.stages.clean", "pipeline.stages.base"),
    config=lambda recipe: recipe.clean.model_dump(mode="json"),
    run=run,
)
