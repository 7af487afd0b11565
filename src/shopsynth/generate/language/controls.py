"""What a text is told before it begins: values of columns as control tokens.

In: a table with one row a text. Out: a level for each column and row, and from levels values again.

Level 0 says that nothing is known: the cell is empty, or too few texts share its value. Numbers of
many values are cut into classes of like size, each written as its median.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np
import polars as pl
from numpy.typing import NDArray

from shopsynth.schema import InputError

Levels = NDArray[np.int64]

_SHARED_BY = 3
"""Texts that must share a value for it to be nobody's own."""

_MOST_LEVELS = 64
"""Values of a text column, the most frequent; others count as unknown."""

_MOST_NUMBERS = 20
_CLASSES = 8
"""Numbers of more than 20 values are cut into 8 classes."""


@dataclass(frozen=True)
class Control:
    """One column.

    Attributes:
        column: Its name.
        dtype: Type of its cells.
        values: Value of each level from 1 on.
        edges: Where classes of numbers begin, from the second class on; ``None`` where each value
            is a level.
    """

    column: str
    dtype: pl.DataType
    values: pl.Series
    edges: NDArray[np.float64] | None = None

    @classmethod
    def fit(cls, cells: pl.Series, shared_by: int = _SHARED_BY) -> Self:
        """Choose the levels of a column of texts, numbers or booleans.

        Args:
            cells: The column.
            shared_by: Cells that must share a value; 1 where the column is public.
        """
        known = _plain(cells).drop_nulls()
        if known.dtype == pl.Float64 and known.n_unique() > _MOST_NUMBERS:
            return cls._classes(cells, known)
        counts = (
            known.alias("value")
            .value_counts(name="n")
            .filter(pl.col("n") >= min(shared_by, known.len()))
            .sort(["n", "value"], descending=[True, False])
            .head(_MOST_LEVELS)
        )
        return cls(cells.name, cells.dtype, counts["value"].sort())

    @classmethod
    def of_values(cls, column: str, values: pl.Series) -> Self:
        """Take levels that are public."""
        return cls(column, values.dtype, _plain(values).alias("value"))

    @classmethod
    def _classes(cls, cells: pl.Series, known: pl.Series) -> Self:
        numbers = known.sort().to_numpy()
        shares = np.arange(1, _CLASSES) / _CLASSES
        edges = np.unique(np.quantile(numbers, shares, method="lower"))
        edges = edges[edges > numbers[0]]  # Else the first class is empty.
        classes = np.split(numbers, np.searchsorted(numbers, edges))
        medians = [float(np.quantile(one, 0.5, method="lower")) for one in classes]
        return cls(cells.name, cells.dtype, pl.Series("value", medians), edges)

    @property
    def n_levels(self) -> int:
        """Levels, the unknown one counted."""
        return self.values.len() + 1

    def levels(self, cells: pl.Series) -> Levels:
        """Return the level of each cell."""
        cells = _plain(cells)
        if self.edges is not None:
            numbers = cells.fill_null(0.0).to_numpy()
            level = np.searchsorted(self.edges, numbers, side="right") + 1
            return np.where(cells.is_null().to_numpy(), 0, level).astype(np.int64)
        places = pl.Series(np.arange(1, self.n_levels))
        if cells.dtype != self.values.dtype:
            return np.zeros(cells.len(), dtype=np.int64)
        found = cells.replace_strict(self.values, places, default=0, return_dtype=pl.Int64)
        return found.fill_null(0).to_numpy().astype(np.int64)

    def written(self, levels: Levels) -> pl.Series:
        """Return the value of each level, null for the unknown one."""
        values = pl.concat([pl.Series("value", [None], dtype=self.values.dtype), self.values])
        return values.gather(levels).cast(self.dtype).alias(self.column)


def able(dtype: pl.DataType) -> bool:
    """Say whether a column of this type can be a condition."""
    return dtype.is_numeric() or dtype in (pl.String, pl.Boolean, pl.Categorical, pl.Enum)


def _plain(cells: pl.Series) -> pl.Series:
    """Write cells as numbers or texts; what is empty or no number is null."""
    if cells.dtype == pl.Boolean:
        cells = cells.cast(pl.UInt8)
    if cells.dtype.is_numeric():
        return cells.cast(pl.Float64).fill_nan(None)
    cells = cells.cast(pl.String)
    return pl.select(pl.when(cells != "").then(cells)).to_series().alias(cells.name)


