"""Ladders: an attribute told ever more coarsely, until nothing of it is left.

In: a column of a users' table. Out: the same column at a step of its ladder; rare values hidden.

The edges of bins are multiples of fixed widths and of calendar months, never a quantile, minimum or
maximum of the column, so a bin says nothing about whoever else is in the table. Which step is taken
does depend on the rows: this is generalisation of an input, not differential privacy.
"""

from collections.abc import Callable
from dataclasses import dataclass

import polars as pl

OTHER = "OTHER"
"""Stands in text columns for values that too few users hold; other columns are emptied."""

TOLERATED_SHARE = 0.05
"""Share of users whose cells may rather be hidden than everybody's told one step more coarsely.
Our choice: at 0 a single user in a remote bin would coarsen the column for all."""

_WIDTHS = tuple(step * 10**power for power in range(10) for step in (1, 5))
_FRACTIONS = tuple(step / 10**power for power in range(6, 0, -1) for step in (1, 5))
"""Each width is a multiple of the one before, so bins nest and coarser is never finer anywhere."""

_PERIODS = {"day": "1d", "month": "1mo", "year": "1y"}
_BROADER = 4
"""Factor between the numbers of users whom a text value must be shared by, step to step."""
_TEXT_STEPS = 6

Coarsen = Callable[[pl.Series], pl.Series]


@dataclass(frozen=True)
class Ladder:
    """A column and its steps.

    Attributes:
        column: The column as it is, with text for categories.
        steps: Name and rule of each step, finest first; the last leaves nothing.
    """

    column: pl.Series
    steps: tuple[tuple[str, Coarsen], ...]

    def at(self, step: int) -> pl.Series:
        """Return the column at a step, counted from 0."""
        return self.steps[step][1](self.column)


def ladder(column: pl.Series, k: int) -> Ladder:
    """Build the ladder of a column by its type.

    Args:
        column: Text, numbers, times or yes and no; of any other type nothing can be told.
        k: Fewest users of a value, from which the steps of text columns start.

    Example:
        >>> found = ladder(pl.Series("age", [31, 38, 44]), k=2)
        >>> found.at(2).to_list()  # bins of ten years, told by their middle
        [35, 35, 45]
    """
    dtype = column.dtype
    exact: list[tuple[str, Coarsen]] = [("exact", lambda values: values)]
    if dtype == pl.String or isinstance(dtype, pl.Categorical | pl.Enum):
        column = column.cast(pl.String)
        exact += [_shared_by(k * _BROADER**step) for step in range(1, _TEXT_STEPS)]
    elif dtype.is_integer():
        column = column.cast(pl.Int64, strict=False)
        exact += [_binned(width) for width in _WIDTHS[1:]]
    elif dtype.is_numeric():
        column = column.cast(pl.Float64)
        column = pl.select(pl.when(column.is_finite()).then(column).alias(column.name)).to_series()
        exact += [_binned(width) for width in (*_FRACTIONS, *_WIDTHS)]
    elif isinstance(dtype, pl.Date | pl.Datetime):
        exact += [_cut(name, every) for name, every in _PERIODS.items()]
    elif dtype != pl.Boolean:
        column = pl.repeat(OTHER, column.len(), eager=True).alias(column.name)
    return Ladder(column, (*exact, ("emptied", hide)))


def finest(found: Ladder, k: int) -> int:
    """Find the first step at which at most :data:`TOLERATED_SHARE` of users hold rare values.

    A text column stays at its first step: its rare values become :data:`OTHER`, the others need
    not change.
    """
    if found.column.dtype == pl.String:
        return 0
    low, high = 0, len(found.steps) - 1
    while low < high:  # Bins nest, so the share of rare values falls from step to step.
        middle = (low + high) // 2
        if _share_of_rare(found.at(middle), k) <= TOLERATED_SHARE:
            high = middle
        else:
            low = middle + 1
    return low


def hide(column: pl.Series, where: pl.Series | None = None) -> pl.Series:
    """Hide cells: :data:`OTHER` in text columns, empty in all others.

    Args:
        column: The cells.
        where: Which of them; ``None`` hides all.
    """
    nothing = OTHER if column.dtype == pl.String else None
    if where is None:
        hidden = pl.repeat(nothing, column.len(), dtype=column.dtype)
    else:
        hidden = pl.when(where).then(pl.lit(nothing, column.dtype)).otherwise(column)
    return pl.select(hidden.alias(column.name)).to_series()


def is_hidden(column: pl.Series) -> pl.Series:
    """Say of each cell whether it tells nothing: hidden, or empty from the start."""
    return column.is_null() | (column == OTHER) if column.dtype == pl.String else column.is_null()


def hide_rare(column: pl.Series, k: int) -> pl.Series:
    """Hide every value that fewer than ``k`` users hold, and never fewer than ``k`` users.

    If too few cells are hidden, one of them could still be told apart by being hidden; the next
    rarest values are then hidden too.

    Args:
        column: One cell a user.
        k: Fewest users of a value.

    Example:
        >>> hide_rare(pl.Series("city", ["Oslo"] * 3 + ["Bergen"] * 2 + ["Bodø"]), 2).to_list()
        ['Oslo', 'Oslo', 'Oslo', 'OTHER', 'OTHER', 'OTHER']
    """
    counts = column.alias("value").value_counts(name="n").sort("n", "value")
    if column.dtype == pl.String:
        known = counts.filter(pl.col("value").ne_missing(OTHER))
    else:
        known = counts.filter(pl.col("value").is_not_null())
    before = column.len() - int(known["n"].sum()) + known["n"].cum_sum() - known["n"]
    needed = (known["n"] < k) | ((before > 0) & (before < k))
    rare = known.filter(needed)["value"]
    if rare.is_empty():
        return column
    return hide(column, column.is_in(rare.implode(), nulls_equal=True))


def _share_of_rare(column: pl.Series, k: int) -> float:
    n = column.drop_nulls().alias("value").value_counts(name="n")["n"]
    return float(n.filter(n < k).sum()) / max(column.len(), 1)


def _binned(width: float) -> tuple[str, Coarsen]:
    """Tell a number by the middle of its bin, which lies in the same bin when binned again."""

    def coarsen(column: pl.Series) -> pl.Series:
        if column.dtype == pl.Int64:
            return (column // int(width)) * int(width) + int(width) // 2
        return ((column / width).floor() + 0.5) * width

    return f"bins of {width:g}", coarsen


def _cut(name: str, every: str) -> tuple[str, Coarsen]:
    return name, lambda column: column.dt.truncate(every)


def _shared_by(n_users: int) -> tuple[str, Coarsen]:
    def coarsen(column: pl.Series) -> pl.Series:
        counts = column.alias("value").value_counts(name="n")
        rare = counts.filter(pl.col("n") < n_users)["value"]
        return hide(column, column.is_in(rare.implode(), nulls_equal=True))

    return f"values of at least {n_users} users", coarsen
