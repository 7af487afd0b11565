"""What the values of a source say about its columns.

In: one file or database table. Out: a :class:`Profile` of every column, from a sample; no values.
"""

import re
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from shopsynth.ingest._cells import typed_ids, typed_numbers
from shopsynth.ingest._timestamps import typed_timestamps
from shopsynth.ingest.base import SourcePart, make_reader
from shopsynth.ingest.settings import TableSource
from shopsynth.schema import SourceError

_SAMPLE_ROWS = 200_000
_FEW_BAD = 0.05
_POSITIONAL = re.compile(r"^column_\d+$")
# Beyond these years a number is no time but a code.
_PLAUSIBLE_YEARS = (1990, 2040)


@dataclass(frozen=True)
class ColumnProfile:
    """One column of a sample.

    Attributes:
        name: Its name.
        n_filled: Cells that are not empty.
        n_distinct: Different values among them.
        is_number: Nearly all cells are numbers.
        time_share: Share of the filled cells that can be read as times of plausible years.
        is_open_order: They are dates, but day and month cannot be told apart.
        mean_chars: Average length as text.
    """

    name: str
    n_filled: int
    n_distinct: int
    is_number: bool
    time_share: float
    is_open_order: bool
    mean_chars: float

    @property
    def is_time(self) -> bool:
        """Whether nearly all cells are dates or times."""
        return self.time_share >= 1 - _FEW_BAD

    @property
    def is_key(self) -> bool:
        """Whether every filled cell is different."""
        return self.n_filled > 1 and self.n_distinct == self.n_filled


@dataclass(frozen=True)
class Profile:
    """One file or database table, looked at.

    Attributes:
        source: Where it lies, without any mapping.
        label: Its name in notes.
        columns: A profile of every column, in order.
        sample: First rows, ids and numbers still untyped; used to compare keys, never shown.
        is_headless: The file has no column names.
    """

    source: TableSource
    label: str
    columns: dict[str, ColumnProfile]
    sample: pl.DataFrame
    is_headless: bool

    @property
    def n_rows(self) -> int:
        """Rows of the sample."""
        return self.sample.height

    def ids(self, column: str) -> pl.Series:
        """Return the distinct ids of a column."""
        return typed_ids(self.sample[column]).values.drop_nulls().unique(maintain_order=True)

    def is_key(self, column: str | None) -> bool:
        """Say whether a column identifies the rows."""
        return column is not None and self.columns[column].is_key


def profile_of(source: TableSource, part: SourcePart, label: str, base: Path) -> Profile:
    """Read a sample of a source and describe its columns.

    Raises:
        SourceError: If it cannot be read.
    """
    reader = make_reader(part.reader)
    names = reader.columns(part, source, base)
    sample = reader.read(part, source, base, names).frame.head(_SAMPLE_ROWS)
    columns = {name: _column_profile(sample[name]) for name in names}
    return Profile(source, label, columns, sample, all(_POSITIONAL.match(name) for name in names))


def _column_profile(cells: pl.Series) -> ColumnProfile:
    is_fractional = cells.dtype.is_float() and bool(typed_ids(cells).bad.any())
    filled = (cells.fill_nan(None) if is_fractional else typed_ids(cells).values).drop_nulls()
    is_number = _mostly(typed_numbers(cells).values, cells) if _is_plain(cells) else False
    time_share, is_open_order = _time_facts(cells)
    mean_chars = filled.cast(pl.String).str.len_chars().mean()
    return ColumnProfile(
        name=cells.name,
        n_filled=filled.len(),
        n_distinct=filled.n_unique(),
        is_number=is_number,
        time_share=time_share,
        is_open_order=is_open_order,
        mean_chars=float(mean_chars) if isinstance(mean_chars, float) else 0.0,
    )


def _is_plain(cells: pl.Series) -> bool:
    return cells.dtype.is_numeric() or cells.dtype == pl.String


def _mostly(typed: pl.Series, cells: pl.Series) -> bool:
    n_filled = cells.len() - cells.null_count()
    return n_filled > 0 and typed.len() - typed.null_count() >= (1 - _FEW_BAD) * n_filled


def _time_facts(cells: pl.Series) -> tuple[float, bool]:
    """Say which share of the cells is times, and whether day and month are open."""
    if cells.dtype.is_temporal():
        return 1.0, False
    n_filled = cells.len() - cells.null_count()
    if not _is_plain(cells) or not n_filled:
        return 0.0, False
    try:
        values = typed_timestamps(cells, date_format=None, timezone="UTC", where="").values
    except SourceError:
        return 1.0, True
    # Placeholders such as 1900-01-01 are no reason to distrust the rest.
    return int(values.dt.year().is_between(*_PLAUSIBLE_YEARS).sum()) / n_filled, False
