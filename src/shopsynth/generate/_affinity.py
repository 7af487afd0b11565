"""What goes with what: items by who bought them together and by what the catalogue says.

In: real histories, and vectors of the catalogue's content. Out: one weighted matrix from item to
item, and scores of next items for many histories at once: what the best untrained recommender of
the house, the hybrid of both KNNs, knows.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from shopsynth.generate._draws import DrawTable, Floats, Integers
from shopsynth.generate._edits import keep_events
from shopsynth.generate._histories import Histories
from shopsynth.generate._neighbours import bought_together, nearest_rows
from shopsynth.schema import SILENT, Progress

CONTENT_WEIGHTS = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)
_CUTOFF = 10
_MAX_ASKED = 5000
"""Histories asked for a weight: the standard error of NDCG@10 is then near .002."""

_COMMON = 2000
"""Items that share a feature, above which it says little and costs much: every pair that has it is
compared."""

_LONG_AGO = 1e-9
"""Weight of items older than the context: they rank nothing, but they are not bought again."""


@dataclass(frozen=True)
class Affinity:
    """Neighbours of every item, from two sources.

    Both matrices are ``(n_items, n_items)`` float32 with rows of Euclidean length 1, so that a
    row of few neighbours says as much as one of many; a row without neighbours is empty.

    Attributes:
        bought: Cosine of the sets of users (ItemKNN).
        alike: Cosine of content, or ``None`` where the catalogue says nothing.

    Source:
        Deshpande and Karypis, ACM TOIS 22(1), 2004, section 4.2, on rows of length 1.
    """

    bought: sparse.csr_matrix
    alike: sparse.csr_matrix | None

    @classmethod
    def fit(
        cls,
        histories: Histories,
        alike: sparse.csr_matrix | None,
        n_items: int,
        *,
        k: int,
        progress: Progress = SILENT,
    ) -> Self:
        """Find ``k`` neighbours of every item by who bought them.

        Args:
            histories: Real events.
            alike: From :func:`likeness`, or ``None``.
            n_items: Size of the catalogue.
            k: Neighbours kept of each item.
            progress: Listener.
        """
        bought = bought_together(histories, n_items, k=k, progress=progress)
        return cls(_unit_matrix(bought, n_items), alike)

    def mixed(self, content: float) -> sparse.csr_matrix:
        """Weigh both sources.

        Args:
            content: Weight of content in [0, 1]; without content all weight is on the other.

        Returns:
            ``(n_items, n_items)``; the diagonal is minus infinity, which keeps what a history
            has from being proposed to it.
        """
        mix = self.bought
        if self.alike is not None:
            mix = (1.0 - content) * self.bought + content * self.alike
            mix.eliminate_zeros()
        owned = sparse.diags_array(np.full(mix.shape[0], -np.inf, dtype=np.float32))
        return (mix + owned).tocsr().astype(np.float32)


def likeness(
    vectors: sparse.csr_matrix, *, k: int, progress: Progress = SILENT
) -> sparse.csr_matrix:
    """Find ``k`` neighbours of every item by content.

    Features that more than 2,000 items have are not compared; lengths still count them.

    Args:
        vectors: ``(n_items, n_features)`` rows of length 1 or 0.
        k: Neighbours kept of each item.
        progress: Listener.

    Returns:
        ``(n_items, n_items)``, as :attr:`Affinity.alike`.
    """
    everything = np.arange(vectors.shape[0])
    telling = np.bincount(vectors.indices, minlength=vectors.shape[1]) <= _COMMON
    vectors = (vectors @ sparse.diags_array(telling.astype(np.float32))).tocsr()
    vectors.eliminate_zeros()
    table = nearest_rows(vectors, everything, everything, k=k, progress=progress)
    return _unit_matrix(table, everything.size)


def next_scores(
    mixed: sparse.csr_matrix, newest_first: Integers, *, decay: float, context: int
) -> sparse.csr_matrix:
    """Score next items of histories of one length.

    ``score(j) = sum over back of decay**back * mixed[item back, j]``.

    Args:
        mixed: Of :meth:`Affinity.mixed`.
        newest_first: ``(n, length)`` items of each history, the newest first.
        decay: Weight of an event relative to the next newer one.
        context: Newest events that count.

    Returns:
        ``(n, n_items)``, sparse: above 0 where an item is proposed.
    """
    n, length = newest_first.shape
    weight = np.full(length, _LONG_AGO)
    weight[:context] = decay ** np.arange(min(length, context))
    profile = sparse.csr_matrix(
        (
            np.tile(weight.astype(np.float32), n),
            newest_first.ravel(),
            np.arange(0, n * length + 1, length),
        ),
        shape=(n, mixed.shape[0]),
    )
    return (profile @ mixed).tocsr()


def draw_next(
    scores: sparse.csr_matrix, sharpness: float, random: np.random.Generator
) -> NDArray[np.int64]:
    """Draw one item a row, by its positive scores to the power of ``sharpness``.

    Returns:
        ``(n,)`` columns, -1 where no score is above 0.
    """
    n = scores.shape[0]
    row = np.repeat(np.arange(n), np.diff(scores.indptr))
    proposed = scores.data > 0
    row, column, score = row[proposed], scores.indices[proposed], scores.data[proposed]
    firsts = np.searchsorted(row, np.arange(n + 1))
    filled = firsts[1:] > firsts[:-1]
    best = np.ones(n)
    best[filled] = np.maximum.reduceat(score, firsts[:-1][filled])
    # The best of each row weighs 1: no power of a small score can vanish with all of its row.
    cumulative = np.concatenate(([0.0], np.cumsum((score / best[row]) ** sharpness)))
    table = DrawTable(firsts, column.astype(np.int32), cumulative)
    return table.draw(np.arange(n), random.random(n)).astype(np.int64)


def best_content_weight(
    histories: Histories,
    alike: sparse.csr_matrix,
    n_items: int,
    *,
    k: int,
    decay: float,
    context: int,
    random: np.random.Generator,
) -> float:
    """Choose the weight of content that finds the newest items of real histories best.

    The newest item of every history that did not have it before is held out, the rest is counted
    anew, and the weight with the best NDCG@10 wins; of equal ones the smallest. Only rows of the
    view are asked: neither validation nor test.

    Args:
        histories: Real events.
        alike: From :func:`likeness`.
        n_items: Size of the catalogue.
        k: Neighbours kept of each item.
        decay: Weight of an event relative to the next newer one.
        context: Newest events that count.
        random: Chooses whom to ask where there are many.

    Returns:
        One of ``CONTENT_WEIGHTS``; 0.5 where no history can be asked.
    """
    asked = _askable(histories)
    if asked.size == 0:
        return 0.5
    if asked.size > _MAX_ASKED:
        asked = np.sort(random.choice(asked, _MAX_ASKED, replace=False))
    last = histories.offsets[asked + 1] - 1
    kept = np.ones(histories.item.size, dtype=np.bool_)
    kept[last] = False
    affinity = Affinity.fit(keep_events(histories, kept), alike, n_items, k=k)
    gains = np.zeros(len(CONTENT_WEIGHTS))
    length = histories.lengths[asked] - 1
    matrices = [affinity.mixed(weight) for weight in CONTENT_WEIGHTS]
    for size in np.unique(length):
        ends = last[length == size]
        known = histories.item[ends[:, None] - np.arange(1, size + 1)]
        for place, mixed in enumerate(matrices):
            scores = next_scores(mixed, known, decay=decay, context=context)
            gains[place] += _gain(scores, histories.item[ends])
    return CONTENT_WEIGHTS[int(np.argmax(np.round(gains, 6)))]


def _askable(histories: Histories) -> NDArray[np.int64]:
    """Find users whose newest item is new to them and not their only one."""
    user, last = histories.user, histories.offsets[1:] - 1
    is_newest = np.zeros(histories.item.size, dtype=np.bool_)
    is_newest[last] = True
    same = (histories.item == histories.item[last][user]) & ~is_newest
    owned = np.bincount(user[same], minlength=histories.n_users) > 0
    return np.flatnonzero((histories.lengths > 1) & ~owned)


def _gain(scores: sparse.csr_matrix, right: Integers) -> float:
    """Sum NDCG@10 over rows with one right item each; equal scores share their mean rank."""
    n = scores.shape[0]
    target = np.asarray(scores[np.arange(n), right]).ravel()
    row = np.repeat(np.arange(n), np.diff(scores.indptr))
    above = np.bincount(row[scores.data > target[row]], minlength=n)
    level = np.bincount(row[scores.data == target[row]], minlength=n)
    rank = np.where(target > 0, above + (level + 1) / 2, np.inf)
    return float(np.sum(1 / np.log2(rank[rank <= _CUTOFF] + 1)))


def _unit_matrix(table: DrawTable, n_items: int) -> sparse.csr_matrix:
    """Turn neighbours into a matrix with rows of Euclidean length 1."""
    weights: Floats = np.diff(table.cumulative)
    line = np.repeat(np.arange(table.pointers.size - 1), table.sizes())
    length = np.sqrt(np.bincount(line, weights=weights**2, minlength=n_items))
    matrix = sparse.csr_matrix(
        ((weights / length[line]).astype(np.float32), table.choices, table.pointers),
        shape=(n_items, n_items),
    )
    matrix.sort_indices()
    return matrix
