"""The calendar: no item sells before its launch, and times of one person stay in order.

In: launch dates of the catalogue, times of events. Out: times that respect both.
"""

from dataclasses import dataclass, replace
from typing import Self

import numpy as np
import polars as pl
from numpy.typing import NDArray

from shopsynth.generate._draws import Integers
from shopsynth.schema import TIMESTAMP

Times = NDArray[np.int64]
"""Microseconds since 1970."""

DAY = 86_400_000_000
"""Microseconds. Sessions a day or more apart each take a time of day of their own."""

_ALWAYS = np.iinfo(np.int64).min // 4
"""The launch of an item that was always there; far enough from the end of the range to subtract."""

_MOST = 1 << 62
"""Times are moved apart by less, so that they stay whole 64-bit numbers."""


@dataclass(frozen=True)
class Launches:
    """Since when each item can be had.

    Attributes:
        first: ``(n_items,)`` first moment of each item; far in the past where none is known.
        end: Last moment of the period.
    """

    first: Times
    end: int

    @classmethod
    def of(cls, items: pl.DataFrame, item_ids: pl.Series, end: int) -> Self | None:
        """Read ``available_at`` of the catalogue.

        Args:
            items: The catalogue.
            item_ids: ``(n_items,)`` all ids, sorted.
            end: Last moment of the period.

        Returns:
            ``None`` where the catalogue tells of no launch.
        """
        if (
            "available_at" not in items.columns
            or items["available_at"].null_count() == items.height
        ):
            return None
        told = items.unique("item_id", keep="first").select(
            "item_id", first=pl.col("available_at").cast(TIMESTAMP).to_physical()
        )
        asked = item_ids.to_frame("item_id")
        first = asked.join(told, on="item_id", how="left", maintain_order="left")["first"]
        return cls(first.fill_null(_ALWAYS).to_numpy().astype(np.int64), end)

    def until_sold(self, item: Integers, time: Times) -> Self:
        """Believe a date no longer than until the first real event of its item."""
        first = self.first.copy()
        np.minimum.at(first, item, time)
        return replace(self, first=first)

    def waited_for(
        self, item: Integers, time: Times, opens: NDArray[np.bool_], user: NDArray[np.int64]
    ) -> Times:
        """Move what would sell before its launch to later days, whole sessions at a time.

        A session moves by whole days, so that it keeps its time of day, and pushes the sessions
        after it only where it would overtake them. An item that is launched after the period
        sells at its launch.

        Args:
            item: ``(n_events,)`` item_index.
            time: ``(n_events,)`` never falling within a user.
            opens: ``(n_events,)`` first events of sessions.
            user: ``(n_events,)`` rising numbers.

        Returns:
            ``(n_events,)`` times, none before its item's launch, none falling within a user.
        """
        launch = self.first[item]
        early = launch - time
        if not (early > 0).any():
            return time
        starts = np.flatnonzero(opens)
        need = np.maximum(np.maximum.reduceat(early, starts), 0)
        need = -(-need // DAY) * DAY
        # Time without a deed before each session, summed up: a push is used up by it.
        free = np.cumsum(time[starts] - time[np.maximum(starts - 1, 0)])
        first_of = np.flatnonzero(np.diff(user[starts], prepend=-1))
        free -= np.repeat(free[first_of], np.diff(np.append(first_of, starts.size)))
        push = rising(need + free, user[starts]) - free
        moved = time + push[np.cumsum(opens) - 1]
        moved = np.minimum(moved, np.maximum(self.end, time))
        return rising(np.maximum(moved, launch), user)


def rising(time: NDArray[np.int64], user: NDArray[np.int64]) -> NDArray[np.int64]:
    """Let no time be before one that its user had before; ``user`` rises."""
    if not time.size:
        return time
    low, span = int(time.min()), int(np.ptp(time)) + 1
    # One running maximum serves all users whose times are moved out of each other's way.
    users_at_once = max(1, _MOST // span)
    risen = np.empty_like(time)
    for first in range(int(user[0]), int(user[-1]) + 1, users_at_once):
        part = slice(*np.searchsorted(user, (first, first + users_at_once)))
        moved = (user[part] - first) * span - low
        risen[part] = np.maximum.accumulate(time[part] + moved) - moved
    return risen
