"""How a history grows item by item from what people did: what followed, and who comes back.

In: urns of next items, similar items, the habit of buying again. Out: the next items of many
histories at once.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from shopsynth.generate._draws import DrawTable, Integers, size_bucket
from shopsynth.generate._episodes import Episodes
from shopsynth.generate._histories import EventForm
from shopsynth.generate._repeats import Repeats
from shopsynth.generate._urns import Deal, Urns, runs
from shopsynth.generate._wholes import Wholes

_TRIES = 6
"""Draws of similar items, then as many by popularity, before an unseen item is searched for."""

_MOST = 32
"""Draws of half the items of a history that is still one person's; a shop of few has no other."""

_MEMORY = 0.7
"""What an item counts for after another one. From .4 to .7 all was well on Amazon Beauty."""


@dataclass(frozen=True)
class ItemSteps:
    """What growth over items reads.

    Attributes:
        form: What real events look like.
        urns: Next items.
        neighbours: Similar items, one row an item and an empty one for the start.
        popularity: One row, all items that occur.
        repeats: The habit of buying again.
        episodes: What people did with one item.
        wholes: Histories that must not come again.
        space: ``(n_items, dim)`` in which similar items point the same way.
        order: Longest context, in items.
        rounds: Exchanges of next items between histories, for the sake of what came before.
    """

    form: EventForm
    urns: Urns
    neighbours: DrawTable
    popularity: DrawTable
    repeats: Repeats
    episodes: Episodes
    wholes: Wholes
    space: NDArray[np.float32]
    order: int
    rounds: int

    def begin(self, random: np.random.Generator) -> "ItemGrowth":
        """Begin a sample; see :class:`Steps` of ``_growth``."""
        return ItemGrowth(self, Deal.begin(self.urns, random), self.space[:0])

    def rows_of(
        self, items: NDArray[np.int32], offsets: NDArray[np.int64], random: np.random.Generator
    ) -> NDArray[np.int64]:
        """Draw a real event of each item, those of one history from one person's."""
        if not self.form.carried.width:
            return np.zeros(items.size, dtype=np.int64)
        user = np.repeat(np.arange(offsets.size - 1), np.diff(offsets))
        return self.episodes.draw(user, items, random)


