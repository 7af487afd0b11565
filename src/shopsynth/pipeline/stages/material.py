"""What arms are mixed from, as parts.

In: the split, the synthetic rows that were kept. Out: a :class:`~shopsynth.combine.Material`.
"""

from collections.abc import Sequence
from typing import Any

import polars as pl

from shopsynth.combine import Dose, Material, with_companions
from shopsynth.pipeline.base import PartRef
from shopsynth.pipeline.job import Job
from shopsynth.pipeline.recipe import Recipe
from shopsynth.pipeline.stages.base import read_dataset, read_part
from shopsynth.pipeline.stages.methods import NOISES, is_noise, table_of
from shopsynth.schema import COMPANIONS, Dataset, SyntheticDataset
from shopsynth.train import get_task


def material_parts(kept: Sequence[PartRef], number: int) -> list[PartRef]:
    """Pick the synthetic parts of one generator seed: rows, users and queries."""
    rooms = tuple(f"{table}/" for table in ("kept", *COMPANIONS))
    return [ref for ref in kept if ref.name.startswith(rooms) and ref.label == str(number)]


def mixing(recipe: Recipe, task: str, dose: Dose) -> dict[str, Any]:
    """Collect the parameters from which :func:`read_material` knows what to mix."""
    return {
        "table": get_task(task).table,
        "ratio": dose.ratio,
        "weight": dose.weight,
        "sources": dict(dose.sources),
        "tail_max_events": recipe.split.tail_max_events,
    }


def read_material(job: Job) -> Material:
    """Build what arms are mixed from, out of a job's inputs and parameters."""
    catalogue, table = read_dataset(job, "train"), job.params["table"]
    methods = [name.removeprefix("kept/") for name in job.names() if name.startswith("kept/")]
    made = {
        method: read_synthetic(job, f"kept/{method}", {"synthesizer": method}, catalogue)
        for method in methods
        if table_of(method) == table
    }
    return Material(
        real=catalogue,
        synthetic=tuple(each for each in made.values() if not is_noise(each.synthesizer)),
        noise=made.get(NOISES[table]),
        # The arm of real rows alone has no dose, but a material always has one.
        ratio=job.params["ratio"] or 1.0,
        weight=job.params["weight"],
        sources=job.params["sources"],
        table=table,
        tail_max_events=job.params["tail_max_events"],
        reserve=read_part(job, "reserve"),
    )


def read_companions(job: Job, rows: pl.DataFrame) -> dict[str, pl.DataFrame]:
    """Read real users and queries, and the synthetic ones that rows name.

    Of a table that no split cuts only what rows name is read: the rest may be of the future.

    Args:
        job: Has them as far as the shop does: ``train/<table>`` or ``<table>``, and
            ``<table>/<method>``.
        rows: What is trained on.
    """
    found = {}
    for table, key in COMPANIONS.items():
        names = [name for name in (f"train/{table}", table) if job.refs(name)]
        if names and key in rows.columns:
            made = [job.frame(name) for name in job.names() if name.startswith(f"{table}/")]
            real = job.frame(names[0])
            cut = names[0] != table
            found[table] = with_companions(
                real if cut else real.clear(), made if cut else [real, *made], rows, key
            )
    return found


def read_synthetic(
    job: Job, name: str, facts: dict[str, Any], catalogue: Dataset | None = None
) -> SyntheticDataset:
    """Read one method's rows.

    Args:
        job: Has the part ``name`` and the catalogue.
        name: Of the part.
        facts: What the generate stage told of it; users and queries of its method come with it.
        catalogue: Has the items, if they were read before.
    """
    items = catalogue.items if catalogue else job.frame("items")
    found = {table: job.optional_frame(f"{table}/{facts['synthesizer']}") for table in COMPANIONS}
    return SyntheticDataset(
        Dataset(items=items, **{**found, table_of(facts["synthesizer"]): job.frame(name)}),
        synthesizer=facts["synthesizer"],
        config_sha256=facts.get("config_sha256", ""),
        seed=facts.get("seed", 0),
        source_sha256=facts.get("source_sha256", ""),
    )
