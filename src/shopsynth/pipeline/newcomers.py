"""What files of new items and new users share: how they are read, and where histories go.

In: a file of newcomers, a recipe and a workspace. Out: typed rows, the protected rows to learn
from, and the histories on disk.
"""

from pathlib import Path
from typing import Any

import polars as pl

from shopsynth.ingest import READERS, TableSource, list_parts, read_part
from shopsynth.pipeline.export import formula_safe
from shopsynth.pipeline.job import Job
from shopsynth.pipeline.local import InlineExecutor
from shopsynth.pipeline.recipe import Recipe
from shopsynth.pipeline.run import run
from shopsynth.pipeline.stages.base import read_dataset
from shopsynth.pipeline.store import storage_error
from shopsynth.pipeline.verbs import Verbs
from shopsynth.pipeline.workspace import Workspace
from shopsynth.privacy import PrivateView
from shopsynth.schema import (
    COMPANIONS,
    Dataset,
    InputError,
    PrivacyError,
    Progress,
    SyntheticDataset,
)

_WRITERS = (".parquet", ".csv")


def check_request(
    recipe: Recipe, option: str, method: str, modes: frozenset[str], output: Path | None
) -> None:
    """Refuse what cannot end well before any stage runs.

    Args:
        recipe: A checked recipe.
        option: Of the command line, for messages.
        method: What makes the histories.
        modes: Privacy modes in which it can.
        output: Where they go.

    Raises:
        PrivacyError: If the recipe's mode is another.
        InputError: If no such file is written.
    """
    if recipe.privacy.mode not in modes:
        raise PrivacyError(
            f"generate {option}: {method} looks at people's histories for that and cannot run in "
            f"privacy mode {recipe.privacy.mode}; it supports {', '.join(sorted(modes))}"
        )
    if output is not None and output.suffix not in _WRITERS:
        raise InputError(
            f"generate --output: expected a file ending in {' or '.join(_WRITERS)}, got "
            f"{output.suffix or 'no ending'}; rename it"
        )


def read_newcomers(file: Path, table: str, recipe: Recipe, option: str) -> pl.DataFrame:
    """Read a file as the recipe reads one of its tables, or by standard column names.

    Args:
        file: Of any format that ``ingest`` reads.
        table: ``items`` or ``users``.
        recipe: Names the columns of its own source.
        option: Of the command line, for messages.

    Raises:
        SourceError: If it cannot be read.
        InputError: If no column names the newcomers.
    """
    key = f"{table.removesuffix('s')}_id"
    source = TableSource(path=str(file.resolve()))
    parts = list_parts(source, recipe.base)
    columns = READERS.get(parts[0].reader)().columns(parts[0], source, recipe.base)
    if key not in columns:
        known = recipe.shop.sources().get(table, source)
        named = {name: column for name, column in known.columns.items() if column in columns}
        if key not in named:
            raise InputError(
                f"generate {option}: expected a column "
                f"{' or '.join(sorted({key, known.columns.get(key, key)}))}, got "
                f"{', '.join(columns)}; rename the column that names {table}"
            )
        told = tuple(name for name in known.attributes if name in columns)
        source = source.model_copy(update={"columns": named, "attributes": told})
    read = [read_part(table, source, part, recipe.base).kept for part in parts]
    return pl.concat(read, how="diagonal_relaxed")


def protected_rows(
    recipe: Recipe, workspace: str | Path, progress: Progress
) -> tuple[Dataset, dict[str, Any]]:
    """Run the stages up to ``privacy``, unless they are complete, and read what came out.

    Returns:
        The protected tables, and the receipt with which they make a :class:`PrivateView`.
    """
    result = run(recipe, workspace, until="privacy", progress=progress)
    protected = result.manifests["privacy"]
    store = Workspace(workspace).store
    verbs = Verbs("privacy", ("schema",), InlineExecutor(), store, progress)
    job = Job(verbs.task("newcomers", protected.outputs), store)
    try:
        return read_dataset(job), protected.facts["receipt"]
    finally:
        job.clean_up()


def provenance(made: SyntheticDataset, view: PrivateView) -> dict[str, Any]:
    """Tell where histories come from, JSON-ready."""
    return {
        "synthesizer": made.synthesizer,
        "events": made.data.need("events").height,
        "privacy_mode": view.mode,
        "audited": False,
        "seed": made.seed,
        "source_sha256": made.source_sha256,
    }


def caution(view: PrivateView) -> tuple[str, ...]:
    """Say what stands behind a file that no audit has seen; nothing where data are public."""
    if view.mode == "public":
        return ()
    return (
        f"Mode {view.mode}: no audit has looked at these histories, and edited ones resemble the "
        "people they come from. Keep them in the house; a run audits what it makes.",
    )


def write_histories(
    made: SyntheticDataset, facts: dict[str, Any], place: Workspace, folder: str, file: Path | None
) -> Path:
    """Write all tables and the facts into a folder of the workspace, or the events into a file.

    Users and queries go beside the file of the events: ``launch.csv``, ``launch.users.csv`` and
    ``launch.queries.csv``.

    Returns:
        The file of the events.

    Raises:
        WorkspaceError: If the workspace cannot be written.
        InputError: If the file cannot.
    """
    if file is None:
        scratch = place.store.scratch()
        try:
            for name, frame in made.data.tables().items():
                frame.write_parquet(scratch / name)
                place.store.put_file(scratch / name, f"{folder}/{name}.parquet")
            scratch.rmdir()
        except OSError as error:
            raise storage_error(place.root, error) from error
        place.write_json(f"{folder}/{folder}.json", facts)
        return place.path(f"{folder}/events.parquet")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        _write(made.data.need("events"), file)
        for table in COMPANIONS:
            if (rows := made.data.tables().get(table)) is not None:
                _write(rows, file.with_suffix(f".{table}{file.suffix}"))
    except OSError as error:
        raise InputError(
            f"generate --output {file}: expected a file that can be written, but "
            f"{error.strerror or error}; choose another"
        ) from error
    return file


def _write(frame: pl.DataFrame, file: Path) -> None:
    if file.suffix == ".csv":
        formula_safe(frame).write_csv(file)
    else:
        frame.write_parquet(file)
