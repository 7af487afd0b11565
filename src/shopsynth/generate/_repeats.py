"""How often people come back to an item they had, and how long after.

In: real histories. Out: for histories of one length, who repeats and how far back.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from shopsynth.generate._draws import Integers, Pool, size_bucket
from shopsynth.generate._histories import Histories

_CANDIDATES = 4
"""Earlier events of which the item most often bought again is likeliest to be."""

_DOUBT = 2.0
"""Events of an average item that every item is told to have had besides its own."""


@dataclass(frozen=True)
class Repeats:
    """The habit of buying again.

    Attributes:
        is_repeat: ``(n_events,)`` real events whose item their user had before.
        share: ``(n_buckets,)`` share of repeats by length of the history before the event.
        lags: Events back to the item's last occurrence, by the same bucket.
        readiness: ``(n_items,)`` share of repeats among an item's events, drawn to the average.
    """

    is_repeat: NDArray[np.bool_]
    share: NDArray[np.float64]
    lags: Pool
    readiness: NDArray[np.float64]

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
            readiness=_readiness(histories.item, is_repeat, n_items),
        )

    def draw_items(
        self, seen: NDArray[np.int32], length: int | Integers, random: np.random.Generator
    ) -> tuple[NDArray[np.bool_], NDArray[np.int32]]:
        """Draw who repeats and what: what lies as far back as repeats do, and is bought again.

        Args:
            seen: ``(n, longest)`` items of each history, newest first.
            length: Events they have, of all or ``(n,)`` of each.
            random: Source of randomness.

        Returns:
            Who repeats, ``(n,)``, and the item of each of them.
        """
        lengths = np.broadcast_to(length, len(seen))
        again, lag = self.draw(len(seen), lengths, random)
        rows, lengths = np.flatnonzero(again), lengths[again]
        item = seen[rows, lag - 1]
        weight = self.readiness[item]
        at = np.minimum(size_bucket(lengths), self.share.size - 1)
        for candidate in range(1, _CANDIDATES):
            # Every other one from anywhere: what is bought again need not lie where repeats do.
            anywhere = (random.random(rows.size) * lengths).astype(np.int64) + 1
            back = anywhere if candidate % 2 else self.lags.draw(at, random)
            other = seen[rows, (back - 1) % lengths]
            weight += self.readiness[other]
            taken = random.random(rows.size) * weight < self.readiness[other]
            item = np.where(taken, other, item)
        return again, item

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


def _readiness(item: Integers, is_repeat: NDArray[np.bool_], n_items: int) -> NDArray[np.float64]:
    events = np.bincount(item, minlength=n_items)
    repeated = np.bincount(item[is_repeat], minlength=n_items)
    average = max(float(is_repeat.mean()), 1 / is_repeat.size)
    share: NDArray[np.float64] = (repeated + _DOUBT * average) / (events + _DOUBT)
    return share
