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
from shopsynth.pipeline.newcomers import (
    caution,
    check_request,
    protected_rows,
    provenance,
    read_newcomers,
    write_histories,
)
from shopsynth.pipeline.recipe import Recipe
from shopsynth.pipeline.workspace import Workspace
from shopsynth.privacy import PrivateView
from shopsynth.schema import (
    SILENT,
    Dataset,
    EmptyDataError,
    InputError,
    Progress,
    SyntheticDataset,
    derived_seed,
)

AUTO = "auto"
_METHOD = "pseudo_session"
_FOLDER = "cold"
_OPTION = "--cold"


@dataclass(frozen=True)
class ColdStart:
    """Histories of newcomers.

    Attributes:
        synthetic: Histories with the catalogue they refer to, new items included.
        facts: JSON-ready: how many newcomers and histories, and where these come from.
        path: The file of the histories.
        lines: What a person reads of it, in sentences.
    """

    synthetic: SyntheticDataset
    facts: dict[str, Any]
    path: Path
    lines: tuple[str, ...]


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
    check_request(recipe, _OPTION, _METHOD, PseudoSession.modes, file)
    if histories is not None and histories < 1:
        raise InputError(f"generate --histories: expected at least 1, got {histories}")
    seed = derived_seed(recipe.seed, "generate", _FOLDER)
    data, receipt = protected_rows(recipe, workspace, progress)
    new = None if items == AUTO else _read_items(Path(items), recipe)
    if new is not None:
        data = data.with_tables(items=_joined(data.items, new))
    options = PseudoSessionOptions.parse(_options(recipe), f"generate.{_METHOD}.options")
    method, view = PseudoSession(options), PrivateView(data, **receipt)
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
        "launches": rate.told(),
        **provenance(made, view),
    }
    path = write_histories(made, facts, Workspace(workspace), _FOLDER, file)
    return ColdStart(made, facts, path, (*_lines(facts, path), *caution(view)))


def _lines(facts: dict[str, Any], path: Path) -> tuple[str, ...]:
    launches = facts["launches"]
    lines = [
        f"{facts['histories']:,} histories, {facts['events']:,} events, with "
        f"{facts['items_placed']:,} of {facts['items']:,} new items: {path}"
    ]
    if launches["learned_from"] == "no launches":
        lines.append(
            f"Only {launches['launches']} past launches can be watched, too few to learn from: "
            "new items are taken to do as the items that are most like them."
        )
    else:
        lines.append(
            f"How often: as {launches['launches']:,} past launches took off in "
            f"{launches['window_days']:g} days, known by {launches['learned_from']}."
        )
    if facts["items_left_out"]:
        lines.append(
            f"{facts['items_left_out']:,} cold items are left out: the catalogue says nothing of "
            "them that it says of a warm item."
        )
    return tuple(lines)


def _options(recipe: Recipe) -> dict[str, Any]:
    for entry in recipe.generate:
        if entry.synthesizer == _METHOD:
            return entry.options
    return {}


def _read_items(file: Path, recipe: Recipe) -> pl.DataFrame:
    return clean_items(read_newcomers(file, "items", recipe, _OPTION), recipe.clean).kept


def _joined(catalogue: pl.DataFrame, new: pl.DataFrame) -> pl.DataFrame:
    """Put items that the catalogue lacks below it; what it knows of the others stays.

    Raises:
        InputError: If a column holds what the catalogue's type cannot.
    """
    unknown = new.join(catalogue, on="item_id", how="anti", maintain_order="left")
    kept = {name: dtype for name, dtype in catalogue.schema.items() if name in unknown.columns}
    try:
        typed = unknown.select(pl.col(name).cast(dtype) for name, dtype in kept.items())
        return pl.concat([catalogue, typed], how="diagonal")
    except pl.exceptions.PolarsError as error:
        differ = [name for name, dtype in kept.items() if unknown.schema[name] != dtype]
        raise InputError(
            f"generate {_OPTION}: expected columns of the catalogue's types, got others in "
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
            f"generate {_OPTION} auto: expected items without a training event of which the "
            f"catalogue says something, got {len(cold)} without an event and none of them told; "
            "name items in a file, or give them a title, a category or attributes"
        )
    return placeable, len(cold) - len(placeable)
