"""What items like a given one got before a given moment: all that is known before a launch.

In: real histories and what the catalogue says of its items. Out: expected takers a window, backed
off from kindred items to their category, their price band and the whole shop.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy import sparse

from shopsynth.generate._content import categories
from shopsynth.generate._draws import DrawTable, Floats, Integers
from shopsynth.generate._histories import EventForm, Histories
from shopsynth.generate._neighbours import nearest_rows
from shopsynth.schema import Progress

NEVER = -1
"""The moment of what did not happen."""

_WINDOWS_DAYS = (28, 7)
_WINDOWS_A_PERIOD = 4
"""A window must fit so often into the period: launches are needed before and after it."""

_MICROSECONDS_A_DAY = 86_400_000_000
_MOST_TICKS = 1 << 31
"""Moments that are told apart: multiplied by 5 M items they still fit 64 bits."""

_NEIGHBOURS = 20
_PRIOR = 2.0
"""Items' worth of trust in the coarser level of knowledge."""

_PRICE_BANDS = 5


@dataclass(frozen=True)
class Marks:
    """Moments by group, as one rising array of ``group * width + tick``."""

    keys: NDArray[np.int64]
    width: int

    @classmethod
    def of(cls, groups: Integers, ticks: Integers, width: int) -> Self:
        """Sort ``(n,)`` ticks, all below ``width``, by ``(n,)`` groups."""
        return cls(np.sort(groups.astype(np.int64) * width + ticks), width)

    def between(
        self, groups: Integers, start: Integers | int, end: Integers | int
    ) -> NDArray[np.int64]:
        """Count each group's marks at ``start <= tick < end``."""
        base = groups.astype(np.int64) * self.width
        low, high = (
            np.searchsorted(self.keys, base + np.clip(tick, 0, self.width)) for tick in (start, end)
        )
        counted: NDArray[np.int64] = high - low
        return counted


