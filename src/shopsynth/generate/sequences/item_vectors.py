"""Where items lie: vectors of what the catalogue says of them and of who bought them together.

In: the catalogue and real histories. Out: one dense vector an item, also of items never bought.
"""

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from shopsynth.generate._content import described
from shopsynth.generate._histories import EventForm, Histories
from shopsynth.generate._item_space import Vectors, principal_rows

_RIDGE = 1.0
"""Penalty on the map from content to company; content rows have length 1, so it counts one item."""


def item_vectors(form: EventForm, histories: Histories | None, *, dim: int, seed: int) -> Vectors:
    """Place every item by content and by company.

    Content is the truncated SVD of TF-IDF; company that of the cosine co-occurrence of items in
    users, taken from the sparse table of users and items itself, so nothing of size items squared
    is made. An item never bought gets the company that ridge regression expects of its content.

    Args:
        form: Holds the catalogue.
        histories: Real events; ``None`` where only the catalogue is known, as in mode dp.
        dim: Greatest number of directions of each part.
        seed: Chooses random projections and the items that directions are learned from.

    Returns:
        ``(n_items, n_directions)``, at most ``2 * dim``; each part of a row has length 1 or less.
        Without content and events a single column of zeros.

    Source:
        Halko, Martinsson and Tropp, SIAM Rev. 53(2), 2011, algorithm 4.4, for the SVD; company as
        in the bipartite spectral embedding of Dhillon, KDD 2001.
    """
    random = np.random.Generator(np.random.PCG64(seed))
    content = described(form.items, form.item_ids)
    told = None if content is None else _unit(principal_rows(content, dim, random))
    if histories is None:
        return np.zeros((form.n_items, 1), dtype=np.float32) if told is None else told
    company, bought = _company(histories, form.n_items, dim, random)
    if told is None:
        return company
    company[~bought] = _expected(told, company, bought)
    return np.hstack([told, company])


def _company(
    histories: Histories, n_items: int, dim: int, random: np.random.Generator
) -> tuple[Vectors, NDArray[np.bool_]]:
    """Embed items by their users; ``(n_items, dim)`` and ``(n_items,)`` whether anybody has it."""
    users_of = sparse.csr_matrix(
        (np.ones(histories.item.size, dtype=np.float32), (histories.item, histories.user)),
        shape=(n_items, histories.n_users),
    )
    users_of.data[:] = 1.0  # Building summed up repeats; a user counts once.
    n_users = np.diff(users_of.indptr)
    n_owned = np.bincount(users_of.indices, minlength=histories.n_users)
    scaled = (
        sparse.diags_array(1 / np.sqrt(np.maximum(n_users, 1)))
        @ users_of
        @ sparse.diags_array(1 / np.sqrt(np.maximum(n_owned, 1)))
    ).tocsr()
    return _unit(principal_rows(scaled, dim, random)), n_users > 0


def _expected(content: Vectors, company: Vectors, bought: NDArray[np.bool_]) -> Vectors:
    """Predict the company of items never bought from their content."""
    known = content[bought]
    gram = known.T @ known + _RIDGE * np.eye(content.shape[1], dtype=np.float32)
    weights = np.linalg.solve(gram, known.T @ company[bought])
    expected: Vectors = (content[~bought] @ weights).astype(np.float32)
    return expected


def _unit(rows: Vectors) -> Vectors:
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    scaled: Vectors = np.divide(rows, lengths, out=np.zeros_like(rows), where=lengths > 1e-6)
    return scaled
