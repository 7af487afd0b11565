"""A variable-order Markov chain over items, with back-off to neighbours and popularity.

In: real histories. Out: for the last items of many histories at once, a drawn next item.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from shopsynth.generate._draws import DrawTable, Floats, Integers, spread_uniforms
from shopsynth.generate._histories import Histories


@dataclass(frozen=True)
class Level:
    """Transitions after contexts of one length.

    Attributes:
        keys: ``(n_contexts,)`` sorted; a context is the row of the level below, times the number
            of states, plus the item one step further back. Empty at level 1, whose rows are items.
        table: Next items of each context, weighted by count.
        share: ``(n_contexts,)`` probability of drawing from the context and not backing off.
    """

    keys: NDArray[np.int64]
    table: DrawTable
    share: Floats


@dataclass(frozen=True)
class Chain:
    """Next items given up to ``order`` last ones.

    A context seen ``n`` times with ``t`` different next items is trusted with
    ``n / (n + back_off * t)``, else the chain looks at one item less; below one item it takes a
    neighbour of the last item, and an item by popularity where there is none.

    Attributes:
        levels: Contexts of 1, 2, ... items.
        neighbours: Similar items, one row an item and an empty one for the start.
        popularity: One row, all items that occur.

    Source:
        Witten and Bell, IEEE Trans. Inf. Theory 37(4), 1991, method C (``back_off`` = 1).
    """

    levels: tuple[Level, ...]
    neighbours: DrawTable
    popularity: DrawTable

    @classmethod
    def fit(
        cls,
        histories: Histories,
        neighbours: DrawTable,
        counted: NDArray[np.bool_],
        *,
        n_items: int,
        order: int,
        back_off: float,
        min_users: int,
    ) -> Self:
        """Count transitions.

        Args:
            histories: Real events.
            neighbours: Back-off, one row an item.
            counted: ``(n_events,)`` events that count as next items; all count as contexts.
            n_items: Size of the catalogue; ``n_items`` itself is the state before the start.
            order: Longest context.
            back_off: Weight of backing off.
            min_users: Contexts of two and more items need so many users: what one person did
                must not be replayed.
        """
        user, index = histories.user, histories.index
        row = _item_back(histories, index, 1, n_items)
        weights = np.ones(row.size)
        keys, n_rows = np.empty(0, dtype=np.int64), n_items + 1
        levels = []
        for back in range(1, order + 1):
            if back > 1:
                context = row * (n_items + 1) + _item_back(histories, index, back, n_items)
                keys, row = np.unique(context, return_inverse=True)
                n_rows = keys.size
            table = DrawTable.of(row[counted], histories.item[counted], weights[counted], n_rows)
            share = _trust(table, back_off)
            if back > 1:
                share[_n_users(row, user, n_rows) < min_users] = 0.0
            levels.append(Level(keys, table, share))
        popular = histories.item[counted]
        return cls(
            levels=tuple(levels),
            neighbours=neighbours,
            popularity=DrawTable.of(np.zeros_like(popular), popular, np.ones(popular.size), 1),
        )

    def draw(self, recent: list[Integers], random: np.random.Generator) -> NDArray[np.int32]:
        """Draw a next item for each history.

        Args:
            recent: ``order`` arrays ``(n,)``: last items, items before them, and so on.
            random: Source of randomness.

        Returns:
            ``(n,)`` item_index.
        """
        drawn = np.full(recent[0].size, -1, dtype=np.int32)
        for place, row in reversed(list(enumerate(self._rows(recent)))):
            level = self.levels[place]
            open_ = np.flatnonzero((drawn < 0) & (row >= 0))
            uniforms = spread_uniforms(row[open_], random)
            share = level.share[row[open_]]
            taken = uniforms < share
            chosen = open_[taken]
            drawn[chosen] = level.table.draw(row[chosen], uniforms[taken] / share[taken])
        rest = np.flatnonzero(drawn < 0)
        drawn[rest] = self.neighbours.draw(recent[0][rest], random.random(rest.size))
        rest = np.flatnonzero(drawn < 0)
        drawn[rest] = self.draw_popular(rest.size, random)
        return drawn

    def draw_popular(self, n: int, random: np.random.Generator) -> NDArray[np.int32]:
        """Draw ``n`` items by popularity alone."""
        return self.popularity.draw(np.zeros(n, dtype=np.int64), random.random(n))

    def _rows(self, recent: list[Integers]) -> list[NDArray[np.int64]]:
        """Find each history's row at every level, -1 where its context was never seen."""
        n_states = self.levels[0].share.size
        rows = [recent[0].astype(np.int64)]
        for level, item in zip(self.levels[1:], recent[1:], strict=True):
            key = np.where(rows[-1] >= 0, rows[-1] * n_states + item, -1)
            place = np.minimum(np.searchsorted(level.keys, key), level.keys.size - 1)
            rows.append(np.where(level.keys[place] == key, place, -1))
        return rows


def _trust(table: DrawTable, back_off: float) -> Floats:
    seen = table.totals()
    return np.divide(seen, seen + back_off * table.sizes(), out=np.zeros_like(seen), where=seen > 0)


def _n_users(row: Integers, user: NDArray[np.int64], n_rows: int) -> NDArray[np.int64]:
    """Count the different users of each row."""
    width = int(user.max()) + 1
    return np.bincount(np.unique(row * width + user) // width, minlength=n_rows)


def _item_back(
    histories: Histories, index: NDArray[np.int64], back: int, start: int
) -> NDArray[np.int64]:
    """Return the item ``back`` events before each event, ``start`` before the first."""
    place = np.maximum(np.arange(index.size) - back, 0)
    return np.where(index >= back, histories.item[place].astype(np.int64), start)