@dataclass(frozen=True)
class Clock:
    """Who took what first when, in ticks since the first event; a shop without times has one tick.

    Attributes:
        item: ``(n,)`` item_index, one entry a person and item.
        tick: ``(n,)`` when the person took the item first.
        first: ``(n_items,)`` when anybody did, ``NEVER`` where nobody took it.
        takings: ``tick`` by item.
        start: Microseconds since 1970 of tick 0.
        unit: Microseconds a tick.
        window: Ticks for which launches are watched.
        end: The tick after the last one.
        timed: Whether moments can be told apart.
    """

    item: NDArray[np.int64]
    tick: NDArray[np.int64]
    first: NDArray[np.int64]
    takings: Marks
    start: int
    unit: int
    window: int
    end: int
    timed: bool

    @classmethod
    def of(cls, form: EventForm, histories: Histories) -> Self:
        """Read the first taking of every person and item."""
        pair = histories.user * form.n_items + histories.item
        place = np.unique(pair, return_index=True)[1]  # The first: a user's events are in order.
        item, time = histories.item[place].astype(np.int64), histories.time[place]
        start, period = int(time.min()), int(np.ptp(time))
        timed = "timestamp" in form.columns and period > 0
        unit = max(1, -(-period // _MOST_TICKS))
        tick = (time - start) // unit if timed else np.zeros_like(time)
        end = int(tick.max()) + 1
        first = np.full(form.n_items, end)
        np.minimum.at(first, item, tick)
        return cls(
            item=item,
            tick=tick,
            first=np.where(first == end, NEVER, first),
            takings=Marks.of(item, tick, end + 1),
            start=start,
            unit=unit,
            window=max(1, _window(period) // unit) if timed else end,
            end=end,
            timed=timed,
        )

    @property
    def window_s(self) -> float | None:
        """The window in seconds; ``None`` without times, where all the data are the window."""
        return self.window * self.unit / 1_000_000 if self.timed else None


def _window(period: int) -> int:
    """Choose a window in microseconds: four weeks, one week, or a part of a short period."""
    for days in _WINDOWS_DAYS:
        window = days * _MICROSECONDS_A_DAY
        if _WINDOWS_A_PERIOD * window <= period:
            return window
    return period // _WINDOWS_A_PERIOD


@dataclass(frozen=True)
class Kindred:
    """Groups of items from coarse to fine, and what the catalogue says.

    Attributes:
        clock: When what was taken.
        levels: Groups, ``(n_items,)`` each, with their takings and their first ones by group.
        vectors: ``(n_items, n_features)`` content, or ``None`` where the catalogue is silent.
    """

    clock: Clock
    levels: list[tuple[NDArray[np.int64], Marks, Marks]]
    vectors: sparse.csr_matrix | None

    @classmethod
    def of(cls, form: EventForm, vectors: sparse.csr_matrix | None, clock: Clock) -> Self:
        """Group the catalogue: all of it, by price band, by category."""
        whole = np.zeros(form.n_items, dtype=np.int64)
        sold = np.flatnonzero(clock.first != NEVER)
        width = clock.end + 1
        levels = [
            (
                groups,
                Marks.of(groups[clock.item], clock.tick, width),
                Marks.of(groups[sold], clock.first[sold], width),
            )
            for groups in (whole, _price_bands(form), _categories(form))
            if groups is not None
        ]
        return cls(clock, levels, vectors)

    def expected(self, items: Integers, moments: Integers, progress: Progress) -> Floats:
        """Expect takers a window from what was known before a moment.

        Args:
            items: ``(n,)`` item_index.
            moments: ``(n,)`` ticks.
            progress: Listener.

        Returns:
            ``(n,)``, above 0.
        """
        since = moments - self.clock.window
        known = np.zeros(items.size)
        for place, (groups, taken, opened) in enumerate(self.levels):
            n_taken = taken.between(groups[items], since, moments)
            n_opened = opened.between(groups[items], 0, moments)
            if place == 0:
                # Half a taking: a window in which nobody took anything would have no logarithm.
                known = (n_taken + 0.5) / np.maximum(n_opened, 1)
            else:
                known = (n_taken + _PRIOR * known) / (n_opened + _PRIOR)
        near = self._near(items, progress)
        if near is None:
            return known
        line, neighbour = np.repeat(np.arange(items.size), near.sizes()), near.choices
        weight = np.diff(near.cumulative) * (self.clock.first[neighbour] < moments[line])
        got = self.clock.takings.between(neighbour, since[line], moments[line])
        total = np.bincount(line, weights=weight * got, minlength=items.size)
        trust = np.bincount(line, weights=weight, minlength=items.size)
        mean: Floats = (total + _PRIOR * known) / (trust + _PRIOR)
        return mean

    def _near(self, items: Integers, progress: Progress) -> DrawTable | None:
        """Find each item's neighbours by content among those that were ever taken."""
        if self.vectors is None:
            return None
        sold = np.flatnonzero(self.clock.first != NEVER)
        return nearest_rows(self.vectors, items, sold, k=_NEIGHBOURS, progress=progress)


def _price_bands(form: EventForm) -> NDArray[np.int64] | None:
    """Number each item's fifth of the catalogue's prices; items without one share a number."""
    if "price" not in form.items.columns:
        return None
    listed = form.items.unique("item_id", keep="first").select("item_id", "price")
    wanted = pl.DataFrame({"item_id": form.item_ids})
    prices = wanted.join(listed, on="item_id", how="left", maintain_order="left")["price"]
    values = prices.cast(pl.Float64).to_numpy()
    told = np.isfinite(values)
    if not told.any():
        return None
    edges = np.unique(np.quantile(values[told], np.arange(1, _PRICE_BANDS) / _PRICE_BANDS))
    return np.where(told, np.searchsorted(edges, values, side="right") + 1, 0)


def _categories(form: EventForm) -> NDArray[np.int64] | None:
    found = categories(form.items, form.item_ids)
    return None if found is None else found.astype(np.int64)
