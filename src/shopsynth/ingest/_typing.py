"""Raw rows to a standard table.

In: source columns as a reader gives them. Out: the typed table, and the rows that cannot be typed.
"""

import logging
from collections.abc import Callable
from functools import partial

import polars as pl

from shopsynth.ingest._cells import (
    TypedCells,
    as_attribute,
    typed_counts,
    typed_ids,
    typed_numbers,
    typed_text,
)
from shopsynth.ingest._literal import PERSONAL_TABLES
from shopsynth.ingest._mapping import Selection
from shopsynth.ingest._timestamps import DayOrderEvidence, typed_timestamps
from shopsynth.ingest.settings import TableSource
from shopsynth.schema import (
    TABLES,
    TIMESTAMP,
    Cleaned,
    SourceError,
    in_standard_order,
    make_rejects,
    no_rejects,
)

_LOG = logging.getLogger(__name__)

# A cell of a shop is a text, not a file: beyond a mebibyte it is an accident or an attack.
_MAX_CELL_BYTES = 1 << 20
_RECORD_CHARS = 256
_MAX_BAD_SHARE = 0.5
_EXPECTED = {
    "unreadable_timestamp": "dates; set `date_format`",
    "unreadable_number": "numbers; map another column or repair the source",
    "fractional_id": "whole numbers or text, as ids are; map another column",
}


def typed_table(
    name: str,
    raw: pl.DataFrame,
    selection: Selection,
    source: TableSource,
    where: str,
    elsewhere: Callable[[str], DayOrderEvidence],
    *,
    literal: bool = False,
) -> Cleaned:
    """Type every column of a table; rows with a cell that cannot be typed are rejected.

    Args:
        name: Standard table.
        raw: Source columns.
        selection: Which source column feeds which standard column.
        source: The recipe's block, for date format and zone.
        where: File or database table, for messages.
        elsewhere: For a source column, what the other parts say about day and month.
        literal: Let no cell decide on another's.

    Raises:
        SourceError: If more than half of a column's filled cells cannot be typed: then the column
            is not what the recipe says. Where people made the rows and reading is ``literal`` the
            log says so instead, for one person's cells could tip the balance.
        PrivacyError: If literal times are texts without ``date_format``.
    """
    raw, rejects = _oversized_aside(name, raw)
    columns: dict[str, pl.Series] = {}
    reason = pl.repeat(None, raw.height, dtype=pl.String, eager=True)
    for column, origin in selection.standard.items():
        place = f"{where}, column {origin}"
        how = partial(elsewhere, origin)
        cells = _typed(raw[origin], name, column, source, place, how, literal=literal)
        _check_share(cells, raw[origin], column, place, tells=literal and name in PERSONAL_TABLES)
        columns[column] = cells.values
        if cells.bad.any():
            first = cells.bad & reason.is_null()
            reason = pl.repeat(cells.reason, raw.height, eager=True).zip_with(first, reason)
    for column, value in selection.defaults.items():
        constant = pl.Series([value] if raw.height else [], dtype=None if raw.height else pl.String)
        place = f"{where}, default of {column}"
        cells = _typed(constant, name, column, source, place, partial(elsewhere, column))
        _check_share(cells, constant, column, place, tells=False)
        columns[column] = cells.values.new_from_index(0, raw.height) if raw.height else cells.values
    for attribute in selection.attributes:
        columns[attribute] = as_attribute(raw[attribute])
    table = in_standard_order(name, pl.DataFrame(columns))
    if reason.null_count() < raw.height:
        rejects = pl.concat([rejects, _rejected(name, raw, reason)])
        table = table.filter(reason.is_null())
    return Cleaned(table, rejects)


def _typed(
    cells: pl.Series,
    name: str,
    column: str,
    source: TableSource,
    where: str,
    elsewhere: Callable[[], DayOrderEvidence],
    *,
    literal: bool = False,
) -> TypedCells:
    # Ids are read in one way in all tables, or rows would lose the items that they name.
    is_personal = literal and name in PERSONAL_TABLES
    dtype = TABLES[name].columns[column]
    if dtype == TIMESTAMP:
        return typed_timestamps(
            cells,
            date_format=source.date_format,
            timezone=source.timezone,
            where=where,
            elsewhere=elsewhere,
            literal=is_personal,
        )
    if dtype == pl.Float64():
        return typed_numbers(cells, literal=is_personal)
    if dtype == pl.Int64():
        return typed_counts(cells, literal=is_personal)
    return typed_ids(cells, literal=literal) if _is_id(column) else typed_text(cells)


def _is_id(column: str) -> bool:
    return column.endswith("_id") or column in ("head", "tail")


def _check_share(
    cells: TypedCells, raw: pl.Series, column: str, where: str, *, tells: bool
) -> None:
    n_bad, n_filled = int(cells.bad.sum()), raw.len() - raw.null_count()
    if n_bad <= _MAX_BAD_SHARE * n_filled:
        return
    finding = (
        f"{where}: {n_bad:,} of {n_filled:,} filled cells cannot be read for {column}; "
        f"expected {_EXPECTED[cells.reason]}"
    )
    if not tells:
        raise SourceError(finding)
    _LOG.warning("%s", finding)


def _oversized_aside(name: str, raw: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Take out rows with a cell beyond the cap; their records are cut."""
    texts = [c for c, dtype in raw.schema.items() if dtype == pl.String]
    if not texts or not raw.height:
        return raw, no_rejects()
    too_large = raw.select(
        pl.any_horizontal(pl.col(c).str.len_bytes() > _MAX_CELL_BYTES for c in texts).fill_null(
            value=False
        )
    ).to_series()
    if not too_large.any():
        return raw, no_rejects()
    cut = raw.filter(too_large).with_columns(pl.col(texts).str.slice(0, _RECORD_CHARS))
    return raw.filter(~too_large), make_rejects(name, "cell_too_large", cut)


def _rejected(name: str, raw: pl.DataFrame, reason: pl.Series) -> pl.DataFrame:
    kinds = sorted(reason.drop_nulls().unique().to_list())
    return pl.concat(
        [make_rejects(name, kind, raw.filter((reason == kind).fill_null(False))) for kind in kinds]
    )
