"""How a history grows item by item from what people did: the chain, and who comes back.

In: a fitted chain and the habit of buying again. Out: the next items of many histories at once.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from shopsynth.generate._chain import Chain
from shopsynth.generate._draws import Integers
from shopsynth.generate._histories import EventForm
from shopsynth.generate._repeats import Repeats

_TRIES = 6
"""Draws from the chain, then as many by popularity, before an unseen item is searched for."""


@dataclass(frozen=True)
class ItemSteps:
    """Growth by a chain over items.

    Attributes:
        form: What real events look like.
        chain: Next items.
        repeats: The habit of buying again.
        order: Longest context, in items.
    """

    form: EventForm
    chain: Chain
    repeats: Repeats
    order: int

    def next_items(
        self,
        items: NDArray[np.int32],
        places: NDArray[np.int64],
        length: int,
        random: np.random.Generator,
    ) -> NDArray[np.int32]:
        """Draw the next item of each history; see :class:`Steps` of ``_growth``."""
        start = np.full(places.size, self.form.n_items)
        recent: list[Integers] = [
            items[places - back] if back <= length else start for back in range(1, self.order + 1)
        ]
        drawn = self.chain.draw(recent, random)
        if length == 0:
            return drawn
        seen = items[places[:, None] - np.arange(1, length + 1)]
        again, lag = self.repeats.draw(places.size, length, random)
        drawn[again] = seen[again, lag - 1]
        open_ = np.flatnonzero(~again)
        for attempt in range(2 * _TRIES):
            open_ = open_[(seen[open_] == drawn[open_, None]).any(axis=1)]
            if attempt < _TRIES:
                drawn[open_] = self.chain.draw([items_[open_] for items_ in recent], random)
            else:
                drawn[open_] = self.chain.draw_popular(open_.size, random)
        for place in open_[(seen[open_] == drawn[open_, None]).any(axis=1)]:
            unseen = np.setdiff1d(self.chain.popularity.choices, seen[place])
            # Who has everything can only buy again.
            drawn[place] = random.choice(unseen) if unseen.size else drawn[place]
        return drawn

    def rows_of(
        self, items: NDArray[np.int32], offsets: NDArray[np.int64], random: np.random.Generator
    ) -> NDArray[np.int64]:
        """Draw a real event of each item, whatever its history."""
        del offsets
        return self.form.rows_of(items, random)
