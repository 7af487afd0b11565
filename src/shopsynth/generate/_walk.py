"""A walk on from where histories end, or back from where they begin, item by item.

In: real histories. Out: for given beginnings, the items that a chain lets follow.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from shopsynth.generate._chain import Chain
from shopsynth.generate._draws import DrawTable, Integers, size_bucket
from shopsynth.generate._edits import take_events, turned_round
from shopsynth.generate._histories import Histories
from shopsynth.generate._repeats import Repeats

_BACK_OFF = 1.0
"""Witten-Bell smoothing as published: a walk proposes what may be, it does not replay."""

_TRIES = 6
"""Draws of an item that a history lacks, before the walk ends."""


@dataclass(frozen=True)
class Walk:
    """A chain of variable order in one direction of time.

    A walk ends early where nothing is known to follow: where nobody took a step and no neighbour
    is known, or where all that was drawn is in the history already.

    Attributes:
        chain: Next items.
        known: ``(n_items,)`` whether anything follows an item, a step or a neighbour.
        repeats: The habit of buying again, or ``None`` if nothing may come again.
        order: Longest context, in items.
    """

    chain: Chain
    known: NDArray[np.bool_]
    repeats: Repeats | None
    order: int

    @classmethod
    def fit(
        cls,
        histories: Histories,
        neighbours: DrawTable,
        n_items: int,
        *,
        order: int,
        min_users: int,
        backwards: bool = False,
        again: bool = True,
    ) -> Self:
        """Count transitions; nothing in it is random.

        Args:
            histories: Real events.
            neighbours: Items to back off to, one row an item.
            n_items: Size of the catalogue.
            order: Longest context, in items.
            min_users: Contexts of two and more items need so many users.
            backwards: Whether to learn what came before instead of what came next.
            again: Whether a walk may come back to an item as often as people do.
        """
        if backwards:
            # Items are all that a chain reads: times now fall, and sessions end where they begin.
            histories = take_events(histories, turned_round(histories.offsets))
        repeats = Repeats.fit(histories, n_items)
        chain = Chain.fit(
            histories,
            neighbours.with_empty_row(),
            ~repeats.is_repeat,
            n_items=n_items,
            order=order,
            back_off=_BACK_OFF,
            min_users=min_users,
        )
        stepped = chain.levels[0].share[:n_items] > 0
        known = stepped | (neighbours.sizes() > 0)
        return cls(chain, known, repeats if again else None, order)

    def extend(
        self,
        items: Integers,
        offsets: NDArray[np.int64],
        added: NDArray[np.int64],
        random: np.random.Generator,
    ) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
        """Walk on, all histories of about one length at once.

        Args:
            items: ``(n_events,)`` item_index of the beginnings in the walk's direction, none
                empty.
            offsets: ``(n_users + 1,)`` borders of the beginnings.
            added: ``(n_users,)`` steps wanted.
            random: Source of randomness.

        Returns:
            ``items`` and ``offsets`` of the beginnings with what was added.
        """
        size = np.diff(offsets)
        wanted = size + added
        starts = np.cumsum(wanted) - wanted
        out = np.full(int(wanted.sum()), -1, dtype=np.int32)
        index = np.arange(offsets[-1]) - np.repeat(offsets[:-1], size)
        out[np.repeat(starts, size) + index] = items
        bucket = size_bucket(wanted)
        for length in np.unique(bucket):  # Histories of about one length share a matrix.
            live = np.flatnonzero((bucket == length) & (added > 0))
            while live.size:
                places = starts[live] + size[live]
                drawn = self._next_items(out, places, size[live], random)
                out[places] = drawn
                size[live] += drawn >= 0
                live = live[(drawn >= 0) & (size[live] < wanted[live])]
        return out[out >= 0], np.concatenate(([0], np.cumsum(size)))

    def _next_items(
        self,
        items: NDArray[np.int32],
        places: NDArray[np.int64],
        lengths: NDArray[np.int64],
        random: np.random.Generator,
    ) -> NDArray[np.int32]:
        """Draw the next item of each history, -1 where its walk ends."""
        n_items = self.known.size
        recent: list[Integers] = [
            np.where(lengths >= back, items[np.maximum(places - back, 0)], n_items)
            for back in range(1, self.order + 1)
        ]
        back = np.arange(1, int(lengths.max()) + 1)
        seen = np.where(back <= lengths[:, None], items[np.maximum(places[:, None] - back, 0)], -1)
        drawn = np.full(places.size, -1, dtype=np.int32)
        open_ = np.arange(places.size)
        if self.repeats is not None:
            again, old = self.repeats.draw_items(seen, lengths, random)
            drawn[again] = old
            open_ = np.flatnonzero(~again)
        open_ = open_[self.known[recent[0][open_]]]
        for _ in range(_TRIES):
            drawn[open_] = self.chain.draw([newest[open_] for newest in recent], random)
            open_ = open_[(seen[open_] == drawn[open_, None]).any(axis=1)]
        drawn[open_] = -1
        return drawn
