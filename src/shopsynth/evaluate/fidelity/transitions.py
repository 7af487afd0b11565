"""Next-item pairs of later real histories: how many of them synthetic histories hold already.

In: train, later real and synthetic histories. Out: shares, beside what train itself and ItemKNN of
train hold.
"""

from itertools import pairwise

import numpy as np
from scipy import sparse

from shopsynth.evaluate.fidelity.base import Row
from shopsynth.evaluate.histories import Histories, distinct

_NEWEST = 100
"""Distinct items of a user that pairs are counted of: their number grows with the square."""

_SHRINK = 10.0
"""Buyers in common at which a similarity counts half, as ItemKNN's default in the train room."""

_PAIRS_AT_ONCE = 10_000_000
"""Pairs of purchases multiplied at a time: bounds memory to some 500 MB."""


def transition_rows(train: Histories, later: Histories, made: Histories) -> list[Row]:
    """Compare the next-item pairs of later histories with those that are held.

    Args:
        train: Real histories the synthesizer may have learned from.
        later: Real later histories.
        made: Synthetic histories, of as many users as train has.
    """
    n_items = train.n_items
    wanted, held = np.sort(pair_codes(later)), distinct(pair_codes(made))
    covered = _share(wanted, held)
    proposed = item_knn_pairs(train, held.size)
    return [
        (
            "next-item pairs of later real histories that occur (1 is best; ceiling: in train)",
            covered,
            _share(wanted, distinct(pair_codes(train))),
        ),
        (
            "next-item pairs of later real histories that occur, beside ItemKNN (1 is best; "
            "ceiling: as many pairs proposed by ItemKNN of train)",
            covered,
            _share(wanted, proposed) if n_items else float("nan"),
        ),
    ]


def pair_codes(histories: Histories) -> np.ndarray:
    """Return the code ``from * n_items + to`` of every two neighbouring events of a user."""
    pairs, _ = histories.runs(2)
    return np.asarray(pairs[:, 0] * histories.n_items + pairs[:, 1])


def _share(wanted: np.ndarray, held: np.ndarray) -> float:
    """Return the share of sorted codes that are among other sorted ones; NaN if none are wanted."""
    if not wanted.size:
        return float("nan")
    place = np.searchsorted(held, wanted)
    found = np.zeros(wanted.size, dtype=bool)
    inside = place < held.size
    found[inside] = held[place[inside]] == wanted[inside]
    return float(found.mean())


def item_knn_pairs(train: Histories, n_pairs: int) -> np.ndarray:
    """Propose the next-item pairs that ItemKNN expects to see most often.

    The expected number of pairs ``i → j`` is ``n_i cos(i, j) / Σ_k cos(i, k)``: ``n_i`` events of
    ``i``, followed by items in proportion to their shrunk cosine over users. An item follows itself
    only where train has such a pair.

    Args:
        train: Real histories.
        n_pairs: How many to propose; fewer where fewer items were ever bought together.

    Returns:
        Sorted codes ``from * n_items + to``.

    Source:
        Sarwar et al., Item-based Collaborative Filtering Recommendation Algorithms, WWW 2001;
        shrunk as in Koren, Factorization Meets the Neighborhood, KDD 2008, section 2.2.
    """
    n_items = train.n_items
    bought = _bought(train)
    codes = pair_codes(train)
    to_itself = bool((codes // max(n_items, 1) == codes % max(n_items, 1)).any())
    buyers = np.asarray(bought.sum(axis=0)).ravel()
    n_events = train.counts()
    best, expected = np.empty(0, dtype=np.int64), np.empty(0, dtype=np.float32)
    for first, last in _blocks(bought, buyers.size):
        found = _expected(bought, buyers, n_events, first, last, to_itself=to_itself)
        best, expected = np.append(best, found[0]), np.append(expected, found[1])
        if best.size > n_pairs:
            kept = _largest(expected, n_pairs)
            best, expected = best[kept], expected[kept]
    return best


def _largest(values: np.ndarray, n: int) -> np.ndarray:
    """Find the ``n`` largest values; of equal ones at the border, the first."""
    border = np.partition(values, values.size - n)[values.size - n] if n else np.inf
    above = np.flatnonzero(values > border)
    equal = np.flatnonzero(values == border)[: n - above.size]
    return np.sort(np.concatenate([above, equal]))


def _bought(train: Histories) -> sparse.csr_matrix:
    """Mark who bought what, newest items first where there are many; ``(user, item)``."""
    ends = np.append(train.starts[1:], train.user.size)
    newest = ends[train.user] - np.arange(train.user.size) <= _NEWEST
    user, item = train.user[newest], train.item[newest]
    ones = np.ones(user.size, dtype=np.float32)
    bought = sparse.csr_matrix((ones, (user, item)), shape=(train.n_users, train.n_items))
    bought.data[:] = 1
    return bought


def _blocks(bought: sparse.csr_matrix, n_items: int) -> list[tuple[int, int]]:
    """Cut the items into ranges whose buyers have about :data:`_PAIRS_AT_ONCE` items in all."""
    work = np.cumsum(np.asarray(bought.T @ np.diff(bought.indptr)).ravel())
    total = float(work[-1]) if n_items else 0.0
    edges = np.searchsorted(work, np.arange(_PAIRS_AT_ONCE, total, _PAIRS_AT_ONCE), "left")
    borders = np.unique(np.concatenate([[0], edges, [n_items]]))
    return [(int(low), int(high)) for low, high in pairwise(borders)]


def _expected(
    bought: sparse.csr_matrix,
    buyers: np.ndarray,
    n_events: np.ndarray,
    first: int,
    last: int,
    *,
    to_itself: bool,
) -> tuple[np.ndarray, np.ndarray]:
    """Tell the codes of all pairs from some items, rising, and how often each is expected."""
    together = (bought[:, first:last].T @ bought).tocsr()
    together.sort_indices()
    row = np.repeat(np.arange(last - first), np.diff(together.indptr))
    column, common = together.indices, together.data
    if not to_itself:
        others = column != row + first
        row, column, common = row[others], column[others], common[others]
    cosine = common / np.sqrt(buyers[row + first] * buyers[column]) * (common / (common + _SHRINK))
    sums = np.bincount(row, weights=cosine, minlength=last - first)
    expected = n_events[row + first] * cosine / sums[row]
    code = (row + first) * bought.shape[1] + column
    return code.astype(np.int64), expected.astype(np.float32)
