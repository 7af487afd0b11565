"""Walks: events user by user in time order, and the public bins that they fall into.

In: protected events. Out: integer arrays for the features beside this file.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import polars as pl
from numpy.typing import NDArray

from shopsynth.schema import Dataset, PrivacyError, order_column

Integers = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class PublicGroups:
    """The declared catalogue: its items and a grouping of them.

    Attributes:
        item_ids: ``(n_items,)`` distinct ids, rising; an item's place is its cell.
        group: ``(n_items,)`` each item's group, 0 to ``n_groups - 1``.
        n_groups: Number of groups with ``other``, the last one: items of no group, and events of
            items that the catalogue lacks.

    Raises:
        PrivacyError: If ids repeat or do not rise, or a group is out of range.
    """

    item_ids: pl.Series
    group: NDArray[np.int32]
    n_groups: int

    def __post_init__(self) -> None:
        rising = bool((self.item_ids.shift(-1) > self.item_ids).all())
        inside = bool(((self.group >= 0) & (self.group < self.n_groups)).all())
        if not rising or not inside or self.group.shape != (self.item_ids.len(),):
            raise PrivacyError(
                "public grouping: expected distinct, sorted item ids with a group below n_groups "
                "each, got others; sort the catalogue by item_id and drop repeated ids"
            )

    @property
    def n_items(self) -> int:
        """Size of the catalogue."""
        return self.item_ids.len()


@dataclass(frozen=True)
class Walk:
    """Events user by user in time order, ties in row order."""

    frame: pl.DataFrame
    first: NDArray[np.bool_]

    @classmethod
    def of(cls, rows: Dataset, *columns: str) -> Self:
        """Sort the events; only the columns that are asked for and exist are carried."""
        events = rows.need("events")
        order = order_column(events)
        wanted = dict.fromkeys(("user_id", order, "item_id", *columns))
        frame = events.select(name for name in wanted if name in events.columns).sort(
            "user_id", order, maintain_order=True
        )
        return cls(frame, changes(frame["user_id"]))

    @property
    def user(self) -> Integers:
        """Each event's user number, ``(n_events,)``."""
        return np.cumsum(self.first) - 1

    @property
    def lengths(self) -> Integers:
        """Each user's number of events, ``(n_users,)``."""
        return np.diff(np.append(np.flatnonzero(self.first), self.first.size))

    @property
    def index(self) -> Integers:
        """Each event's place in its history, from 0."""
        start = np.flatnonzero(self.first)
        return np.arange(self.first.size) - np.repeat(start, self.lengths)

    @property
    def time(self) -> Integers:
        """Microseconds since 1970."""
        return self.frame["timestamp"].to_physical().to_numpy()

    @property
    def opens(self) -> NDArray[np.bool_]:
        """Whether an event is its session's first: by session id, else by time."""
        column = "session_id" if "session_id" in self.frame.columns else "timestamp"
        return self.first | changes(self.frame[column])

    def item(self, groups: PublicGroups) -> Integers:
        """Each event's item cell; unknown items have the last one."""
        return places_in(groups.item_ids, self.frame["item_id"])

    def group(self, groups: PublicGroups) -> Integers:
        """Each event's group."""
        with_other = np.append(groups.group.astype(np.int64), groups.n_groups - 1)
        return with_other[self.item(groups)]


def binned(values: NDArray[Any], bounds: Sequence[float]) -> Integers:
    """Put values into bins by the bins' first values, rising; -1 for what lies below them all.

    Example:
        >>> binned(np.array([1, 3, 9, 0]), (1, 2, 4)).tolist()
        [0, 1, 2, -1]
    """
    return np.searchsorted(np.asarray(bounds), values, side="right") - 1


def places_in(domain: pl.Series, values: pl.Series) -> Integers:
    """Return each value's place in the domain, its size for all that are not in it."""
    places = values.replace_strict(
        domain,
        pl.int_range(domain.len(), dtype=pl.Int64, eager=True),
        default=domain.len(),
        return_dtype=pl.Int64,
    )
    return places.fill_null(domain.len()).to_numpy()


def changes(column: pl.Series) -> NDArray[np.bool_]:
    """Tell which cells differ from the one before; the first one does."""
    differs = column.ne_missing(column.shift(1)).to_numpy().copy()
    differs[:1] = True
    return differs


def seen_before(user: Integers, thing: Integers) -> NDArray[np.bool_]:
    """Tell which events' things their user had in an earlier event."""
    seen = np.ones(user.size, dtype=np.bool_)
    seen[np.unique(user * (int(thing.max(initial=0)) + 1) + thing, return_index=True)[1]] = False
    return seen