@dataclass
class ItemGrowth:
    """One sample: the urns as far as they are dealt, and what the histories are about.

    Attributes:
        steps: What was learned.
        deal: The urns.
        taste: ``(n_users, dim)`` fading sum of the items of each history of the block.
    """

    steps: ItemSteps
    deal: Deal
    taste: NDArray[np.float32]

    def next_items(
        self,
        items: NDArray[np.int32],
        places: NDArray[np.int64],
        length: int,
        random: np.random.Generator,
    ) -> NDArray[np.int32]:
        """Draw the next item of each history; see :class:`Growth` of ``_growth``."""
        start = np.full(places.size, self.steps.form.n_items)
        recent: list[Integers] = [
            items[places - back] if back <= length else start
            for back in range(1, self.steps.order + 1)
        ]
        if length == 0:
            contexts = self.steps.urns.find_contexts(recent, random)
            drawn, _ = self.deal.draw(start, contexts)
            self.taste = self.steps.space[drawn]
            return drawn
        seen = items[places[:, None] - np.arange(1, length + 1)]
        again, old = self.steps.repeats.draw_items(seen, length, random)
        stays = ~again & (random.random(places.size) < self.steps.urns.trust[recent[0]])
        urn = np.where(stays, recent[0].astype(np.int64), -1)
        drawn, served = self.deal.draw(urn, self.steps.urns.find_contexts(recent, random))
        self._exchange(drawn, urn, served, seen)
        drawn[again] = old
        self._renew(drawn, recent[0], seen, np.flatnonzero(~again), random)
        self.taste = _MEMORY * self.taste[: places.size] + self.steps.space[drawn]
        return drawn

    def finish(
        self, items: NDArray[np.int32], offsets: NDArray[np.int64], random: np.random.Generator
    ) -> None:
        """Change histories that are one person's; see ``_growth``.

        They get another last item. Where each of them makes somebody else's, they are shuffled;
        where that does not help either, half of their items are drawn by popularity.
        """
        wholes = self.steps.wholes
        copies = np.flatnonzero(wholes.had(items, offsets))
        changes = [self._change_last] * _TRIES + [_shuffle] * _TRIES + [self._change_half] * _MOST
        for change in changes:
            if not copies.size:
                return
            sizes = offsets[copies + 1] - offsets[copies]
            borders = np.concatenate(([0], np.cumsum(sizes)))
            event = np.arange(borders[-1]) + np.repeat(offsets[copies] - borders[:-1], sizes)
            part = items[event]
            change(part, borders, random)
            items[event] = part
            copies = copies[wholes.had(part, borders)]

    def _change_last(
        self, items: NDArray[np.int32], offsets: NDArray[np.int64], random: np.random.Generator
    ) -> None:
        """Draw an unseen last item, in place, one similar to that before it if there is one."""
        last = offsets[1:] - 1
        bucket = size_bucket(np.diff(offsets))
        for length in np.unique(bucket):  # Histories of about one length share a matrix.
            rows = np.flatnonzero(bucket == length)
            back = np.arange((last - offsets[:-1])[rows].max() + 1)
            seen = items[np.maximum(last[rows, None] - back, offsets[rows, None])]
            drawn = np.full(rows.size, -1, dtype=np.int32)
            self._renew(drawn, items[last[rows] - 1], seen, np.arange(rows.size), random)
            known = (seen == drawn[:, None]).any(axis=1)
            items[last[rows]] = np.where(known, seen[:, 0], drawn)

    def _change_half(
        self, items: NDArray[np.int32], _: NDArray[np.int64], random: np.random.Generator
    ) -> None:
        """Draw about half of all items anew by popularity, in place."""
        place = np.flatnonzero(random.random(items.size) < 0.5)
        row = np.zeros(place.size, dtype=np.int64)
        items[place] = self.steps.popularity.draw(row, random.random(place.size))

    def _exchange(
        self,
        drawn: NDArray[np.int32],
        urn: NDArray[np.int64],
        served: NDArray[np.int64],
        seen: NDArray[np.int32],
    ) -> None:
        """Let pairs of histories at one urn exchange next items, in place, where both gain.

        A history then goes on with what suits all of it and not its last item alone; how often
        which item follows which stays as it was.
        """
        starts, sizes = runs(urn[served])
        rank = np.arange(served.size) - np.repeat(starts, sizes)
        size = np.repeat(sizes, sizes)
        for step in range(self.steps.rounds):
            # Each round pairs everyone with somebody else of the urn.
            partner = rank ^ (1 << step)
            one = np.flatnonzero((rank < partner) & (partner < size))
            if not one.size:
                return
            left, right = served[one], served[one + (1 << step)]
            gain = np.einsum(
                "ij,ij->i",
                self.taste[left] - self.taste[right],
                self.steps.space[drawn[right]] - self.steps.space[drawn[left]],
            )
            wanted = np.flatnonzero(gain > 0)
            left, right = left[wanted], right[wanted]
            known = (seen[left] == drawn[right, None]).any(axis=1)
            known |= (seen[right] == drawn[left, None]).any(axis=1)
            left, right = left[~known], right[~known]
            drawn[left], drawn[right] = drawn[right], drawn[left]

    def _renew(
        self,
        drawn: NDArray[np.int32],
        last: Integers,
        seen: NDArray[np.int32],
        open_: NDArray[np.int64],
        random: np.random.Generator,
    ) -> None:
        """Draw, in place, where nothing was dealt or a known item was."""
        popularity = self.steps.popularity
        for attempt in range(2 * _TRIES):
            due = (drawn[open_] < 0) | (seen[open_] == drawn[open_, None]).any(axis=1)
            open_ = open_[due]
            if not open_.size:
                return
            if attempt < _TRIES:
                drawn[open_] = self.steps.neighbours.draw(last[open_], random.random(open_.size))
            else:
                row = np.zeros(open_.size, dtype=np.int64)
                drawn[open_] = popularity.draw(row, random.random(open_.size))
        for place in open_[(seen[open_] == drawn[open_, None]).any(axis=1)]:
            unseen = np.setdiff1d(popularity.choices, seen[place])
            # Who has everything can only buy again.
            drawn[place] = random.choice(unseen) if unseen.size else drawn[place]


def _shuffle(
    items: NDArray[np.int32], offsets: NDArray[np.int64], random: np.random.Generator
) -> None:
    """Put the items of each history into another order, in place."""
    user = np.repeat(np.arange(offsets.size - 1), np.diff(offsets))
    items[:] = items[np.lexsort((random.random(items.size), user))]
