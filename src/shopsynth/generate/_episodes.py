"""What one person did with one item, from first sight to return, for events that carry it on.

In: real histories. Out: for made events, real rows that follow each other as somebody's did.

An item that is looked at, laid into the cart and bought has three events; drawn apart from each
other they would come in any order. So what carries an item of a made history are the events of one
real person with that item, from the first one on.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from shopsynth.generate._draws import Integers
from shopsynth.generate._histories import Histories


@dataclass(frozen=True)
class Episodes:
    """Real events by user and item.

    Attributes:
        rows: ``(n_events,)`` real rows, episode after episode, each in its order.
        starts: ``(n_episodes,)`` where each begins in ``rows``.
        sizes: ``(n_episodes,)`` number of its events.
        keys: ``(n_episodes,)`` ``item * width + size``, rising.
        width: Above every size.
        n_items: Size of the catalogue.
    """

    rows: NDArray[np.int64]
    starts: NDArray[np.int64]
    sizes: NDArray[np.int64]
    keys: NDArray[np.int64]
    width: int
    n_items: int

    @classmethod
    def fit(cls, histories: Histories, n_items: int) -> Self:
        """Collect the episodes of real histories."""
        order, starts, sizes = _groups(histories.user * n_items + histories.item)
        width = int(sizes.max()) + 1
        keys = histories.item[order[starts]].astype(np.int64) * width + sizes
        rising = np.argsort(keys, kind="stable")
        return cls(
            rows=histories.row[order],
            starts=starts[rising],
            sizes=sizes[rising],
            keys=keys[rising],
            width=width,
            n_items=n_items,
        )

    def draw(
        self, user: NDArray[np.int64], item: Integers, random: np.random.Generator
    ) -> NDArray[np.int64]:
        """Draw the real rows that made events carry.

        Of the people who had an item at least so often as the made user, one is drawn; where
        nobody did, one who had it most often, whose last row then repeats.

        Args:
            user: ``(n,)`` user numbers of the events, each user's events in order.
            item: ``(n,)`` item_index, of items that were bought.
            random: Source of randomness.

        Returns:
            ``(n,)`` real rows.
        """
        order, starts, sizes = _groups(user * self.n_items + item)
        of_group = item[order[starts]].astype(np.int64)
        low = np.searchsorted(self.keys, of_group * self.width + np.minimum(sizes, self.width - 1))
        high = np.searchsorted(self.keys, (of_group + 1) * self.width)
        low = np.minimum(low, high - 1)
        drawn = low + (random.random(starts.size) * (high - low)).astype(np.int64)
        occurrence = np.arange(order.size) - np.repeat(starts, sizes)
        episode = np.repeat(drawn, sizes)
        rows = np.empty(order.size, dtype=np.int64)
        rows[order] = self.rows[
            self.starts[episode] + np.minimum(occurrence, self.sizes[episode] - 1)
        ]
        return rows


def _groups(
    keys: NDArray[np.int64],
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Sort equal keys together; return the order, where groups start in it, and their sizes."""
    order = np.argsort(keys, kind="stable")
    starts = np.flatnonzero(np.diff(keys[order], prepend=-1))
    return order, starts, np.diff(np.append(starts, keys.size))
