"""Histories as integers: the form in which fidelity, audits and pictures read events.

In: an events table. Out: contiguous arrays, by user and in time order.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
import polars as pl

from shopsynth.schema import order_column


@dataclass(frozen=True)
class EventOrder:
    """How the rows of an events table stand by user and time, ties as in the table.

    Attributes:
        user_ids: The users, sorted.
        rows: Row numbers in order. Shape ``(events,)``.
        user: User number of each row in that order. Shape ``(events,)``.
    """

    user_ids: pl.Series
    rows: np.ndarray
    user: np.ndarray

    @classmethod
    def find(cls, events: pl.DataFrame) -> Self:
        """Order the rows: numbers are sorted in a third of the time that strings take.

        Args:
            events: Columns ``user_id`` and ``timestamp`` or ``position``.
        """
        user_ids = events["user_id"].unique().sort()
        numbers = pl.int_range(user_ids.len(), dtype=pl.Int64, eager=True)
        # Of an empty table nothing is replaced, the type included.
        user = (
            events["user_id"]
            .replace_strict(user_ids, numbers, return_dtype=pl.Int64)
            .cast(pl.Int64)
            .to_numpy()
        )
        by_time = np.argsort(events[order_column(events)].to_physical().to_numpy(), kind="stable")
        rows = by_time[np.argsort(user[by_time], kind="stable")]
        return cls(user_ids, rows, user[rows])


@dataclass(frozen=True)
class Histories:
    """Every user's events, one after the other.

    Attributes:
        user: User number of each event, contiguous from 0, ascending. Shape ``(events,)``.
        item: Item number of each event in a shared catalogue. Shape ``(events,)``.
        time_us: Microseconds since 1970 in UTC, or ``None`` where the shop has only an order.
        n_items: Size of the catalogue.
    """

    user: np.ndarray
    item: np.ndarray
    time_us: np.ndarray | None
    n_items: int

    @classmethod
    def encode(
        cls, events: pl.DataFrame, catalogue: pl.Series, order: "EventOrder | None" = None
    ) -> Self:
        """Number users and items.

        Args:
            events: Columns ``user_id``, ``item_id`` and ``timestamp`` or ``position``.
            catalogue: Item ids that :func:`shared_catalogue` made from this table among others.
            order: Of these events, where it is known already.
        """
        order = order or EventOrder.find(events)
        numbers = pl.int_range(catalogue.len(), dtype=pl.Int64, eager=True)
        # Of an empty catalogue nothing is replaced, the type included.
        item = (
            events["item_id"]
            .replace_strict(catalogue, numbers, return_dtype=pl.Int64)
            .cast(pl.Int64)
            .to_numpy()
        )
        timed = "timestamp" in events.columns
        time = events["timestamp"].to_physical().to_numpy() if timed else None
        return cls(
            user=order.user,
            item=item[order.rows],
            time_us=None if time is None else time[order.rows],
            n_items=catalogue.len(),
        )

    @property
    def n_users(self) -> int:
        """Number of users."""
        return int(self.user[-1]) + 1 if self.user.size else 0

    @property
    def starts(self) -> np.ndarray:
        """Number of each user's first event, shape ``(users,)``."""
        return np.searchsorted(self.user, np.arange(self.n_users))

    def lengths(self) -> np.ndarray:
        """Events of each user, shape ``(users,)``."""
        return np.bincount(self.user, minlength=self.n_users)

    def counts(self) -> np.ndarray:
        """Events of each item, shape ``(n_items,)``."""
        return np.bincount(self.item, minlength=self.n_items)

    def gaps_days(self) -> np.ndarray:
        """Days between a user's neighbouring events; empty without times."""
        if self.time_us is None:
            return np.empty(0)
        return np.asarray(np.diff(self.time_us)[self._same_user(1)] / 86_400e6)

    def hours(self) -> np.ndarray:
        """Hour of day of each event, UTC, 0 to 23; empty without times."""
        if self.time_us is None:
            return np.empty(0, dtype=np.int64)
        return np.asarray(self.time_us // 3_600_000_000 % 24)

    def runs(self, length: int) -> tuple[np.ndarray, np.ndarray]:
        """Return every run of neighbouring items inside one history.

        Args:
            length: Items in a run, at least 2.

        Returns:
            The runs, shape ``(runs, length)``, and the user number of each, shape ``(runs,)``.
        """
        if self.item.size < length:
            return np.empty((0, length), dtype=np.int64), np.empty(0, dtype=np.int64)
        inside = self._same_user(length - 1)
        windows = np.lib.stride_tricks.sliding_window_view(self.item, length)
        return windows[inside], self.user[: inside.size][inside]

    def pairs(self) -> np.ndarray:
        """Each user's distinct items as sorted codes ``user * n_items + item``."""
        return distinct(self.user * self.n_items + self.item)

    def select(self, keep: np.ndarray) -> Self:
        """Keep some users and number them anew.

        Args:
            keep: Truth value of each user, shape ``(users,)``.
        """
        inside = keep[self.user]
        number = np.cumsum(keep) - 1
        time = None if self.time_us is None else self.time_us[inside]
        return type(self)(number[self.user[inside]], self.item[inside], time, self.n_items)

    def _same_user(self, distance: int) -> np.ndarray:
        return np.asarray(self.user[distance:] == self.user[: self.user.size - distance])


def shared_catalogue(tables: Sequence[pl.DataFrame]) -> pl.Series:
    """Return the distinct item ids of several events tables, sorted."""
    return pl.concat([table["item_id"] for table in tables]).unique().sort()


def distinct(values: np.ndarray) -> np.ndarray:
    """Return the distinct numbers, sorted: of large arrays much faster than ``np.unique``."""
    ordered = np.sort(values)
    is_first = np.concatenate([np.ones(min(ordered.size, 1), bool), ordered[1:] != ordered[:-1]])
    return np.asarray(ordered[is_first])
