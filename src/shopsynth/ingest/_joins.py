"""Columns of further tables, added to a source's rows by key.

In: raw rows and the recipe's ``joins``. Out: the same rows, in the same order, with more columns.

Shops keep who and when in the order, and what in the order line; an event needs all three.
"""

from collections.abc import Sequence
from pathlib import Path

import polars as pl

from shopsynth.ingest._cells import typed_ids
from shopsynth.ingest._files import shown
from shopsynth.ingest._parts import list_parts
from shopsynth.ingest.base import SourcePart, make_reader, read_cells
from shopsynth.ingest.settings import JoinedTable, TableSource
from shopsynth.schema import SourceError, nearest

_KEY = "shopsynth join key"


def joined_columns(own: list[str], source: TableSource, base: Path) -> list[str]:
    """List a source's columns and those its joins add; the source's own win.

    Raises:
        SourceError: If a key is missing on either side.
    """
    present = list(own)
    for join in source.joins:
        added = _columns(join, base)
        for where, names in ((shown(source.path), present), (shown(join.path), added)):
            if join.on not in names:
                raise SourceError(
                    f"{where}: expected the key column {join.on} of `joins`; "
                    f"{nearest(join.on, names)}"
                )
        present += [column for column in added if column not in present]
    return present


def with_joins(
    frame: pl.DataFrame,
    wanted: Sequence[str],
    source: TableSource,
    base: Path,
    *,
    literal: bool = False,
) -> pl.DataFrame:
    """Add the wanted columns of every join; rows without a partner get empty cells.

    With ``literal`` no cell decides how another is read; text is written as the source's is.

    Raises:
        SourceError: If a key occurs twice in an added table: rows would multiply.
    """
    needed = {*wanted, *(join.on for join in source.joins)}
    for join in source.joins:
        columns = [
            c
            for c in _columns(join, base)
            if c in needed and (c not in frame.columns or c == join.on)
        ]
        added = _read(join, columns, source, base, literal=literal)
        key = typed_ids(added[join.on], literal=literal).values
        if key.drop_nulls().is_duplicated().any():
            raise SourceError(
                f"{shown(join.path)}: expected every value of {join.on} once, as `joins` adds one "
                f"row; {int(key.drop_nulls().is_duplicated().sum()):,} rows share theirs"
            )
        added = added.drop(join.on).with_columns(key.alias(_KEY)).filter(key.is_not_null())
        frame = frame.with_columns(typed_ids(frame[join.on], literal=literal).values.alias(_KEY))
        frame = frame.join(added, on=_KEY, how="left", maintain_order="left").drop(_KEY)
    return frame.select(wanted) if source.joins else frame


def join_fingerprints(source: TableSource, base: Path) -> list[str]:
    """Hash the content of every added table."""
    return [
        make_reader(part.reader).fingerprint(part, block, base)
        for block in map(_block, source.joins)
        for part in list_parts(block, base)
    ]


def _block(join: JoinedTable) -> TableSource:
    return TableSource(path=join.path, table=join.table)


def _columns(join: JoinedTable, base: Path) -> list[str]:
    part = list_parts(_block(join), base)[0]
    return make_reader(part.reader).columns(part, _block(join), base)


def readers_of(part: SourcePart, source: TableSource, base: Path) -> set[str]:
    """Name the readers of a part and of every added table."""
    added = (each.reader for join in source.joins for each in list_parts(_block(join), base))
    return {part.reader, *added}


def _read(
    join: JoinedTable, columns: list[str], source: TableSource, base: Path, *, literal: bool
) -> pl.DataFrame:
    block = _block(join)
    if literal:
        told = {key: getattr(source, key) for key in ("encoding", "delimiter", "header")}
        block = block.model_copy(update=told)
    return pl.concat(
        read_cells(part, block, base, columns, literal=literal).frame
        for part in list_parts(block, base)
    )
