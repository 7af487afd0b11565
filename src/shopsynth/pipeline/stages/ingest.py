"""The ingest stage: a shop's files become typed tables, events bucketed by user.

In: the sources of the recipe. Out: parts of ``items``, ``events``…, and ``rejects``.
"""

import math
from pathlib import Path
from typing import Any

from shopsynth.ingest import (
    SourcePart,
    TableSource,
    items_named_by,
    list_parts,
    part_fingerprint,
    read_part,
)
from shopsynth.pipeline.base import PartRef, TaskResult
from shopsynth.pipeline.job import Job
from shopsynth.pipeline.recipe import Recipe
from shopsynth.pipeline.redaction import redacted
from shopsynth.pipeline.stages.base import (
    Stage,
    StageContext,
    StageOutput,
    add_counts,
    count_rejects,
)
from shopsynth.schema import sha256_of

_HERE = "shopsynth.pipeline.stages.ingest"


def fingerprints(recipe: Recipe) -> dict[str, str]:
    """Hash the content of every part of every source, by ``table/number``."""
    found = {}
    for table, source in recipe.shop.sources().items():
        for number, part in enumerate(list_parts(source, recipe.base)):
            found[f"{table}/{number}"] = part_fingerprint(part, source, recipe.base)
    return found


def run(context: StageContext) -> StageOutput:
    """Read every source, part by part, and bring each user's events together."""
    recipe, verbs = context.recipe, context.verbs
    hashes = fingerprints(recipe)
    results: dict[str, list[TaskResult]] = {}
    for table, source in recipe.shop.sources().items():
        # One file may tell what another leaves open: whether 03/04 is a day in March or April.
        of_table = [value for name, value in hashes.items() if name.startswith(f"{table}/")]
        tasks = [
            verbs.task(
                f"{_HERE}:read_one",
                [],
                table=table,
                source=source.model_dump(mode="json"),
                part=part.to_json(),
                base=str(recipe.base),
                label=f"part-{number:05d}",
                content=hashes[f"{table}/{number}"],
                others=sha256_of(of_table),
                literal=_reads_literally(recipe),
            )
            for number, part in enumerate(list_parts(source, recipe.base))
        ]
        results[table] = verbs.map(f"read {table}", tasks)
    outputs: list[PartRef] = []
    for table, read in results.items():
        parts = [ref for result in read for ref in result.outputs if ref.name == table]
        outputs += _arrange(context, table, parts)
    if "items" not in results:
        naming = "events" if "events" in results else "reviews"
        parts = [ref for ref in outputs if ref.name == naming]
        outputs += verbs.fit("derive items", f"{_HERE}:derive_items", parts, table=naming).outputs
    rejects = [r for read in results.values() for t in read for r in t.outputs]
    outputs += [ref for ref in rejects if ref.name == "rejects"]
    counted = add_counts(t.facts["rejects"] for read in results.values() for t in read)
    rows: dict[str, int] = {}
    for ref in outputs:
        rows[ref.name] = rows.get(ref.name, 0) + (ref.rows or 0)
    return StageOutput(tuple(outputs), {"rows": rows, "rejects": counted})


def _reads_literally(recipe: Recipe) -> bool:
    """Say whether no person's cell may decide how another's is read, which has no price."""
    return recipe.privacy.mode == "dp"


def _arrange(context: StageContext, table: str, parts: list[PartRef]) -> tuple[PartRef, ...]:
    """Bucket events by user; bring every other table into one part."""
    if table == "events":
        n_rows = sum(ref.rows or 0 for ref in parts)
        n_buckets = max(1, math.ceil(n_rows / context.recipe.pipeline.rows_per_part))
        return context.verbs.exchange("gather each user's events", parts, "user_id", n_buckets)
    if len(parts) == 1:
        return tuple(parts)
    task = context.verbs.task("shopsynth.pipeline.verbs:gather", parts, name=table, label="all")
    (gathered,) = context.verbs.map(f"gather {table}", [task])
    return gathered.outputs


def read_one(job: Job) -> dict[str, Any]:
    """Read one part of one source into a typed table and its rejects."""
    table = job.params["table"]
    source = TableSource.parse(job.params["source"], f"shop.{table}")
    part = SourcePart.from_json(job.params["part"])
    cleaned = read_part(
        table, source, part, Path(job.params["base"]), literal=job.params["literal"]
    )
    job.write(table, cleaned.kept, job.params["label"])
    if cleaned.rejects.height:
        job.write("rejects", cleaned.rejects, f"{table}-{job.params['label']}")
    return {"rejects": count_rejects(cleaned.rejects)}


def derive_items(job: Job) -> None:
    """Make the catalogue of a shop that has only events or reviews.

    Sorted, because the order of events follows the number of their parts.
    """
    job.write("items", items_named_by(job.frame(job.params["table"])).sort("item_id"))


STAGE = Stage(
    name="ingest",
    needs=(),
    rooms=(
        "schema", "ingest",
        "pipeline.stages.ingest", "pipeline.stages.base", "pipeline.verbs",
    ),
    config=lambda recipe: {
        **redacted(recipe.shop.model_dump(mode="json")), "literal": _reads_literally(recipe),
    },
    run=run,
    sources=fingerprints,
)  # fmt: skip
