"""Frequent patterns: items that many people bought in one order within a short while.

In: real histories. Out: ordered pairs and triples of items with the number of their users.

Counting every pair and triple of a window at once needs no search tree: with windows of a few
events there are a few candidates an event, and a triple is only looked at if its pairs are
frequent.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from shopsynth.generate._histories import Histories


@dataclass(frozen=True)
class Patterns:
    """Sequences of different items, in the order of purchase.

    Attributes:
        items: ``(n_patterns, 3)`` item_index, -1 behind the end of shorter ones.
        users: ``(n_patterns,)`` number of people who have each.

    Source:
        Agrawal and Srikant, Mining Sequential Patterns, ICDE 1995: support counts people, and
        parts of a frequent pattern are frequent.
    """

    items: NDArray[np.int32]
    users: NDArray[np.int64]

    @property
    def sizes(self) -> NDArray[np.int64]:
        """Each pattern's number of items, ``(n_patterns,)``."""
        sizes: NDArray[np.int64] = (self.items >= 0).sum(axis=1, dtype=np.int64)
        return sizes

    @classmethod
    def mine(cls, histories: Histories, n_items: int, *, window: int, min_users: int) -> Self:
        """Find all pairs and triples that enough people bought in order within a window.

        Args:
            histories: Real events.
            n_items: Size of the catalogue.
            window: Events from the first item to the last, both counted.
            min_users: People who must have a pattern.

        Returns:
            Pairs, then triples; where no pair is frequent, all single items.
        """
        lags = [_Lag.of(histories, n_items, lag) for lag in range(1, window)]
        pairs, pair_users = _frequent(lags, min_users)
        lags = [lag.only(pairs) for lag in lags]
        triples, triple_users = _frequent(_triples(lags, histories, pairs, n_items), min_users)
        if pairs.size == 0:
            return cls._singles(histories, n_items)
        table = np.full((pairs.size + triples.size, 3), -1, dtype=np.int32)
        table[: pairs.size, 0], table[: pairs.size, 1] = pairs // n_items, pairs % n_items
        pair = pairs[triples // n_items]
        table[pairs.size :, 0], table[pairs.size :, 1] = pair // n_items, pair % n_items
        table[pairs.size :, 2] = triples % n_items
        return cls(table, np.concatenate((pair_users, triple_users)))

    @classmethod
    def _singles(cls, histories: Histories, n_items: int) -> Self:
        owned = np.unique(histories.user * n_items + histories.item) % n_items
        items, users = np.unique(owned, return_counts=True)
        table = np.full((items.size, 3), -1, dtype=np.int32)
        table[:, 0] = items
        return cls(table, users)


@dataclass(frozen=True)
class _Lag:
    """Occurrences of patterns; of pairs, those whose items are so many events apart.

    Attributes:
        first: ``(n,)`` places of first events, rising.
        user: ``(n,)`` their users.
        key: ``(n,)`` the pattern.
    """

    first: NDArray[np.int64]
    user: NDArray[np.int64]
    key: NDArray[np.int64]

    @classmethod
    def of(cls, histories: Histories, n_items: int, lag: int) -> Self:
        """Find all pairs of different items ``lag`` events apart."""
        later = np.flatnonzero(histories.index >= lag)
        later = later[histories.item[later - lag] != histories.item[later]]
        key = histories.item[later - lag].astype(np.int64) * n_items + histories.item[later]
        return cls(later - lag, histories.user[later], key)

    def only(self, keys: NDArray[np.int64]) -> "_Lag":
        """Keep occurrences of the given patterns, and number these in place of their keys."""
        place = np.searchsorted(keys, self.key)
        kept = place < keys.size
        kept[kept] = keys[place[kept]] == self.key[kept]
        return _Lag(self.first[kept], self.user[kept], place[kept])


def _frequent(
    occurrences: list[_Lag], min_users: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the patterns that enough people have, rising, and their numbers of people."""
    if not occurrences:
        return np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64)
    key = np.concatenate([lag.key for lag in occurrences])
    user = np.concatenate([lag.user for lag in occurrences])
    keys, place = np.unique(key, return_inverse=True)
    often = np.bincount(place, minlength=keys.size) >= min_users
    # What is rare among occurrences is rare among users: only the rest is worth a second sort.
    kept = often[place]
    width = int(user.max(initial=0)) + 1
    each = np.unique(place[kept] * width + user[kept]) // width
    users = np.bincount(each, minlength=keys.size)
    frequent = users >= min_users
    return keys[frequent], users[frequent]


def _triples(
    lags: list[_Lag], histories: Histories, pairs: NDArray[np.int64], n_items: int
) -> list[_Lag]:
    """Find triples whose three pairs are all frequent; their key is pair, then third item."""
    size = histories.item.size
    number = []
    for lag in lags:
        of_place = np.full(size, -1, dtype=np.int64)
        of_place[lag.first] = lag.key
        number.append(of_place)
    found = []
    for middle, early in enumerate(lags):
        for end in range(middle + 1, len(lags)):
            # Where the first pair begins, does a frequent one of the second and third item follow?
            reach = early.first + end + 1 < size
            first, user, pair = early.first[reach], early.user[reach], early.key[reach]
            outer, inner = number[end][first], number[end - middle - 1][first + middle + 1]
            whole = (outer >= 0) & (inner >= 0)
            third = pairs[outer[whole]] % n_items
            found.append(_Lag(first[whole], user[whole], pair[whole] * n_items + third))
    return found
