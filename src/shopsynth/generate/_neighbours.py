"""Similar items: the best neighbours of every item, by who bought them together or by content.

In: histories, or any matrix of unit vectors. Out: a :class:`DrawTable` of neighbours by weight.
"""

from dataclasses import replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from shopsynth.generate._draws import DrawTable, Integers
from shopsynth.generate._histories import Histories
from shopsynth.schema import SILENT, Progress

_BLOCK_PRODUCTS = 1 << 23
"""Products of two numbers, summed up to the similarities that are held at a time: a few hundred MB.
Of 5 M items that hardly anybody has in common with another, many rows fit; of dense ones, few."""

_MOST_PADDING = 4
"""Cells of a padded block per entry, above which its entries are sorted as they are."""


def bought_together(
    histories: Histories,
    n_items: int,
    *,
    k: int,
    category: Integers | None = None,
    progress: Progress = SILENT,
) -> DrawTable:
    """Find each item's best neighbours by the cosine of their sets of users (ItemKNN).

    Args:
        histories: Real events.
        n_items: Size of the catalogue.
        k: Neighbours kept of each item.
        category: ``(n_items,)`` category number; neighbours share it.
        progress: Listener.

    Returns:
        Table with one row an item; its choices are items, never itself.

    Source:
        Deshpande and Karypis, ACM TOIS 22(1), 2004, section 4.1.
    """
    users_of = sparse.csr_matrix(
        (np.ones(histories.item.size, dtype=np.float32), (histories.item, histories.user)),
        shape=(n_items, histories.n_users),
    )
    users_of.data[:] = 1.0  # Building summed up repeats; a user counts once.
    n_users = np.diff(users_of.indptr)
    unit = (sparse.diags_array(1 / np.sqrt(np.maximum(n_users, 1))) @ users_of).tocsr()
    bought = np.flatnonzero(n_users)
    table = nearest_rows(unit, bought, bought, k=k, category=category, progress=progress)
    sizes = np.zeros(n_items, dtype=np.int64)
    sizes[bought] = table.sizes()
    return replace(table, pointers=np.concatenate(([0], np.cumsum(sizes))))


def nearest_rows(
    vectors: sparse.csr_matrix,
    queries: Integers,
    candidates: Integers,
    *,
    k: int,
    least: float = 0.0,
    category: Integers | None = None,
    progress: Progress = SILENT,
) -> DrawTable:
    """Find each query's ``k`` most similar candidates by dot product, ties by row number.

    Args:
        vectors: ``(n, n_features)``.
        queries: ``(n_queries,)`` rows of ``vectors``.
        candidates: ``(n_candidates,)`` rows of ``vectors``, rising; none is its own neighbour.
        k: Candidates kept of each query.
        least: Similarity that a neighbour must exceed.
        category: ``(n,)`` category number of each row; neighbours share it.
        progress: Listener.

    Returns:
        Table with one row a query, in their order; choices are rows of ``vectors``, weighted by
        similarity.
    """
    across = vectors[candidates].T.tocsr()
    asked = vectors[queries]
    borders = _blocks(asked, across)
    progress.start("nearest neighbours", borders.size - 1)
    found: list[tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]] = []
    for start, end in pairwise(borders):
        block = (asked[start:end] @ across).tocoo()
        row, column = block.row.astype(np.int64) + start, candidates[block.col].astype(np.int64)
        usable = (block.data > least) & (queries[row] != column)
        if category is not None:
            usable &= category[queries[row]] == category[column]
        found.append(_best(row[usable], column[usable], block.data[usable].astype(np.float64), k))
        progress.advance()
    rows, columns, weights = (np.concatenate(part) for part in zip(*found, strict=True))
    return DrawTable.of(rows, columns, weights, queries.size)


def _blocks(asked: sparse.csr_matrix, across: sparse.csr_matrix) -> NDArray[np.int64]:
    """Cut rows into blocks of about equal work; one empty block without rows.

    Returns:
        ``(n_blocks + 1,)`` borders.
    """
    products = np.concatenate(([0], np.cumsum(np.diff(across.indptr)[asked.indices])))
    done = products[asked.indptr]
    cuts = np.searchsorted(done, np.arange(_BLOCK_PRODUCTS, done[-1], _BLOCK_PRODUCTS))
    inner = np.unique(cuts[(cuts > 0) & (cuts < asked.shape[0])])
    return np.concatenate(([0], inner, [asked.shape[0]])).astype(np.int64)


def _best(
    row: NDArray[np.int64], column: NDArray[np.int64], weight: NDArray[np.float64], k: int
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
    # Sums of floats depend on their order in the last digits; nearly equal must count as equal.
    weight = np.round(weight, 6)
    hopeful = _hopeful(row, weight, k)
    row, column, weight = row[hopeful], column[hopeful], weight[hopeful]
    order = np.lexsort((column, -weight, row))
    ordered = row[order]
    rank = np.arange(row.size) - np.searchsorted(ordered, ordered, side="left")
    best = order[rank < k]
    return row[best], column[best], weight[best]


def _hopeful(row: NDArray[np.int64], weight: NDArray[np.float64], k: int) -> NDArray[np.int64]:
    """Find the entries that may be among their row's ``k`` best; ``row`` rises.

    Where nearly every pair has something in common, sorting them all takes five times as long.
    """
    firsts = np.flatnonzero(np.diff(row, prepend=-1))
    sizes = np.diff(np.append(firsts, row.size))
    width = int(sizes.max(initial=0))
    if width <= k or sizes.size * width > _MOST_PADDING * row.size:
        return np.arange(row.size)
    line = np.repeat(np.arange(sizes.size), sizes)
    padded = np.full((sizes.size, width), -np.inf)
    padded[line, np.arange(row.size) - firsts[line]] = weight
    padded.partition(width - k, axis=1)
    return np.flatnonzero(weight >= padded[line, width - k])
