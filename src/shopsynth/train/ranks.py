"""From scores to ranked lists, with ties told honestly.

In: a dense array of scores, one row a unit. Out: the best items of each row and their mean ranks.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

EXCLUDED = np.float32(-np.inf)
"""Score of an item that must not be listed at all."""

UNKNOWN = np.finfo(np.float32).min
"""Score of an item the model never saw: listed after all others, in one tie."""


@dataclass(frozen=True)
class TopItems:
    """The listed items of a batch, flat, by row and from the best to the worst.

    Attributes:
        rows: ``(listed,)`` row of the score array.
        items: ``(listed,)`` column of the score array.
        scores: ``(listed,)`` float32.
        ranks: ``(listed,)`` float64 from 1; equal scores share the mean of their places, also of
            the places beyond the list.
    """

    rows: NDArray[np.int64]
    items: NDArray[np.int64]
    scores: Floats
    ranks: NDArray[np.float64]


def top_items(scores: Floats, k: int) -> TopItems:
    """List the best ``k`` items of every row; equal scores are listed in column order.

    Args:
        scores: ``(row, item)`` float32, no NaN. :data:`EXCLUDED` items are left out, so a list
            may be shorter than ``k``.
        k: Length of a list, at least 1.

    Example:
        >>> top = top_items(np.array([[1.0, 3.0, 1.0, 1.0]], dtype=np.float32), 2)
        >>> top.items.tolist(), top.ranks.tolist()
        ([1, 0], [1.0, 3.0])
    """
    n_rows, n_items = scores.shape
    k = min(k, n_items)
    if n_rows == 0 or k == 0:
        none = np.zeros((0, 0), dtype=np.float32)
        return _flat(none.astype(np.int64), none, none.astype(np.float64))
    threshold = np.partition(scores, n_items - k, axis=1)[:, n_items - k, None]
    columns = _listed_columns(scores, threshold, k)
    listed = np.take_along_axis(scores, columns, axis=1)
    order = np.argsort(-listed, axis=1, kind="stable")
    columns = np.take_along_axis(columns, order, axis=1)
    listed = np.take_along_axis(listed, order, axis=1)
    return _flat(columns, listed, _mean_ranks(listed, (scores == threshold).sum(axis=1)))


def _listed_columns(scores: Floats, threshold: Floats, k: int) -> NDArray[np.int64]:
    """Choose exactly ``k`` columns a row: all above the threshold, then the first that equal it."""
    chosen = scores >= threshold
    crowded = np.flatnonzero(chosen.sum(axis=1) > k)
    if len(crowded):
        above = scores[crowded] > threshold[crowded]
        level = scores[crowded] == threshold[crowded]
        room = k - above.sum(axis=1, keepdims=True)
        chosen[crowded] = above | (level & (np.cumsum(level, axis=1, dtype=np.int32) <= room))
    return np.nonzero(chosen)[1].reshape(len(scores), k)


def _mean_ranks(listed: Floats, n_level: NDArray[np.int64]) -> NDArray[np.float64]:
    """Rank sorted rows; ``n_level`` items of the whole row equal the last listed score."""
    n_rows, k = listed.shape
    places = np.arange(k)
    differs = listed[:, 1:] != listed[:, :-1]
    edge = np.ones((n_rows, 1), dtype=bool)
    first = np.maximum.accumulate(np.where(np.hstack([edge, differs]), places, 0), axis=1)
    ends = np.where(np.hstack([differs, edge]), places, k)
    last = np.minimum.accumulate(ends[:, ::-1], axis=1)[:, ::-1]
    at_end = last == k - 1
    last = np.where(at_end, first + n_level[:, None] - 1, last)
    ranks: NDArray[np.float64] = (first + last) / 2 + 1.0
    return ranks


def _flat(columns: NDArray[np.int64], scores: Floats, ranks: NDArray[np.float64]) -> TopItems:
    keep = scores > EXCLUDED
    rows = np.broadcast_to(np.arange(len(columns))[:, None], columns.shape)[keep]
    return TopItems(
        rows.astype(np.int64),
        columns[keep].astype(np.int64),
        scores[keep].astype(np.float32),
        ranks[keep],
    )
