"""Distances between two samples, or between what two samples say.

In: numbers, counts or tables. Out: one distance, 0 where both are the same.
"""

import numpy as np


def shares(counts: np.ndarray) -> np.ndarray:
    """Divide counts by their sum; all 0 where there is nothing."""
    return np.asarray(counts / max(float(counts.sum()), np.finfo(float).tiny))


def jensen_shannon(a: np.ndarray, b: np.ndarray) -> float:
    """Return the Jensen-Shannon divergence of two arrays of counts, in bits.

    Source:
        Lin, Divergence measures based on the Shannon entropy, IEEE Trans. Inf. Theory 1991.

    Example:
        >>> jensen_shannon(np.array([2, 2, 0]), np.array([0, 0, 4]))
        1.0
    """
    p, q = shares(a), shares(b)
    middle = (p + q) / 2
    return 0.5 * (_relative_entropy(p, middle) + _relative_entropy(q, middle))


def _relative_entropy(p: np.ndarray, q: np.ndarray) -> float:
    positive = p > 0
    return float(np.sum(p[positive] * np.log2(p[positive] / q[positive])))


def kolmogorov_smirnov(a: np.ndarray, b: np.ndarray) -> float:
    """Return the largest distance between two empirical distribution functions.

    NaN if one sample is empty. Only the order of values counts: their logarithms give the same.

    Example:
        >>> kolmogorov_smirnov(np.array([1, 2, 3, 4]), np.array([3, 4]))
        0.5
    """
    if not a.size or not b.size:
        return float("nan")
    a, b = np.sort(a), np.sort(b)
    # Between two values of either sample both functions stand still.
    points = np.sort(np.concatenate([a, b]))
    below_a = np.searchsorted(a, points, side="right") / a.size
    below_b = np.searchsorted(b, points, side="right") / b.size
    return float(np.abs(below_a - below_b).max())


def total_variation(a: np.ndarray, b: np.ndarray) -> float:
    """Return half the sum of the differences between the shares of two arrays of counts.

    NaN if one of them counts nothing.

    Example:
        >>> total_variation(np.array([1, 3]), np.array([2, 2]))
        0.25
    """
    if not a.sum() or not b.sum():
        return float("nan")
    return float(np.abs(shares(a) - shares(b)).sum() / 2)


def gini(counts: np.ndarray) -> float:
    """Return how unequal counts are: 0 if all are the same, near 1 if one has everything.

    Example:
        >>> gini(np.array([0, 0, 0, 8]))
        0.75
    """
    total = float(counts.sum())
    if not total:
        return float("nan")
    ranks = np.arange(1, counts.size + 1)
    return float((2 * ranks - counts.size - 1) @ np.sort(counts) / (counts.size * total))


def cramers_v(table: np.ndarray) -> float:
    """Return how strongly rows and columns of a table of counts go together, 0 to 1.

    Source:
        Cramér, Mathematical Methods of Statistics, 1946, chapter 21.

    Example:
        >>> cramers_v(np.array([[5.0, 0.0], [0.0, 5.0]]))
        1.0
    """
    table = table[table.sum(axis=1) > 0][:, table.sum(axis=0) > 0]
    freedom = min(table.shape) - 1
    if freedom < 1:
        return 0.0
    total = table.sum()
    expected = np.outer(table.sum(axis=1), table.sum(axis=0)) / total
    return float(np.sqrt(((table - expected) ** 2 / expected).sum() / total / freedom))