@dataclass(frozen=True)
class Controls:
    """All columns, in the order in which texts are told them.

    Attributes:
        columns: The columns.
    """

    columns: tuple[Control, ...]

    @classmethod
    def fit(cls, about: pl.DataFrame) -> Self:
        """Choose levels of every column."""
        return cls(tuple(Control.fit(cells) for cells in about.iter_columns()))

    @property
    def names(self) -> tuple[str, ...]:
        """The columns' names."""
        return tuple(control.column for control in self.columns)

    @property
    def specials(self) -> list[str]:
        """Names of the control tokens: column and level by number, so that no cell is in them."""
        return [
            f"<{place}:{level}>"
            for place, control in enumerate(self.columns)
            for level in range(control.n_levels)
        ]

    @property
    def firsts(self) -> Levels:
        """Place of each column's level 0 among :attr:`specials`."""
        sizes = [control.n_levels for control in self.columns]
        return np.concatenate(([0], np.cumsum(sizes, dtype=np.int64)))[: len(sizes)]

    def levels(self, about: pl.DataFrame, n: int) -> Levels:
        """Return ``(n, n_columns)`` levels; a frame without columns does not know its ``n``."""
        found = np.zeros((n, len(self.columns)), dtype=np.int64)
        for place, control in enumerate(self.columns):
            found[:, place] = control.levels(about[control.column])
        return found

    def written(self, levels: Levels) -> pl.DataFrame:
        """Return levels as values again."""
        return pl.DataFrame(
            [control.written(levels[:, place]) for place, control in enumerate(self.columns)]
        )

    def wanted(self, rows: pl.DataFrame, where: str) -> Levels:
        """Return the levels that wanted rows ask for, -1 where they ask for none.

        Args:
            rows: Columns are some of :attr:`names`; a null asks for nothing.
            where: What asks, for messages.

        Raises:
            InputError: If there is no row or column, a column is none of the conditions, or a value
                has no level.
        """
        unknown = sorted(set(rows.columns) - set(self.names))
        if unknown or not rows.width or not rows.height:
            raise InputError(
                f"{where}: expected rows of wanted values in columns among "
                f"{', '.join(self.names) or 'none'}, got {', '.join(unknown) or 'none'}; name the "
                "columns in the option conditions before fit"
            )
        wanted = np.full((rows.height, len(self.columns)), -1, dtype=np.int64)
        faults = []
        for place, control in enumerate(self.columns):
            if control.column not in rows.columns:
                continue
            cells = rows[control.column]
            level = control.levels(cells)
            strange = (level == 0) & cells.is_not_null().to_numpy()
            if strange.any():
                faults.append(f"{int(strange.sum())} rows of column {control.column}")
            wanted[:, place] = np.where(level == 0, -1, level)
        if faults:
            raise InputError(
                f"{where}: expected values that texts of this shop were learned with, got others "
                f"in {'; '.join(faults)}; choose values that several real texts have"
            )
        return wanted

    def asked(self, n: int, rows: pl.DataFrame | None, method: str) -> Levels:
        """Return the levels that a sample of ``n`` asks for: of each row in turn, -1 where open.

        Raises:
            InputError: As :meth:`wanted`.
        """
        if rows is None:
            return np.full((n, len(self.columns)), -1, dtype=np.int64)
        told = self.wanted(rows, f"generate.{method}, conditions, rows")
        in_turn: Levels = told[np.arange(n) % told.shape[0]]
        return in_turn


def complete(
    wanted: Levels, real: Levels, random: np.random.Generator
) -> tuple[Levels, NDArray[np.int64]]:
    """Fill what wanted rows leave open as it is in real rows that agree with the rest.

    Args:
        wanted: ``(n, n_columns)`` levels, -1 where open.
        real: ``(n_real, n_columns)`` levels of real rows, at least one.
        random: Draws.

    Returns:
        The filled levels, and the real row that each was taken from. Where no real row agrees with
        all that is wanted, any row fills the rest.
    """
    row = np.zeros(wanted.shape[0], dtype=np.int64)
    kinds, kind_of = np.unique(wanted, axis=0, return_inverse=True)
    kind_of = kind_of.reshape(-1)
    for number, kind in enumerate(kinds):
        asked = kind >= 0
        able = np.flatnonzero((real[:, asked] == kind[asked]).all(axis=1))
        able = able if able.size else np.arange(real.shape[0])
        who = np.flatnonzero(kind_of == number)
        row[who] = able[random.integers(0, able.size, who.size)]
    return np.where(wanted >= 0, wanted, real[row]), row
