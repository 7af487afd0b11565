"""Users' attributes as small whole numbers, and back: words by name, numbers and times by bins.

In: the attribute columns of real users. Out: codes to learn from, and from drawn codes new cells.

What fewer than ``min_users`` people share is never told: rare words give way to common ones, a
number is drawn from a bin of at least so many people. Columns that name people or hold free text
are left out, with the reason.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np
import polars as pl
from numpy.typing import NDArray

from shopsynth.generate._draws import DrawTable, Integers

UNKNOWN = -1
"""Code of a cell that no code stands for."""

_MAX_WORDS = 63
"""Words with a code of their own; the others share one. Bounds what a posterior has to weigh."""

_MAX_BINS = 20
_ATOM_SHARE = 0.02
"""A number that so many people have is a value of its own: most of 0, 1, 2 children."""

_LEAST_KEPT = 0.5
"""Share of filled cells whose words are common; below it the column names people or is free."""

_MAX_DIGITS = 6
_WORDS = (pl.String, pl.Boolean, pl.Categorical, pl.Enum)


@dataclass(frozen=True)
class WordCodes:
    """A column of words or flags: the commonest have a code each, the other common ones share one.

    Attributes:
        name: Of the column.
        dtype: Of its cells.
        common: Words with a code of their own, commonest first.
        others: Words behind the last code; empty where there is no such code.
        weights: ``(n_others,)`` how many users have each of them.
    """

    name: str
    dtype: pl.DataType
    common: pl.Series
    others: pl.Series
    weights: NDArray[np.int64]

    @classmethod
    def fit(cls, cells: pl.Series, min_users: int) -> Self:
        """Sort a column's words by how many users have them."""
        words = _plain(cells)
        counts = (
            pl.DataFrame({"word": words.drop_nulls()})
            .group_by("word")
            .len()
            .sort("len", "word", descending=[True, False])
        )
        kept = counts.filter(pl.col("len") >= min_users)
        others = kept.slice(_MAX_WORDS)
        if others.is_empty() and kept.height < counts.height:
            others = kept  # Rare words are told as common ones.
        return cls(
            name=cells.name,
            dtype=cells.dtype,
            common=kept["word"].head(_MAX_WORDS),
            others=others["word"],
            weights=others["len"].to_numpy().astype(np.int64),
        )

    @property
    def n_codes(self) -> int:
        """Number of codes without the one for empty cells."""
        return self._shared + (1 if self.others.len() else 0)

    @property
    def _shared(self) -> int:
        return self.common.len()

    def encode(self, cells: pl.Series, *, near: bool = False) -> NDArray[np.int64]:
        """Return the code of each cell.

        Args:
            cells: One a user.
            near: Give rare words the shared code, as the fit does; else they have none.
        """
        words = pl.DataFrame({"word": _plain(cells)})
        shared = pl.DataFrame(
            {"word": self.others, "code": self._shared}, schema_overrides={"code": pl.Int64}
        )
        own = pl.DataFrame({"word": self.common}).with_columns(code=pl.int_range(pl.len()))
        table = pl.concat([own.select("word", "code"), shared]).unique("word", keep="first")
        codes = words.join(table, on="word", how="left", maintain_order="left")["code"]
        found = codes.fill_null(self._shared if near else UNKNOWN).to_numpy().copy()
        found[words["word"].is_null().to_numpy()] = self.n_codes
        return found

    def decode(self, codes: Integers, random: np.random.Generator) -> pl.Series:
        """Draw a word for each code."""
        place = np.array(codes, dtype=np.int64)
        empty = place == self.n_codes
        place[empty] = 0
        if self.others.len():
            shared = np.flatnonzero(place == self._shared)
            n_others = self.others.len()
            one_row = np.zeros(n_others, dtype=np.int64)
            table = DrawTable.of(one_row, np.arange(n_others), self.weights, 1)
            drawn = table.draw(np.zeros_like(shared), random.random(shared.size))
            place[shared] = self._shared + drawn
        cells = pl.concat([self.common, self.others]).gather(place).set(pl.Series(empty), None)
        return cells.cast(self.dtype).alias(self.name)


