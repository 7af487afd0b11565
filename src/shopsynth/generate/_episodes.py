"""What one person did with one item, from first sight to return, for events that carry it on.

In: real histories. Out: for made events, real rows that follow each other as somebody's did.

An item that is looked at, laid into the cart and bought has three events; drawn apart from each
other they would come in any order. So what carries an item of a made history are the events of one
real person with one item, from the first one on: nothing comes before what it always comes after.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from shopsynth.generate._draws import Integers, Pool
from shopsynth.generate._histories import Histories


@dataclass(frozen=True)
class Episodes:
    """Real events by user and item.

    Attributes:
        rows: ``(n_events,)`` real rows, episode after episode, each in its order.
        starts: ``(n_episodes,)`` where each begins in ``rows``.
        sizes: ``(n_episodes,)`` number of its events.
        keys: ``(n_episodes,)`` ``item * width + size``, rising.
        pointers: ``(n_items + 1,)`` where the episodes of each item begin.
        singles: ``(n_items,)`` episodes of one event of each item.
        by_size: Episodes of all items, by their number of events.
        width: Above every size.
        n_items: Size of the catalogue.
    """

    rows: NDArray[np.int64]
    starts: NDArray[np.int64]
    sizes: NDArray[np.int64]
    keys: NDArray[np.int64]
    pointers: NDArray[np.int64]
    singles: NDArray[np.int64]
    by_size: Pool
    width: int
    n_items: int

    @classmethod
    def fit(cls, histories: Histories, n_items: int) -> Self:
        """Collect the episodes of real histories."""
        order, starts, sizes = _groups(histories.user * n_items + histories.item)
        width = int(sizes.max()) + 1
        keys = histories.item[order[starts]].astype(np.int64) * width + sizes
        rising = np.argsort(keys, kind="stable")
        item, ordered = keys[rising] // width, sizes[rising]
        return cls(
            rows=histories.row[order],
            starts=starts[rising],
            sizes=ordered,
            keys=keys[rising],
            pointers=np.searchsorted(item, np.arange(n_items + 1)),
            singles=np.bincount(item[ordered == 1], minlength=n_items),
            by_size=Pool.of(ordered, np.arange(ordered.size), width),
            width=width,
            n_items=n_items,
        )

    def draw(
        self, user: NDArray[np.int64], item: Integers, random: np.random.Generator
    ) -> NDArray[np.int64]:
        """Draw the real rows that made events carry.

        Of the people who had an item as often as the made user one is drawn, so that as many stop
        at a look as really do; where nobody did, one who had it more often. Where nobody had it so
        often, or at all, it is carried by what somebody did with another item as often.

        Args:
            user: ``(n,)`` user numbers of the events, each user's events in order.
            item: ``(n,)`` item_index.
            random: Source of randomness.

        Returns:
            ``(n,)`` real rows.
        """
        order, starts, sizes = _groups(user * self.n_items + item)
        episode = self._episodes_of(item[order[starts]].astype(np.int64), sizes, random)
        episode = np.repeat(episode, sizes)
        occurrence = np.arange(order.size) - np.repeat(starts, sizes)
        rows = np.empty(order.size, dtype=np.int64)
        rows[order] = self.rows[
            self.starts[episode] + np.minimum(occurrence, self.sizes[episode] - 1)
        ]
        return rows

    def _episodes_of(
        self, item: NDArray[np.int64], wanted: NDArray[np.int64], random: np.random.Generator
    ) -> NDArray[np.int64]:
        """Draw an episode of each item, ``(n,)``, of the ``wanted`` number of events or more."""
        wanted = np.minimum(wanted, self.width - 1)
        low = self.pointers[item]
        high = low + self.singles[item]
        several = np.flatnonzero(wanted > 1)
        key = item[several] * self.width + wanted[several]
        low[several] = np.searchsorted(self.keys, key)
        high[several] = np.searchsorted(self.keys, key + 1)
        longer = np.flatnonzero(low == high)
        high[longer] = self.pointers[item[longer] + 1]
        drawn = low + (random.random(item.size) * (high - low)).astype(np.int64)
        foreign = np.flatnonzero(low == high)
        # Somebody did something so often, or more often: the longest episode is one of them.
        known = np.flatnonzero(np.diff(self.by_size.pointers))
        as_often = known[np.searchsorted(known, wanted[foreign])]
        drawn[foreign] = self.by_size.draw(as_often, random)
        return drawn


def begun_anew(histories: Histories, kept: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Find rows with which the kept events of an item are the first ones of its episode.

    What is cut out of a history may be the end of somebody's way with an item: a purchase that
    nobody looked at before. So the events that stay carry what came first.

    Args:
        histories: Whole histories.
        kept: ``(n_events,)`` which events will stay.

    Returns:
        ``(n_events,)`` real rows; those of the events that go mean nothing.

    Example:
        >>> item, row, none = np.array([5, 8, 5]), np.array([70, 71, 72]), np.zeros(3, dtype=int)
        >>> history = Histories(item, none, none.astype(bool), row, np.array([0, 3]))
        >>> begun_anew(history, np.array([False, True, True]))[1:].tolist()
        [71, 70]
    """
    width = int(histories.item.max()) + 1
    order, starts, sizes = _groups(histories.user * width + histories.item)
    before: NDArray[np.int64] = np.cumsum(kept[order]) - kept[order]
    occurrence: NDArray[np.int64] = before - np.repeat(before[starts], sizes)
    rows = np.empty(order.size, dtype=np.int64)
    rows[order] = histories.row[order[np.repeat(starts, sizes) + occurrence]]
    return rows


def _groups(
    keys: NDArray[np.int64],
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Sort equal keys together; return the order, where groups start in it, and their sizes."""
    order = np.argsort(keys, kind="stable")
    starts = np.flatnonzero(np.diff(keys[order], prepend=-1))
    return order, starts, np.diff(np.append(starts, keys.size))
