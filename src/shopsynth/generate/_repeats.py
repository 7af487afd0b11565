"""How often people come back to an item they had, and how long after.

In: real histories. Out: for histories of one length, who repeats and how far back.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from shopsynth.generate._draws import Integers, Pool, size_bucket
from shopsynth.generate._histories import Histories


@dataclass(frozen=True)
class Repeats:
    """The habit of buying again.

    Attributes:
        is_repeat: ``(n_events,)`` real events whose item their user had before.
        share: ``(n_buckets,)`` share of repeats by length of the history before the event.
        lags: Events back to the item's last occurrence, by the same bucket.
    """

    is_repeat: NDArray[np.bool_]
    share: NDArray[np.float64]
    lags: Pool

    @classmethod
    def fit(cls, histories: Histories, n_items: int) -> Self:
        """Count repeats."""
        key = histories.user * n_items + histories.item
        order = np.argsort(key, kind="stable")
        same = np.concatenate(([False], np.diff(key[order]) == 0))
        lag = np.zeros(key.size, dtype=np.int64)
        lag[order[same]] = (np.diff(order, prepend=0))[same]
        is_repeat = lag > 0
        bucket = size_bucket(histories.index)
        n_buckets = int(bucket.max()) + 1
        later = histories.index > 0
        seen = np.bincount(bucket[later], minlength=n_buckets)
        repeated = np.bincount(bucket[is_repeat], minlength=n_buckets)
        return cls(
            is_repeat=is_repeat,
            share=repeated / np.maximum(seen, 1),
            lags=Pool.of(bucket[is_repeat], lag[is_repeat], n_buckets),
        )

    def draw(
        self, n: int, length: int | Integers, random: np.random.Generator
    ) -> tuple[NDArray[np.bool_], NDArray[np.int64]]:
        """Decide for ``n`` histories whose next event is a repeat.

        Args:
            n: Number of histories.
            length: Events they have, of all or ``(n,)`` of each.
            random: Source of randomness.

        Returns:
            Who repeats, ``(n,)``, and how many events back, 1 to ``length``, for each of them.
        """
        lengths = np.broadcast_to(length, n)
        at = np.minimum(size_bucket(lengths), self.share.size - 1)
        again = random.random(n) < self.share[at]
        lag = self.lags.draw(at[again], random)
        return again, (lag - 1) % lengths[again] + 1