@dataclass(frozen=True)
class NumberCodes:
    """A column of numbers or times: frequent values have a code each, the rest lies in bins.

    Attributes:
        name: Of the column.
        dtype: Of its cells.
        digits: Decimals of floats; ``None`` if they have more than can be kept.
        step: Grid of the values in units of the last decimal; 0 where there is none.
        atoms: ``(n_atoms,)`` frequent values in these units, rising.
        low: ``(n_bins,)`` lower ends of bins, rising; the outermost ones are what ``min_users``
            people reach, so that nobody's extreme is told.
        high: ``(n_bins,)`` upper ends, included.
    """

    name: str
    dtype: pl.DataType
    digits: int | None
    step: int
    atoms: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]

    @classmethod
    def fit(cls, cells: pl.Series, min_users: int) -> Self:
        """Find the grid, the frequent values and the bins of a column."""
        digits = _digits(cells)
        units = _units(cells, digits)
        units = np.sort(units[~np.isnan(units)])
        values, counts = np.unique(units, return_counts=True)
        step = _step(values) if digits is not None else 0
        frequent = counts >= max(min_users, _ATOM_SHARE * units.size)
        rest = np.repeat(values[~frequent], counts[~frequent])
        low, high = _bins(rest, min_users)
        if 0 < rest.size < 2 * min_users and step:
            low = high = values[0] + step * np.round((low - values[0]) / step)
        return cls(cells.name, cells.dtype, digits, step, values[frequent], low, high)

    @property
    def n_codes(self) -> int:
        """Number of codes without the one for empty cells."""
        return self.atoms.size + self.low.size

    def encode(self, cells: pl.Series, *, near: bool = False) -> NDArray[np.int64]:
        """Return the code of each cell.

        Args:
            cells: One a user.
            near: Give numbers outside of all that is told the nearest code; else they have none.
        """
        units = _units(cells, self.digits)
        codes = np.full(units.size, self.n_codes, dtype=np.int64)
        filled = ~np.isnan(units)
        ends = np.concatenate((self.atoms, self.low, self.high))
        outside = filled & ((units < ends.min()) | (units > ends.max()))
        codes[filled] = self._nearest(units[filled])
        if not near:
            codes[outside] = UNKNOWN
        return codes

    def decode(self, codes: Integers, random: np.random.Generator) -> pl.Series:
        """Draw a number for each code, evenly inside its bin."""
        codes = np.asarray(codes, dtype=np.int64)
        low, high = (np.concatenate((self.atoms, ends)) for ends in (self.low, self.high))
        empty = codes == self.n_codes
        place = np.where(empty, 0, codes)
        uniform = random.random(codes.size)
        width = high[place] - low[place]
        if self.step:
            drawn = low[place] + self.step * np.floor(uniform * (width // self.step + 1))
        else:
            drawn = low[place] + uniform * width
        if not self.dtype.is_float():
            drawn = drawn.astype(np.int64)
        elif self.digits is not None:
            drawn = np.round(drawn / 10.0**self.digits, self.digits)
        made = pl.Series(drawn)
        return made.set(pl.Series(empty), None).cast(self.dtype).alias(self.name)

    def _nearest(self, units: NDArray[np.float64]) -> NDArray[np.int64]:
        """Return the code of each number: its own, else its bin's, else the nearest."""
        exact = np.searchsorted(self.atoms, units)
        exact = np.minimum(exact, self.atoms.size - 1)
        if not self.low.size:
            before = np.maximum(np.searchsorted(self.atoms, units) - 1, 0)
            closer = np.abs(units - self.atoms[before]) < np.abs(units - self.atoms[exact])
            return np.where(closer, before, exact)
        place = np.maximum(np.searchsorted(self.low, units, side="right") - 1, 0)
        if not self.atoms.size:
            return place
        return np.where(self.atoms[exact] == units, exact, self.atoms.size + place)


ColumnCodes = WordCodes | NumberCodes
"""Codes of one column; the code ``n_codes`` stands for an empty cell."""


def fit_codes(cells: pl.Series, min_users: int) -> ColumnCodes | str:
    """Learn the codes of a column, or say why it is left out.

    Args:
        cells: One a user.
        min_users: People who must share what is told.
    """
    if cells.name.endswith("_id"):
        return "it names things by an id"
    if cells.null_count() == cells.len():
        return "it is empty"
    if cells.dtype in _WORDS:
        words = WordCodes.fit(cells, min_users)
        plain = _plain(cells)
        told = plain.is_in(pl.concat([words.common, words.others]).implode()).sum()
        if words.common.is_empty() or told < _LEAST_KEPT * plain.count():
            return f"most of its values belong to fewer than {min_users} users, as names do"
        return words
    if cells.dtype.is_numeric() or cells.dtype.is_temporal():
        if cells.dtype.is_decimal():
            return f"its type {cells.dtype} is not made"
        if np.count_nonzero(~np.isnan(_units(cells, 0))) < min_users:
            return f"fewer than {min_users} users have a value"
        return NumberCodes.fit(cells, min_users)
    return f"its type {cells.dtype} is not made"


def _plain(cells: pl.Series) -> pl.Series:
    """Return words as text; flags as they are."""
    return cells if cells.dtype == pl.Boolean else cells.cast(pl.String)


def _digits(cells: pl.Series) -> int | None:
    """Count the decimals that all floats keep to; 0 for whole numbers and times."""
    if not cells.dtype.is_float():
        return 0
    values = cells.to_numpy().astype(np.float64)
    values = values[np.isfinite(values)]
    for digits in range(_MAX_DIGITS + 1):
        if np.array_equal(np.round(values, digits), values):
            return digits
    return None


def _units(cells: pl.Series, digits: int | None) -> NDArray[np.float64]:
    """Return numbers in units of the last decimal, times in theirs; NaN where there is none."""
    physical = cells if cells.dtype.is_float() else cells.to_physical()
    values = physical.cast(pl.Float64).to_numpy().astype(np.float64)
    if cells.dtype.is_float():
        values = np.where(np.isfinite(values), values, np.nan)
        values = np.round(values * 10.0**digits) if digits is not None else values
    return values


def _step(values: NDArray[np.float64]) -> int:
    """Return the grid that rising values keep to; 1 where there is only one."""
    step = int(np.gcd.reduce(np.diff(values).astype(np.int64))) if values.size > 1 else 1
    return max(step, 1)


def _bins(
    rest: NDArray[np.float64], min_users: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Cut rising values into bins of about equally many, at least ``2 * min_users`` in each."""
    if rest.size < min_users:
        return np.zeros(0), np.zeros(0)
    if rest.size < 2 * min_users:  # Too few to be told apart: all are their mean.
        return np.array([rest.mean()]), np.array([rest.mean()])
    n_bins = min(_MAX_BINS, rest.size // (2 * min_users))
    borders = np.arange(n_bins + 1) * rest.size // n_bins
    low, high = rest[borders[:-1]], rest[borders[1:] - 1]
    # The extremes belong to one person each.
    low[0], high[-1] = rest[min_users - 1], rest[-min_users]
    return low, high
