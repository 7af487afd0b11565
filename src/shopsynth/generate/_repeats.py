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
        go_on: ``(most + 1,)`` share of those who had an item so often who had it once more; 0 at
            ``most``, the most often that anybody had one.
    """

    is_repeat: NDArray[np.bool_]
    share: NDArray[np.float64]
    lags: Pool
    readiness: NDArray[np.float64]
    go_on: NDArray[np.float64]

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
            go_on=_go_on(np.diff(np.flatnonzero(np.append(~same, True)))),
        )

    def draw_items(
        self, seen: NDArray[np.int32], length: int | Integers, random: np.random.Generator
    ) -> tuple[NDArray[np.bool_], NDArray[np.int32]]:
        """Draw who repeats and what: what lies as far back as repeats do, and is bought again.

        Nobody has an item more often than anybody had one: who would, does not repeat.

        Args:
            seen: ``(n, longest)`` items of each history, newest first.
            length: Events they have, of all or ``(n,)`` of each.
            random: Source of randomness.

        Returns:
            Who repeats, ``(n,)``, and the item of each of them.
        """
        lengths = np.broadcast_to(length, len(seen))
        again, lag = self.draw(len(seen), lengths, random)
        seen, lengths = seen[again], lengths[again]
        rows = np.arange(lengths.size)
        item = seen[rows, lag - 1]
        weight = self._pull(seen, item)
        at = np.minimum(size_bucket(lengths), self.share.size - 1)
        for candidate in range(1, _CANDIDATES):
            # Every other one from anywhere: what is bought again need not lie where repeats do.
            anywhere = (random.random(rows.size) * lengths).astype(np.int64) + 1
            back = anywhere if candidate % 2 else self.lags.draw(at, random)
            other = seen[rows, (back - 1) % lengths]
            pull = self._pull(seen, other)
            weight += pull
            item = np.where(random.random(rows.size) * weight < pull, other, item)
        again[again] = weight > 0
        return again, item[weight > 0]

    def _pull(self, seen: NDArray[np.int32], item: NDArray[np.int32]) -> NDArray[np.float64]:
        """Weigh one item of each history by how often it is bought again, and after so many."""
        had = np.count_nonzero(seen == item[:, None], axis=1)
        pull: NDArray[np.float64] = (
            self.readiness[item] * self.go_on[np.minimum(had, self.go_on.size - 1)]
        )
        return pull

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


def _go_on(sizes: NDArray[np.int64]) -> NDArray[np.float64]:
    """Compare how many had an item ``k + 1`` times and ``k`` times; ``sizes`` has one a pair."""
    as_often = np.cumsum(np.bincount(sizes)[::-1])[::-1]
    share: NDArray[np.float64] = np.append(as_often[1:], 0) / as_often
    return share
