"""A space in which items that the same people bought lie in the same direction.

In: real histories. Out: a vector an item, whose products are about the items' cosines.
"""

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

if TYPE_CHECKING:  # Users' attributes, which histories are read with, are told by directions, too.
    from shopsynth.generate._histories import Histories

Vectors = NDArray[np.float32]

_LEARNING_ROWS = 100_000
"""Items from which directions are learned; the others are projected on them."""

_EXTRA = 8
_POWER_ITERATIONS = 2
"""Both as Halko et al. advise for spectra that fall slowly."""


def item_space(
    histories: "Histories", n_items: int, *, dim: int, random: np.random.Generator
) -> Vectors:
    """Find the leading directions of the matrix of items and users.

    An item's row has its users, each weighted down by the length of their history, and length 1.

    Args:
        histories: Real events.
        n_items: Size of the catalogue.
        dim: Wanted dimensions; there are fewer where items or users are fewer.
        random: Source of randomness.

    Returns:
        ``(n_items, dim)``; items without events, and directions that are not there, are zero.
    """
    bought, row = np.unique(histories.item, return_inverse=True)
    users = sparse.csr_matrix(
        (np.ones(row.size, dtype=np.float32), (row, histories.user)),
        shape=(bought.size, histories.n_users),
    )
    users.data = np.repeat(np.float32(1.0), users.nnz)  # A user counts once an item.
    users = users @ sparse.diags_array(1 / np.sqrt(histories.lengths), dtype=np.float32)
    norm = np.sqrt(np.asarray(users.multiply(users).sum(axis=1)).ravel())
    users = (sparse.diags_array(1 / norm, dtype=np.float32) @ users).tocsr()
    vectors = principal_rows(users, dim, random)
    space = np.zeros((n_items, dim), dtype=np.float32)
    space[bought, : vectors.shape[1]] = vectors
    return space


def principal_rows(matrix: sparse.csr_matrix, dim: int, random: np.random.Generator) -> Vectors:
    """Project rows on the strongest right singular directions.

    Args:
        matrix: ``(n, n_features)``.
        dim: Greatest number of directions.
        random: Source of randomness.

    Returns:
        ``(n, min(dim, n, n_features))`` float32.

    Source:
        Halko, Martinsson and Tropp, SIAM Review 53(2), 2011, algorithms 4.4 and 5.1.
    """
    used = np.unique(matrix.indices)
    compact = matrix.tocsc()[:, used].tocsr().astype(np.float32)
    learned = compact
    if compact.shape[0] > _LEARNING_ROWS:
        rows = np.sort(random.choice(compact.shape[0], _LEARNING_ROWS, replace=False))
        learned = compact[rows]
    width = min(dim + _EXTRA, *learned.shape)
    if width == 0:
        return np.zeros((matrix.shape[0], 1), dtype=np.float32)
    basis = random.standard_normal((compact.shape[1], width), dtype=np.float32)
    for _ in range(1 + _POWER_ITERATIONS):
        range_ = np.linalg.qr(learned @ basis)[0]
        basis = np.linalg.qr(learned.T @ range_)[0]
    directions = np.linalg.svd(learned @ basis, full_matrices=False)[2][:dim]
    projected: Vectors = (compact @ (basis @ directions.T)).astype(np.float32)
    return projected
