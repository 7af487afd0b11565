"""What a stage is to the pipeline: its name, what it builds on, and how it is run.

In: a checked recipe and the manifests of earlier stages. Out: parts and facts.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import polars as pl

from shopsynth.pipeline.base import ObjectStore, PartRef
from shopsynth.pipeline.job import Job
from shopsynth.pipeline.manifest import Manifest
from shopsynth.pipeline.recipe import Recipe
from shopsynth.pipeline.verbs import Verbs
from shopsynth.schema import TABLES, Dataset, Split


@dataclass(frozen=True)
class StageContext:
    """What a stage works with.

    Attributes:
        recipe: The checked recipe.
        done: Manifests of earlier stages, by name.
        verbs: map, exchange, reduce and fit, bound to this stage.
        store: Where parts are.
        registration: What ``summary.json`` tells of the plan and of this look at the test part;
            empty before ``evaluate``.
    """

    recipe: Recipe
    done: dict[str, Manifest]
    verbs: Verbs
    store: ObjectStore
    registration: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class StageOutput:
    """What a stage made.

    Attributes:
        outputs: Parts.
        facts: Small values for later stages and the report.
        costs: What pieces of it cost.
    """

    outputs: tuple[PartRef, ...]
    facts: dict[str, Any] = field(default_factory=dict)
    costs: tuple[dict[str, Any], ...] = ()


def _no_sources(recipe: Recipe) -> dict[str, str]:
    return {}


@dataclass(frozen=True)
class Stage:
    """One word of the journey.

    Attributes:
        name: The word.
        needs: Earlier stages whose outputs it reads.
        rooms: Packages whose code its results depend on.
        config: The part of the recipe it obeys, JSON-ready.
        run: Does the work.
        sources: Hashes of what it reads from outside the workspace.
    """

    name: str
    needs: tuple[str, ...]
    rooms: tuple[str, ...]
    config: Callable[[Recipe], dict[str, Any]]
    run: Callable[[StageContext], StageOutput]
    sources: Callable[[Recipe], dict[str, str]] = _no_sources


def count_rejects(rejects: pl.DataFrame) -> dict[str, dict[str, int]]:
    """Count rejected records: table to reason to number."""
    counted: dict[str, dict[str, int]] = {}
    for table, reason, n in rejects.group_by("table", "reason").len().sort(pl.all()).iter_rows():
        counted.setdefault(table, {})[reason] = n
    return counted


def add_counts(many: Iterable[dict[str, dict[str, int]]]) -> dict[str, dict[str, int]]:
    """Add up what :func:`count_rejects` counted in several parts."""
    total: dict[str, dict[str, int]] = {}
    for counted in many:
        for table, reasons in counted.items():
            for reason, n in reasons.items():
                of_table = total.setdefault(table, {})
                of_table[reason] = of_table.get(reason, 0) + n
    return total


def read_dataset(job: Job, part: str | None = None) -> Dataset:
    """Build a dataset from a job's inputs.

    Args:
        job: Its inputs are standard tables; those of a split part are called ``<part>/<table>``.
        part: A field of :class:`Split` that is a dataset, or ``None`` for uncut data.
    """
    prefix = f"{part}/" if part else ""
    tables = {}
    for name in TABLES:
        if job.refs(prefix + name):
            tables[name] = job.frame(prefix + name)
        elif job.refs(name):
            tables[name] = job.frame(name)
    return Dataset(tables.pop("items"), **tables)


def read_part(job: Job, part: str) -> Dataset | None:
    """Build the dataset of a part that only low data have (``asked``, ``reserve``), or ``None``."""
    if any(name.startswith(f"{part}/") for name in job.names()):
        return read_dataset(job, part)
    return None


def read_split(job: Job, by: str) -> Split:
    """Build the split from a job's inputs: all outputs of the split stage.

    Args:
        job: Its inputs are the split stage's outputs.
        by: How it was cut; the split stage's fact ``by``.
    """
    return Split(
        train=read_dataset(job, "train"),
        validation=read_dataset(job, "validation"),
        test=read_dataset(job, "test"),
        slices=job.frame("slices"),
        by=by,
        asked=read_part(job, "asked"),
        reserve=read_part(job, "reserve"),
    )


def read_heldout(job: Job) -> pl.DataFrame:
    """Read all real events that no generator saw: validation, test and what asked users did.

    Columns as in ``events``; an asked user's earlier events stand before its test events.
    """
    parts = [f"{part}/events" for part in ("validation", "asked", "test")]
    return pl.concat([job.frame(name) for name in parts if job.refs(name)], how="diagonal")
