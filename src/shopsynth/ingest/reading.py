"""Reading a shop: sources to parts, parts to standard tables, tables to one :class:`Dataset`.

In: the recipe's ``[shop.*]`` blocks. Out: typed tables, and the rows that cannot be typed.
"""

from pathlib import Path

import polars as pl

from shopsynth.ingest._files import find_files, part_path, reader_of, shown
from shopsynth.ingest._mapping import select_columns
from shopsynth.ingest._timestamps import DayOrderEvidence, day_order_evidence
from shopsynth.ingest._typing import typed_table
from shopsynth.ingest.base import RawRows, SourcePart, make_reader
from shopsynth.ingest.settings import ShopSettings, TableSource
from shopsynth.schema import (
    SILENT,
    Cleaned,
    Dataset,
    Progress,
    SourceError,
    no_rejects,
)

N_ROWS = "n_rows"
"""Attribute of freshly read items: how many source rows said the same."""

# Tables of things: several source rows (order lines) may describe one thing in the same words.
_DISTINCT = ("users", "queries")


def list_parts(source: TableSource, base: Path) -> list[SourcePart]:
    """Cut a source into pieces that can be read independently, in a fixed order.

    Args:
        source: The recipe's block.
        base: Folder that relative paths start from.

    Raises:
        SourceError: If nothing readable is there, no part has rows, or files of one source differ
            in the columns they are read for.
    """
    parts = [
        part
        for reader, path in _locations(source, base)
        for part in make_reader(reader).parts(path, source, base)
    ]
    if all(part.n_rows == 0 for part in parts):
        raise SourceError(
            f"{shown(source.path)}: expected rows, found only column names; "
            "export again, or name another file"
        )
    _check_same_columns(parts, source, base)
    return parts


def part_fingerprint(part: SourcePart, source: TableSource, base: Path) -> str:
    """Hash the content a part is read from; the same rows give the same hash."""
    return make_reader(part.reader).fingerprint(part, source, base)


def read_part(name: str, source: TableSource, part: SourcePart, base: Path) -> Cleaned:
    """Read one part as the standard table ``name``.

    Args:
        name: One of :data:`shopsynth.schema.TABLES`.
        source: The recipe's block.
        part: One of :func:`list_parts`.
        base: Folder that relative paths start from.

    Returns:
        The typed table, with null where a required cell is empty, and the rejects. ``items`` come
        distinct, with the attribute ``n_rows`` (Int64): an order file says the same of an item on
        many lines, and ``clean`` lets the majority win.

    Raises:
        SourceError: If the part cannot be read, lacks a column the recipe names, or a column is
            not what the recipe says.
    """
    reader = make_reader(part.reader)
    where = shown(part.path)
    selection = select_columns(name, source, reader.columns(part, source, base), where)
    raw = reader.read(part, source, base, selection.source_columns())

    def elsewhere(column: str) -> DayOrderEvidence:
        return _evidence_of_other_parts(column, source, part, base)

    typed = typed_table(name, raw.frame, selection, source, where, elsewhere)
    rejects = pl.concat([_unreadable(name, raw), typed.rejects])
    return Cleaned(_distinct(name, typed.kept), rejects)


def read_shop(
    shop: ShopSettings, base: Path, progress: Progress = SILENT
) -> tuple[Dataset, pl.DataFrame]:
    """Read every source of a shop into memory.

    Args:
        shop: The recipe's blocks.
        base: Folder that relative paths start from.
        progress: Listener; one step a part.

    Returns:
        The shop, and its rejects (``table``, ``reason``, ``record``). Items said by one row each
        have no ``n_rows``.

    Raises:
        SourceError: If a source cannot be read.
    """
    plan = [
        (name, source, part)
        for name, source in shop.sources().items()
        for part in list_parts(source, base)
    ]
    progress.start("ingest", len(plan))
    frames: dict[str, list[pl.DataFrame]] = {}
    rejects = [no_rejects()]
    for name, source, part in plan:
        cleaned = read_part(name, source, part, base)
        frames.setdefault(name, []).append(cleaned.kept)
        rejects.append(cleaned.rejects)
        progress.advance()
    tables = {name: _joined(name, parts) for name, parts in frames.items()}
    if "items" not in tables:
        tables["items"] = items_from_events(tables["events"])
    return Dataset(**tables), pl.concat(rejects)


def items_from_events(events: pl.DataFrame) -> pl.DataFrame:
    """Make a catalogue without attributes: the distinct items of the events, first seen first.

    Example:
        >>> events = pl.DataFrame({"item_id": ["b", "a", "b", None]})
        >>> items_from_events(events)["item_id"].to_list()
        ['b', 'a']
    """
    return events.select("item_id").drop_nulls().unique(maintain_order=True)


def _locations(source: TableSource, base: Path) -> list[tuple[str, str]]:
    """List the files or URLs of a source, each with its reader's name."""
    if "://" in source.path:
        named = source.format if source.format != "auto" else "database"
        return [(named, source.path)]
    if source.path.startswith("embedded:"):
        return [("embedded", source.path)]
    files = find_files(source.path, base)
    return [(reader_of(file, source.format), part_path(file, base)) for file in files]


def _check_same_columns(parts: list[SourcePart], source: TableSource, base: Path) -> None:
    first_of_file = {part.path: part for part in reversed(parts)}
    if len(first_of_file) < 2 or source.columns:
        # With a mapping, every part is checked against it when it is read.
        return
    columns = {
        path: set(make_reader(part.reader).columns(part, source, base))
        for path, part in sorted(first_of_file.items())
    }
    usual = next(iter(columns.values()))
    for path, names in columns.items():
        if names != usual:
            lacking = ", ".join(sorted(usual - names)) or "none"
            extra = ", ".join(sorted(names - usual)) or "none"
            raise SourceError(
                f"{shown(path)}: expected the columns of {shown(next(iter(columns)))}, as files of "
                f"one source have the same; missing: {lacking}; extra: {extra}. "
                "Name the columns under `columns`, or give the file its own table"
            )


def _evidence_of_other_parts(
    column: str, source: TableSource, part: SourcePart, base: Path
) -> DayOrderEvidence:
    evidence = DayOrderEvidence()
    for other in list_parts(source, base):
        if other != part and not (evidence.day_first or evidence.month_first):
            raw = make_reader(other.reader).read(other, source, base, [column])
            evidence += day_order_evidence(raw.frame[column])
    return evidence


def _unreadable(name: str, raw: RawRows) -> pl.DataFrame:
    return raw.unreadable.select(pl.lit(name).alias("table"), "reason", "record")


def _distinct(name: str, table: pl.DataFrame) -> pl.DataFrame:
    if name in _DISTINCT:
        return table.unique(maintain_order=True)
    if name != "items":
        return table
    table = table.drop(N_ROWS, strict=False)
    counted = table.group_by(table.columns, maintain_order=True).len(N_ROWS)
    return counted.with_columns(pl.col(N_ROWS).cast(pl.Int64))


def _joined(name: str, frames: list[pl.DataFrame]) -> pl.DataFrame:
    table = pl.concat(frames)
    if name in _DISTINCT:
        return table.unique(maintain_order=True)
    if name != "items":
        return table
    said = [column for column in table.columns if column != N_ROWS]
    counted = table.group_by(said, maintain_order=True).agg(pl.col(N_ROWS).sum())
    return counted if (counted[N_ROWS] > 1).any() else counted.drop(N_ROWS)
