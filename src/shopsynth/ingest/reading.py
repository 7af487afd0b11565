"""Reading a shop: sources to parts, parts to standard tables, tables to one :class:`Dataset`.

In: the recipe's ``[shop.*]`` blocks. Out: typed tables, and the rows that cannot be typed.
"""

from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import polars as pl

from shopsynth.ingest._files import shown
from shopsynth.ingest._joins import join_fingerprints, joined_columns, readers_of, with_joins
from shopsynth.ingest._literal import PERSONAL_TABLES, undeclared
from shopsynth.ingest._mapping import select_columns
from shopsynth.ingest._parts import list_parts
from shopsynth.ingest._timestamps import DayOrderEvidence, day_order_evidence
from shopsynth.ingest._typing import typed_table
from shopsynth.ingest.base import RawRows, SourcePart, make_reader, read_cells
from shopsynth.ingest.settings import ShopSettings, TableSource
from shopsynth.schema import (
    SILENT,
    Cleaned,
    Dataset,
    PrivacyError,
    Progress,
    collect,
    in_standard_order,
    no_rejects,
    sha256_of,
)

N_ROWS = "n_rows"
"""Attribute of freshly read items: how many source rows said the same."""

# Tables of things: several source rows (order lines) may describe one thing in the same words.
_DISTINCT = ("users", "queries")

_NAME_DIGITS = 24
"""Hexadecimal: two of a billion texts share a name with a chance below 1e-10."""


def part_fingerprint(part: SourcePart, source: TableSource, base: Path) -> str:
    """Hash the content a part is read from; the same rows give the same hash."""
    own = make_reader(part.reader).fingerprint(part, source, base)
    return sha256_of([own, *join_fingerprints(source, base)]) if source.joins else own


def read_part(
    name: str, source: TableSource, part: SourcePart, base: Path, *, literal: bool = False
) -> Cleaned:
    """Read one part as the standard table ``name``.

    Args:
        name: One of :data:`shopsynth.schema.TABLES`.
        source: The recipe's block.
        part: One of :func:`list_parts`.
        base: Folder that relative paths start from.
        literal: Let no person's cell decide how another's is read, as mode dp demands.

    Returns:
        The typed table, with null where a required cell is empty, and the rejects. ``items`` come
        distinct, with the attribute ``n_rows`` (Int64): an order file says the same of an item on
        many lines, and ``clean`` lets the majority win.

    Raises:
        SourceError: If the part cannot be read, lacks a column the recipe names, or a column is
            not what the recipe says.
        PrivacyError: If reading is literal and the recipe leaves open what rows would decide.
    """
    if literal:
        collect("mode dp", undeclared(name, source, readers_of(part, source, base)), PrivacyError)
    reader = make_reader(part.reader)
    where = shown(part.path)
    own = reader.columns(part, source, base)
    selection = select_columns(name, source, joined_columns(own, source, base), where)
    wanted = selection.source_columns()
    read = [c for c in own if c in wanted or c in {join.on for join in source.joins}]
    is_personal = literal and name in PERSONAL_TABLES
    raw = read_cells(part, source, base, read, literal=is_personal)
    frame = with_joins(raw.frame, wanted, source, base, literal=is_personal)

    def elsewhere(column: str) -> DayOrderEvidence:
        return _evidence_of_other_parts(column, source, part, base)

    typed = typed_table(name, frame, selection, source, where, elsewhere, literal=literal)
    if name == "reviews" and "review_id" not in typed.kept.columns:
        typed = replace(typed, kept=named_by_content(typed.kept))
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
        tables["items"] = items_named_by(tables["events" if "events" in tables else "reviews"])
    return Dataset(**tables), pl.concat(rejects)


def items_named_by(rows: pl.DataFrame) -> pl.DataFrame:
    """Make a catalogue without attributes: the distinct items of events or reviews, in order.

    Example:
        >>> events = pl.DataFrame({"item_id": ["b", "a", "b", None]})
        >>> items_named_by(events)["item_id"].to_list()
        ['b', 'a']
    """
    return rows.select("item_id").drop_nulls().unique(maintain_order=True)


def named_by_content(reviews: pl.DataFrame) -> pl.DataFrame:
    """Name reviews that have no id by a hash of all they say; equal rows get one name.

    A number would change where another review comes or goes, which mode dp forbids.

    Example:
        >>> reviews = pl.DataFrame({"item_id": ["a", "a", "b"], "text": ["Nice", "Nice", "Nice"]})
        >>> named_by_content(reviews)["review_id"].n_unique()
        2
    """
    said = reviews.select(pl.struct(sorted(reviews.columns)).struct.json_encode()).to_series()
    names = [sha256(row.encode()).hexdigest()[:_NAME_DIGITS] for row in said.to_list()]
    named = reviews.with_columns(pl.Series("review_id", names, dtype=pl.String))
    return in_standard_order("reviews", named)


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
