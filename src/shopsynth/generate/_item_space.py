"""A space in which items that the same people bought lie in the same direction.

In: real histories. Out: a vector an item, whose products are about the items' cosines.
"""

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from shopsynth.generate._histories import Histories

_SPARE = 8
"""Directions more than wanted, and _ROUNDS of iteration: both as the source advises."""

_ROUNDS = 2


def item_space(
    histories: Histories, n_items: int, *, dim: int, random: np.random.Generator
) -> NDArray[np.float32]:
    """Find the leading directions of the matrix of items and users.

    An item's row has its users, each weighted down by the length of their history, and length 1.

    Args:
        histories: Real events.
        n_items: Size of the catalogue.
        dim: Wanted dimensions; there are fewer where items or users are fewer.
        random: Source of randomness.

    Returns:
        ``(n_items, dim)``; items without events, and directions that are not there, are zero.

    Source:
        Halko, Martinsson and Tropp, SIAM Review 53(2), 2011, algorithms 4.4 and 5.1.
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
    width = min(dim + _SPARE, *users.shape)
    start = random.standard_normal((users.shape[1], width), dtype=np.float32)
    basis = np.linalg.qr(users @ start).Q
    across = users.T.tocsr()
    for _ in range(_ROUNDS):
        basis = np.linalg.qr(users @ np.linalg.qr(across @ basis).Q).Q
    left, values, _ = np.linalg.svd((across @ basis).T, full_matrices=False)
    vectors = (basis @ left * values)[:, :dim]
    space = np.zeros((n_items, dim), dtype=np.float32)
    space[bought, : vectors.shape[1]] = vectors
    return space
