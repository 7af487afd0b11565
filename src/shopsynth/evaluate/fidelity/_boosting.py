"""Gradient-boosted trees in NumPy: small and the same everywhere, for one question a run.

In: rows of numbers with a class. Out: a score for other rows. Not for large data: a round reads all
rows; the train room has faster libraries, as extras.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np

_N_BINS = 32
_DEPTH = 3
_N_ROUNDS = 60
_RATE = 0.15
_PENALTY = 5.0
"""Of a leaf's value, in rows of evidence: a leaf of few rows says little."""


@dataclass(frozen=True)
class _Tree:
    """A full tree of :data:`_DEPTH` levels.

    Attributes:
        feature: Feature asked by each inner node, level after level. Shape ``(2 ** depth - 1,)``.
        border: Bins above this go right. Shape as ``feature``.
        value: Value of each leaf. Shape ``(2 ** depth,)``.
    """

    feature: np.ndarray
    border: np.ndarray
    value: np.ndarray

    def leaf(self, bins: np.ndarray) -> np.ndarray:
        """Return the leaf of each row, shape ``(rows,)``."""
        rows, node = np.arange(len(bins)), np.zeros(len(bins), dtype=np.int64)
        for level in range(_DEPTH):
            inner = node + 2**level - 1
            node = 2 * node + (bins[rows, self.feature[inner]] > self.border[inner])
        return node


@dataclass(frozen=True)
class BoostedTrees:
    """A classifier of two classes.

    Attributes:
        edges: Borders of the bins of each feature.
        trees: What each round learned.

    Source:
        Friedman, Greedy function approximation: a gradient boosting machine, Annals of Statistics
        2001; second-order gains as in Chen & Guestrin, XGBoost, KDD 2016, equation 7.

    Example:
        >>> x = np.array([[0.0], [1.0], [2.0], [3.0]] * 20)
        >>> y = np.array([0.0, 1.0, 1.0, 0.0] * 20)
        >>> (BoostedTrees.fit(x, y).score(x) > 0).tolist()[:4]
        [False, True, True, False]
    """

    edges: tuple[np.ndarray, ...]
    trees: tuple[_Tree, ...]

    @classmethod
    def fit(cls, rows: np.ndarray, is_one: np.ndarray) -> Self:
        """Learn from rows.

        Args:
            rows: Shape ``(rows, features)``.
            is_one: 1 or 0 for each row.
        """
        inner = np.linspace(0, 1, _N_BINS + 1)[1:-1]
        edges = tuple(np.unique(np.quantile(column, inner)) for column in rows.T)
        bins = _binned(rows, edges)
        score, trees = np.zeros(len(rows)), []
        for _ in range(_N_ROUNDS):
            chance = 1 / (1 + np.exp(-score))
            tree = _grow(bins, is_one - chance, chance * (1 - chance))
            trees.append(tree)
            score += tree.value[tree.leaf(bins)]
        return cls(edges, tuple(trees))

    def score(self, rows: np.ndarray) -> np.ndarray:
        """Return log odds of class 1 against class 0, up to a constant; shape ``(rows,)``."""
        bins = _binned(rows, self.edges)
        return np.asarray(sum(tree.value[tree.leaf(bins)] for tree in self.trees))


def _binned(rows: np.ndarray, edges: tuple[np.ndarray, ...]) -> np.ndarray:
    columns = zip(edges, rows.T, strict=True)
    return np.column_stack([np.searchsorted(edge, column, "left") for edge, column in columns])


def _grow(bins: np.ndarray, slope: np.ndarray, curve: np.ndarray) -> _Tree:
    """Fit one tree to first and second derivatives of the log loss, each of shape ``(rows,)``."""
    n_rows, n_features = bins.shape
    cell = bins + np.arange(n_features) * _N_BINS
    rows, node = np.arange(n_rows), np.zeros(n_rows, dtype=np.int64)
    feature = np.zeros(2**_DEPTH - 1, dtype=np.int64)
    border = np.zeros(2**_DEPTH - 1, dtype=np.int64)
    weights = np.repeat(slope, n_features), np.repeat(curve, n_features)
    for level in range(_DEPTH):
        shape = (2**level, n_features, _N_BINS)
        key = (cell + node[:, None] * (n_features * _N_BINS)).ravel()
        slopes, curves = (
            np.bincount(key, weights=weight, minlength=int(np.prod(shape))).reshape(shape)
            for weight in weights
        )
        best = _gains(slopes, curves).reshape(2**level, -1).argmax(axis=1)
        inner = np.arange(2**level) + 2**level - 1
        feature[inner], border[inner] = best // _N_BINS, best % _N_BINS
        node = 2 * node + (bins[rows, feature[inner[node]]] > border[inner[node]])
    sums = (np.bincount(node, weights=each, minlength=2**_DEPTH) for each in (slope, curve))
    total, weight = sums
    return _Tree(feature, border, _RATE * total / (weight + _PENALTY))


def _gains(slopes: np.ndarray, curves: np.ndarray) -> np.ndarray:
    """Return what each split gains; all arrays have the shape ``(nodes, features, bins)``."""
    left, weight = slopes.cumsum(axis=2), curves.cumsum(axis=2)
    right, other = left[:, :, -1:] - left, weight[:, :, -1:] - weight
    return np.asarray(left**2 / (weight + _PENALTY) + right**2 / (other + _PENALTY))
