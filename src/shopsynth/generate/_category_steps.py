"""How a history grows over categories: the next category first, then an item of it.

In: a chain over groups of items, popularity inside them, and who comes back. Out: the next items of
many histories at once, and the event types and amounts that they carry.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from shopsynth.generate._draws import DrawTable, Floats, Integers, size_bucket, spread_uniforms
from shopsynth.privacy.mechanisms import PublicGroups

_TRIES = 12
"""Draws of an item by popularity before an unseen one is searched for."""


@dataclass(frozen=True)
class CategorySteps:
    """Growth by a chain over groups of items.

    Attributes:
        groups: The public catalogue.
        transitions: Next groups; one row a group and one, the last, for the start.
        items: Items of each group, by popularity.
        rebuy: ``(n_buckets,)`` share of events that take a known item, among those in a group
            that the history has, by its length.
        types: Next event types, one row a type and one for the start.
        amounts: One row of amounts.
        n_amounts: Amounts there are; rows of the form are type after type, amount by amount.
    """

    groups: PublicGroups
    transitions: DrawTable
    items: DrawTable
    rebuy: Floats
    types: DrawTable
    amounts: DrawTable
    n_amounts: int

    def begin(self, random: np.random.Generator) -> Self:
        """Begin a sample: nothing is used up."""
        del random
        return self

    def next_items(
        self,
        items: NDArray[np.int32],
        places: NDArray[np.int64],
        length: int,
        random: np.random.Generator,
    ) -> NDArray[np.int32]:
        """Draw the next item of each history; see :class:`Growth` of ``_growth``."""
        last = np.full(places.size, self.groups.n_groups, dtype=np.int32)
        if length:
            last = self.groups.group[items[places - 1]]
        group = self.transitions.draw(last, spread_uniforms(last, random))
        return self.items_in(group, items, places, length, random)

    def items_in(
        self,
        group: NDArray[np.int32],
        items: NDArray[np.int32],
        places: NDArray[np.int64],
        length: int,
        random: np.random.Generator,
    ) -> NDArray[np.int32]:
        """Draw an item of each history's next group: one that it had, or a new one by popularity.

        Args:
            group: ``(n,)`` next groups.
            items: As in :meth:`next_items`, like the others.
            places: Likewise.
            length: Likewise.
            random: Source of randomness.

        Returns:
            ``(n,)`` item_index.
        """
        drawn = self.items.draw(group, spread_uniforms(group, random))
        if length == 0:
            return drawn
        seen = items[places[:, None] - np.arange(1, length + 1)]
        same = self.groups.group[seen] == group[:, None]
        bucket = min(int(size_bucket(np.array([length]))[0]), self.rebuy.size - 1)
        again = same.any(axis=1) & (random.random(places.size) < self.rebuy[bucket])
        # One event of the group at random, so that what was often bought is bought again.
        rebuyers = np.flatnonzero(again)
        lag = (same[rebuyers] * (1 - random.random((rebuyers.size, length)))).argmax(axis=1)
        drawn[rebuyers] = seen[rebuyers, lag]
        self._renew(drawn, group, seen, np.flatnonzero(~again), random)
        return drawn

    def _renew(
        self,
        drawn: NDArray[np.int32],
        group: NDArray[np.int32],
        seen: NDArray[np.int32],
        open_: Integers,
        random: np.random.Generator,
    ) -> None:
        """Draw again, in place, where a new item was due and a known one came."""
        for _ in range(_TRIES):
            open_ = open_[(seen[open_] == drawn[open_, None]).any(axis=1)]
            drawn[open_] = self.items.draw(group[open_], random.random(open_.size))
        pointers = self.items.pointers
        for place in open_[(seen[open_] == drawn[open_, None]).any(axis=1)]:
            low, high = pointers[group[place]], pointers[group[place] + 1]
            unseen = np.setdiff1d(self.items.choices[low:high], seen[place])
            # Who has the whole category can only buy again.
            drawn[place] = random.choice(unseen) if unseen.size else drawn[place]

    def finish(
        self, items: NDArray[np.int32], offsets: NDArray[np.int64], random: np.random.Generator
    ) -> None:
        """Change nothing: nobody's history was read."""

    def rows_of(
        self, items: NDArray[np.int32], offsets: NDArray[np.int64], random: np.random.Generator
    ) -> NDArray[np.int64]:
        """Draw an event type after each event's type before, and an amount."""
        start = self.types.sizes().size - 1
        word = np.full(items.size, start, dtype=np.int32)
        lengths = np.diff(offsets)
        for index in range(int(lengths.max())):
            places = offsets[: np.count_nonzero(lengths > index)] + index
            before = word[places - 1] if index else word[places]
            word[places] = self.types.draw(before, spread_uniforms(before, random))
        amount = self.amounts.draw(np.zeros_like(word), random.random(word.size))
        return word.astype(np.int64) * self.n_amounts + amount
