"""Seasons: what sells when, for items and times that were drawn apart from each other.

In: histories with times, and when each item really sold. Out: the same histories with each other's
times.
"""

from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from numpy.typing import NDArray

from shopsynth.generate._draws import Pool
from shopsynth.generate._histories import Histories

_ENOUGH = 64
"""Histories of one length that are matched by the same place: fewer leave gaps between times."""


@dataclass(frozen=True)
class Seasons:
    """When each item was sold.

    Attributes:
        times: Real times by item; microseconds since 1970.
    """

    times: Pool

    @classmethod
    def fit(cls, histories: Histories, n_items: int) -> Self:
        """Collect the times of real events."""
        return cls(Pool.of(histories.item, histories.time, n_items))

    def match(self, histories: Histories, random: np.random.Generator) -> Histories:
        """Deal the times and sessions of histories to others of the same length.

        One place of each history is given a real time of its item. Histories of one length take
        each other's times so that the order of these wishes is kept: lengths, times and sessions
        stay what they were, and at that place an item sells when it sold. The other items follow
        as far as people buy things of one season together.

        Args:
            histories: With times.
            random: Draws the places and the wished times.

        Returns:
            The same items with each other's ``time`` and ``opens``; an item that was never sold
            has no wish of its own.
        """
        group, place = _places(histories.lengths, random)
        at = histories.offsets[:-1] + place
        wish = self.times.draw(histories.item[at], random)
        wanting = np.lexsort((wish, group))
        having = np.lexsort((histories.time[at], group))
        source = np.empty(histories.n_users, dtype=np.int64)
        source[wanting] = having
        taken = np.repeat(histories.offsets[:-1][source], histories.lengths) + histories.index
        return replace(histories, time=histories.time[taken], opens=histories.opens[taken])


def _places(
    lengths: NDArray[np.int64], random: np.random.Generator
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Choose the place that each history is matched by, and number those matched together."""
    n_each = np.bincount(lengths)
    n_places = np.clip(n_each // _ENOUGH, 1, np.maximum(np.arange(n_each.size), 1))[lengths]
    number = (random.random(lengths.size) * n_places).astype(np.int64)
    # Where there are fewer places than events, chance says which.
    shift = random.random(n_each.size)[lengths]
    place = ((number + shift) / n_places * lengths).astype(np.int64)
    return lengths * (int(n_places.max(initial=1)) + 1) + number, np.minimum(place, lengths - 1)
