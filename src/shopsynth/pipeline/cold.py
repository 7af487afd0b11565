"""cold_start: histories for items that nobody has bought yet, as often as launches take off.

In: a recipe, a workspace and a list of new items. Out: histories that contain them, laid beside the
workspace's other synthetic rows or in a file.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import polars as pl

from shopsynth.clean import clean_items
from shopsynth.generate import Conditions
from shopsynth.generate.pseudo_session import PseudoSession, PseudoSessionOptions
from shopsynth.ingest import READERS, ShopSettings, TableSource, list_parts, read_shop
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
    SILENT,
    Dataset,
    EmptyDataError,
    InputError,
    PrivacyError,
    Progress,
    SyntheticDataset,
    derived_seed,
)

AUTO = "auto"
_METHOD = "pseudo_session"
_FOLDER = "cold"
_WRITERS = (".parquet", ".csv")


@dataclass(frozen=True)
class ColdStart:
    """Histories of new items.

    Attributes:
        synthetic: Histories with the catalogue they refer to, new items included.
        facts: JSON-ready: how many items and histories, what was left out, how launches take off.
        path: The file of the histories.
    """

    synthetic: SyntheticDataset
    facts: dict[str, Any]
    path: Path


def cold_start(
    recipe: Recipe,
    workspace: str | Path,
    items: str | Path | Literal["auto"] = AUTO,
    *,
    histories: int | None = None,
    output: str | Path | None = None,
    progress: Progress = SILENT,
) -> ColdStart:
    """Make histories that contain items without a past, by ``pseudo_session``.

    The stages up to ``privacy`` run first, unless they are complete. Options of ``pseudo_session``
    are the recipe's, where it names that method.

    Args:
        recipe: A checked recipe.
        workspace: Folder of the run; made if missing.
        items: A file of items, columns named as in ``[shop.items]`` or as standard; those that the
            catalogue lacks join it. ``auto``: all items of the catalogue without a training event,
            but for those of which it says nothing.
        histories: How many; ``None``: as many as people would take these items in the window
            after their launch, and at least one an item.
        output: A ``.parquet`` or ``.csv`` file; ``None``: ``cold/events.parquet`` in the
            workspace.
        progress: Listener.

    Raises:
        PrivacyError: In mode dp, where ``pseudo_session`` has no mechanism.
        EmptyDataError: If no item is cold.
        InputError: If the file names no items, or items of which nothing is known; or the output
            cannot be written.
    """
    file = Path(output) if output is not None else None
    _check(recipe, file, histories)
    seed = derived_seed(recipe.seed, "generate", _FOLDER)
    result = run(recipe, workspace, until="privacy", progress=progress)
    protected = result.manifests["privacy"]
    data = _read(Workspace(workspace), protected.outputs, progress)
    new = None if items == AUTO else _read_items(Path(items), recipe)
    if new is not None:
        data = data.with_tables(items=_joined(data.items, new))
    options = PseudoSessionOptions.parse(_options(recipe), f"generate.{_METHOD}.options")
    method = PseudoSession(options)
    view = PrivateView(data, **protected.facts["receipt"])
    method.fit(view, seed=derived_seed(seed, "fit"), progress=progress)
    wanted, n_silent = _wanted(data, new, method)
    rate = method.launch_rate(wanted, progress=progress)
    n = histories or max(len(wanted), round(float(rate.expected().sum())))
    made = method.sample(
        n,
        conditions=Conditions(item_ids=wanted),
        seed=derived_seed(seed, "sample"),
        progress=progress,
    )
    placed = made.data.need("events").filter(pl.col("item_id").is_in(list(wanted)))
    facts = {
        "items": len(wanted),
        "items_placed": placed["item_id"].n_unique(),
        "items_left_out": n_silent,
        "histories": n,
        "events": made.data.need("events").height,
        "privacy_mode": view.mode,
        "seed": made.seed,
        "source_sha256": made.source_sha256,
        "launches": rate.told(),
    }
    return ColdStart(made, facts, _write(made, facts, Workspace(workspace), file))


def told_cold_start(made: ColdStart) -> tuple[str, ...]:
    """Say in sentences what was made, and from what it was known how often."""
    facts, launches = made.facts, made.facts["launches"]
    days = launches["window_days"]
    lines = [
        f"{facts['histories']:,} histories, {facts['events']:,} events, with "
        f"{facts['items_placed']:,} of {facts['items']:,} new items: {made.path}"
    ]
    if launches["learned_from"] == "no launches":
        lines.append(
            f"Only {launches['launches']} past launches can be watched, too few to learn from: "
            "new items are taken to do as the items that are most like them."
        )
    else:
        lines.append(
            f"How often: as {launches['launches']:,} past launches took off in {days:g} days, "
            f"known by {launches['learned_from']}."
        )
    if facts["items_left_out"]:
        lines.append(
            f"{facts['items_left_out']:,} cold items are left out: the catalogue says nothing of "
            "them that it says of a warm item."
        )
    return tuple(lines)


def _check(recipe: Recipe, output: Path | None, histories: int | None) -> None:
    """Refuse what cannot end well before any stage runs."""
    if recipe.privacy.mode not in PseudoSession.modes:
        raise PrivacyError(
            f"generate --cold: {_METHOD} places items in people's histories and cannot run in "
            f"privacy mode {recipe.privacy.mode}; it supports "
            f"{', '.join(sorted(PseudoSession.modes))}"
        )
    if output is not None and output.suffix not in _WRITERS:
        raise InputError(
            f"generate --output: expected a file ending in {' or '.join(_WRITERS)}, got "
            f"{output.suffix or 'no ending'}; rename it"
        )
    if histories is not None and histories < 1:
        raise InputError(f"generate --histories: expected at least 1, got {histories}")


def _options(recipe: Recipe) -> dict[str, Any]:
    for entry in recipe.generate:
        if entry.synthesizer == _METHOD:
            return entry.options
    return {}


def _read(place: Workspace, outputs: Any, progress: Progress) -> Dataset:
    verbs = Verbs(_FOLDER, ("schema",), InlineExecutor(), place.store, progress)
    job = Job(verbs.task(_FOLDER, outputs), place.store)
    try:
        return read_dataset(job)
    finally:
        job.clean_up()


def _read_items(file: Path, recipe: Recipe) -> pl.DataFrame:
    """Read a file of items as the recipe reads its catalogue.

    Raises:
        SourceError: If it cannot be read.
        InputError: If no column names items.
    """
    source = TableSource(path=str(file.resolve()))
    part = list_parts(source, recipe.base)[0]
    columns = READERS.get(part.reader)().columns(part, source, recipe.base)
    if "item_id" not in columns:
        catalogue = recipe.shop.items or source
        named = {name: column for name, column in catalogue.columns.items() if column in columns}
        if "item_id" not in named:
            raise InputError(
                f"generate --cold: expected a column "
                f"{' or '.join(sorted({'item_id', catalogue.columns.get('item_id', 'item_id')}))}"
                f", got {', '.join(columns)}; rename the column that names items"
            )
        told = tuple(name for name in catalogue.attributes if name in columns)
        source = source.model_copy(update={"columns": named, "attributes": told})
    shop, _ = read_shop(ShopSettings(items=source), recipe.base)
    return clean_items(shop.items, recipe.clean).kept


def _joined(catalogue: pl.DataFrame, new: pl.DataFrame) -> pl.DataFrame:
    """Put items that the catalogue lacks below it; what it knows of the others stays.

    Raises:
        InputError: If an attribute has another type than in the catalogue.
    """
    unknown = new.join(catalogue, on="item_id", how="anti", maintain_order="left")
    kept = [name for name in unknown.columns if name in catalogue.columns]
    try:
        return pl.concat([catalogue, unknown.select(kept)], how="diagonal_relaxed")
    except pl.exceptions.PolarsError as error:
        differ = [name for name in kept if unknown.schema[name] != catalogue.schema[name]]
        raise InputError(
            "generate --cold: expected columns of the catalogue's types, got others in "
            f"{', '.join(differ)}; write them as the catalogue's source does"
        ) from error


def _wanted(
    data: Dataset, new: pl.DataFrame | None, method: PseudoSession
) -> tuple[tuple[str, ...], int]:
    """List the items to place, and count the cold ones of which nothing is known."""
    if new is not None:
        return tuple(new["item_id"]), 0
    sold = data.need("events").select("item_id").unique()
    cold = tuple(data.items.join(sold, on="item_id", how="anti", maintain_order="left")["item_id"])
    placeable = method.placeable(cold) if cold else ()
    if not placeable:
        raise EmptyDataError(
            "generate --cold auto: expected items without a training event of which the catalogue "
            f"says something, got {len(cold)} without an event and none of them told; name items "
            "in a file, or give them a title, a category or attributes"
        )
    return placeable, len(cold) - len(placeable)


def _write(
    made: SyntheticDataset, facts: dict[str, Any], place: Workspace, file: Path | None
) -> Path:
    """Write the histories to a file, or with catalogue and facts into the workspace."""
    events = made.data.need("events")
    if file is None:
        scratch = place.store.scratch()
        try:
            for name, frame in (("items", made.data.items), ("events", events)):
                frame.write_parquet(scratch / name)
                place.store.put_file(scratch / name, f"{_FOLDER}/{name}.parquet")
            scratch.rmdir()
        except OSError as error:
            raise storage_error(place.root, error) from error
        place.write_json(f"{_FOLDER}/cold.json", facts)
        return place.path(f"{_FOLDER}/events.parquet")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        if file.suffix == ".csv":
            formula_safe(events).write_csv(file)
        else:
            events.write_parquet(file)
    except OSError as error:
        raise InputError(
            f"generate --output {file}: expected a file that can be written, but "
            f"{error.strerror or error}; choose another"
        ) from error
    return file
