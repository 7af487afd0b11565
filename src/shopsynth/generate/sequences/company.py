"""What goes with what, as a first guess for the network: the company of the newest items.

In: real histories. Out: for events of real histories, by what *other* users did, and for made ones:
which items come next, as sparse shares.

A network that has read a few thousand histories knows less of rare items than a count of who bought
them together. So it does not start from nothing: it corrects a guess by counts.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from shopsynth.generate._histories import Histories
from shopsynth.generate.sequences.semantic_ids import SemanticIds

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

_REACH = 5
"""Items further apart in a history than this keep no company."""

_BACKWARD = 0.5
"""Weight of the item before, relative to the one after."""

_NEIGHBOURS = 100
"""Neighbours kept of each item."""

_DECAY = 0.6
_CONTEXT = 4
"""Newest events that vote, each with 0.6 of the vote of the next newer one."""

_LEAST_LEFT = 0.1
"""Share of a pair's count that is always left: what was dealt may come once more, but rarely."""

_NOTHING = 1e-9
"""Weights below it are what rounding left of a difference."""


@dataclass(frozen=True)
class Company:
    """Pairs of items near each other in histories, counted by distance.

    Attributes:
        counts: ``(n_items, n_items)``; the strongest entries of each row.
        totals: ``(n_items,)`` sums of all entries of each row.

    Source:
        A language model beside neighbours: Khandelwal et al., kNN-LM, ICLR 2020, arXiv 1911.00172;
        here as a prior and not a mixture, as in products of experts (Hinton, 2002).
    """

    counts: sparse.csr_matrix
    totals: Floats

    @classmethod
    def fit(cls, histories: Histories, is_repeat: NDArray[np.bool_], n_items: int) -> Self:
        """Count the pairs of every user's distinct items.

        Args:
            histories: Real events.
            is_repeat: ``(n_events,)`` events whose item their user had before.
            n_items: Size of the catalogue.
        """
        item, user = histories.item[~is_repeat], histories.user[~is_repeat]
        total = sparse.csr_matrix((n_items, n_items), dtype=np.float64)
        for distance in range(1, _REACH + 1):
            same = user[distance:] == user[:-distance]
            pair = item[:-distance][same], item[distance:][same]
            weight = np.full(pair[0].size, 1 / distance)
            total = total + sparse.csr_matrix((weight, pair), shape=(n_items, n_items))
        total = (total + _BACKWARD * total.T).tocsr()
        return cls(_strongest(total, _NEIGHBOURS), np.asarray(total.sum(axis=1)).ravel())


class Deck:
    """The pairs of real histories, dealt to made ones: what was drawn is drawn less from then on.

    Draws with replacement would give some pairs thrice and others never, and half of what was
    counted would be lost. So each made pair is taken off what is left, as it was counted.

    Args:
        company: The pairs.
        scale: Made histories per real one.

    Source:
        Feedback from what was drawn so far as in herding: Welling, ICML 2009.
    """

    def __init__(self, company: Company, scale: float) -> None:
        counts = company.counts
        self._totals = company.totals
        self._structure = counts.indices, counts.indptr
        row = np.repeat(np.arange(counts.shape[0]), np.diff(counts.indptr))
        self._keys = row * counts.shape[0] + counts.indices
        self._left = counts.data * scale
        self._least = _LEAST_LEFT * counts.data * scale

    def guess(self, seen: Ints, sharpness: float) -> sparse.csr_matrix:
        """Guess the next new item of made histories.

        Args:
            seen: ``(n, length)`` items of each history, the newest first; -1 for none.
            sharpness: Power to which shares are raised.

        Returns:
            ``(n, n_items)`` shares, rows that sum to 1, or to 0 where nothing is known.
        """
        (n, length), n_items = seen.shape, self._totals.size
        newest = seen[:, :_CONTEXT]
        vote = np.broadcast_to(_DECAY ** np.arange(newest.shape[1]), newest.shape)
        row = np.repeat(np.arange(n), length)
        had = _matrix(row, np.maximum(seen, 0).ravel(), np.ones(row.size), (n, n_items))
        known = (newest >= 0) & (self._totals[newest] > _NOTHING)
        row = np.broadcast_to(np.arange(n)[:, None], newest.shape)[known]
        weight = vote[known] / self._totals[newest[known]]
        left = np.maximum(self._left, self._least)
        counts = sparse.csr_matrix((left, *self._structure), shape=(n_items, n_items))
        votes = _matrix(row, newest[known], weight, (n, n_items)) @ counts
        return _shares(votes, had, sharpness)

    def take(self, seen: Ints, item: Ints) -> None:
        """Take the pairs of new items off what is left.

        Args:
            seen: ``(n, length)`` items that each history had before, the newest first.
            item: ``(n,)`` items that they got.
        """
        n_items = self._totals.size
        for back in range(min(_REACH, seen.shape[1])):
            before = seen[:, back]
            known = (before >= 0) & (item >= 0)
            for first, second, weight in (
                (before[known], item[known], 1.0),
                (item[known], before[known], _BACKWARD),
            ):
                key = first * n_items + second
                place = np.minimum(np.searchsorted(self._keys, key), self._keys.size - 1)
                np.subtract.at(self._left, place[self._keys[place] == key], weight / (back + 1))


