"""How much of a history the nearest of many others holds.

In: histories as item sets. Out: for each asked one, the most it shares with any known one.
"""

from typing import TYPE_CHECKING

import numpy as np

from shopsynth.evaluate.histories import Histories

if TYPE_CHECKING:
    from scipy.sparse import csr_array

_CELLS = 20_000_000
"""Asked times known histories compared at once: 80 MB."""


def item_sets(histories: Histories, users: np.ndarray | None = None) -> "csr_array":
    """Return users' item sets, shape ``(users, n_items)``, entries 0 or 1.

    Args:
        histories: Who bought what.
        users: User numbers to keep, in that order; all if not given.
    """
    from scipy.sparse import csr_array

    user, item = np.divmod(histories.pairs(), max(histories.n_items, 1))
    shape = (histories.n_users, histories.n_items)
    sets = csr_array((np.ones(user.size, dtype=np.float32), (user, item)), shape=shape)
    return sets if users is None else sets[users]


def most_shared(
    asked: "csr_array", known: "csr_array", own: np.ndarray | None = None
) -> np.ndarray:
    """Return the largest inner product of each asked row with a known one, shape ``(asked,)``.

    Args:
        asked: Item sets, or sets weighted by item; shape ``(asked, n_items)``.
        known: Item sets, shape ``(known, n_items)``.
        own: The known row that is the asked one itself and does not count, -1 for none.
    """
    return _best(asked, known, own, jaccard=False)


def best_jaccard(
    asked: "csr_array", known: "csr_array", own: np.ndarray | None = None
) -> np.ndarray:
    """Return each asked set's Jaccard similarity to the most similar known one; 0 for none.

    Arguments as in :func:`most_shared`; both are sets.
    """
    return _best(asked, known, own, jaccard=True)


def _best(
    asked: "csr_array", known: "csr_array", own: np.ndarray | None, *, jaccard: bool
) -> np.ndarray:
    best = np.zeros(asked.shape[0])
    if not known.shape[0]:
        return best
    turned = known.T.tocsr()
    mine, theirs = (each.sum(axis=1, dtype=np.float32) for each in (asked, known))
    step = max(1, _CELLS // known.shape[0])
    for first in range(0, asked.shape[0], step):
        rows = slice(first, first + step)
        common = (asked[rows] @ turned).toarray()
        if jaccard:
            common /= np.maximum(np.add.outer(mine[rows], theirs) - common, 1)
        if own is not None:
            here = np.flatnonzero(own[rows] >= 0)
            common[here, own[rows][here]] = 0
        best[rows] = common.max(axis=1)
    return best
