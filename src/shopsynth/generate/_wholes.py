"""Which histories somebody had, whole.

In: real histories. Out: for made ones, whether one is what a single person did, event by event.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from shopsynth.generate._histories import Histories

_SHORTEST = 4
"""Events from which on a history is one's own: that two people buy the same three is common."""

_BASE = np.uint64(0x9E3779B97F4A7C15)
"""Odd, so that no power of it is lost modulo 2^64."""


@dataclass(frozen=True)
class Wholes:
    """Fingerprints of whole histories that few people had.

    Attributes:
        word: ``(n_items,)`` random number of each item.
        known: ``(n_known,)`` rising fingerprints.
    """

    word: NDArray[np.uint64]
    known: NDArray[np.uint64]

    @classmethod
    def fit(
        cls, histories: Histories, n_items: int, *, min_users: int, random: np.random.Generator
    ) -> Self:
        """Fingerprint the histories that fewer than ``min_users`` people had."""
        word = random.integers(0, 1 << 64, n_items, dtype=np.uint64)
        prints = _fingerprints(word[histories.item], histories.offsets)
        prints, n_users = np.unique(prints[histories.lengths >= _SHORTEST], return_counts=True)
        return cls(word, prints[n_users < min_users])

    def had(self, items: NDArray[np.int32], offsets: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Say which made histories somebody had, ``(n_users,)``; short ones do not count.

        Args:
            items: ``(n_events,)`` item_index.
            offsets: ``(n_users + 1,)`` borders of the histories.
        """
        prints = _fingerprints(self.word[items], offsets)
        long = np.diff(offsets) >= _SHORTEST
        if not self.known.size:
            return np.zeros_like(long)
        place = np.minimum(np.searchsorted(self.known, prints), self.known.size - 1)
        again: NDArray[np.bool_] = long & (self.known[place] == prints)
        return again


def _fingerprints(words: NDArray[np.uint64], offsets: NDArray[np.int64]) -> NDArray[np.uint64]:
    """Sum up words times powers of a base by place, modulo 2^64, ``(n_users,)``."""
    lengths = np.diff(offsets)
    powers = np.full(int(lengths.max(initial=0)), _BASE)
    powers = np.multiply.accumulate(powers) if powers.size else powers
    index = np.arange(words.size) - np.repeat(offsets[:-1], lengths)
    total = np.concatenate(([np.uint64(0)], np.cumsum(words * powers[index], dtype=np.uint64)))
    return total[offsets[1:]] - total[offsets[:-1]]