@dataclass(frozen=True)
class OtherUsers:
    """Guesses for real events from which the user's own pairs are taken out.

    Without that every pair of a real history would be known beforehand, and the network would learn
    to trust the guess blindly.

    Attributes:
        company: All pairs.
        histories: The real events that were counted.
        is_repeat: ``(n_events,)`` events whose item their user had before.
        place: ``(n_events,)`` place of the event's item among its user's distinct ones.
        firsts: Events that are no repeats; user ``u`` has ``pointers[u]:pointers[u + 1]`` of them.
        pointers: ``(n_users + 1,)``.
    """

    company: Company
    histories: Histories
    place: Ints
    firsts: Ints
    pointers: Ints

    @classmethod
    def of(cls, company: Company, histories: Histories, is_repeat: NDArray[np.bool_]) -> Self:
        """Find every event's place among its user's distinct items."""
        user, firsts = histories.user, np.flatnonzero(~is_repeat)
        n_distinct = np.bincount(user[firsts], minlength=histories.n_users)
        pointers = np.concatenate(([0], np.cumsum(n_distinct)))
        width = int(histories.item.max()) + 1
        key = user * width + histories.item
        order = np.argsort(key[firsts])
        first = order[np.searchsorted(key[firsts], key, sorter=order)]
        return cls(company, histories, first - pointers[user], firsts, pointers)

    def guess(self, event: Ints) -> sparse.csr_matrix:
        """Guess the items of real events, ``(n,)``, from those before: ``(n, n_items)`` shares."""
        histories, n_items = self.histories, self.company.totals.size
        # Of these events alone: a batch must not take longer because the shop is larger.
        user = np.searchsorted(histories.offsets, event, side="right") - 1
        shape = event.size, n_items
        index = event - histories.offsets[user]
        row = np.repeat(np.arange(event.size), index)
        back = np.arange(row.size) - np.repeat(np.cumsum(index) - index, index) + 1
        had = _matrix(row, histories.item[event[row] - back], np.ones(row.size), shape)
        votes = sparse.csr_matrix(shape)
        for back_ in range(1, _CONTEXT + 1):
            rows = np.flatnonzero(index >= back_)
            voter = event[rows] - back_
            pairs = [
                self._own_pairs(voter, user[rows], distance)
                for distance in (*range(-_REACH, 0), *range(1, _REACH + 1))
            ]
            item = histories.item[voter]
            left = self.company.totals[item] - sum(weight for _, weight in pairs)
            weight = np.where(
                left > _NOTHING, _DECAY ** (back_ - 1) / np.maximum(left, _NOTHING), 0
            )
            votes = votes + _matrix(rows, item, weight, shape) @ self.company.counts
            for other, own in pairs:
                votes = votes - _matrix(rows, other, weight * own, shape)
        return _shares(votes.tocsr(), had, 1.0)

    def _own_pairs(self, voter: Ints, user: Ints, distance: int) -> tuple[Ints, Floats]:
        """Find what users have at a distance from events, and what each pair counts."""
        place = self.place[voter] + distance
        low, high = self.pointers[user], self.pointers[user + 1]
        there = (place >= 0) & (low + place < high)
        other = self.histories.item[self.firsts[np.where(there, low + place, low)]]
        weight = 1 / distance if distance > 0 else -_BACKWARD / distance
        return other.astype(np.int64), np.where(there, weight, 0.0)


def mass_of_codes(
    ids: SemanticIds, shares: sparse.csr_matrix, level: int, node: Ints
) -> NDArray[np.float32]:
    """Sum the shares of the items behind each code that may come next.

    Args:
        ids: Codes of the catalogue.
        shares: ``(n, n_items)``.
        level: Level of the next code.
        node: ``(n,)`` nodes at which the codes so far arrived.

    Returns:
        ``(n, size of the level)``.
    """
    row = np.repeat(np.arange(node.size), np.diff(shares.indptr))
    item, share = shares.indices, shares.data
    if level:
        below = ids.nodes[item, level - 1] == node[row]
        row, item, share = row[below], item[below], share[below]
    size = ids.sizes[level]
    key = row * size + ids.codes[item, level]
    mass = np.bincount(key, weights=share, minlength=node.size * size)
    return mass.reshape(node.size, size).astype(np.float32)


def _matrix(
    row: Ints, column: NDArray[np.integer], weight: Floats, shape: tuple[int, int]
) -> sparse.csr_matrix:
    return sparse.csr_matrix((weight, (row, column)), shape=shape)


def _shares(
    votes: sparse.csr_matrix, had: sparse.csr_matrix, sharpness: float
) -> sparse.csr_matrix:
    """Take out what a history has, raise to a power, and let rows sum to 1."""
    left = (votes - _OUT * had).tocsr()
    left.data[left.data < _NOTHING] = 0.0
    left.eliminate_zeros()
    row = np.repeat(np.arange(left.shape[0]), np.diff(left.indptr))
    best = np.ones(left.shape[0])
    filled = np.diff(left.indptr) > 0
    best[filled] = np.maximum.reduceat(left.data, left.indptr[:-1][filled]) if row.size else 1.0
    left.data = (left.data / best[row]) ** sharpness
    total = np.bincount(row, weights=left.data, minlength=left.shape[0])
    left.data /= total[row]
    return left


_OUT = 1e9


def _strongest(counts: sparse.csr_matrix, k: int) -> sparse.csr_matrix:
    """Keep each row's ``k`` greatest entries, of equal ones those of smaller columns."""
    row = np.repeat(np.arange(counts.shape[0]), np.diff(counts.indptr))
    order = np.lexsort((counts.indices, -np.round(counts.data, 6), row))
    rank = np.arange(order.size) - counts.indptr[row[order]]
    kept = order[rank < k]
    return _matrix(row[kept], counts.indices[kept], counts.data[kept], counts.shape)
