"""Denoising: noisy counts to shares, by empirical Bayes with noise of a known size.

In: counts with Gaussian noise, negative ones among them, and its standard deviation. Out: estimates
that are not negative, and shares. All of it is post-processing: no budget is spent here.
"""

import numpy as np
from numpy.typing import NDArray

from shopsynth.generate._draws import Floats, Integers

_SURE = 10.0
"""Counts so many deviations above 0 are kept: a prior would move them by less than their noise."""

_POINTS_PER_DEVIATION = 4
"""Grid of possible true counts: a quarter of the noise apart, finer ones look alike."""

_ROUNDS = 60
"""Of expectation maximisation; more change estimates by less than a hundredth of the noise."""

_SMALLEST_GROUP = 50
"""Cells a group needs, so that its prior is learned and not guessed."""


def posterior_means(noisy: Floats, deviation: float, *groups: Integers) -> Floats:
    """Estimate true counts by their posterior mean under a prior that the counts themselves tell.

    The prior of a group of cells is the distribution over true counts from 0 up under which the
    noisy counts are likeliest. It learns, for example, that nearly all steps between two unrelated
    categories never happen, and pulls their noise to 0, without losing the few that do.

    Args:
        noisy: ``(n,)`` counts with noise.
        deviation: Standard deviation of the noise.
        groups: Places of the cells that share a prior; together they cover all cells once.

    Returns:
        ``(n,)`` estimates, none negative.

    Source:
        Kiefer and Wolfowitz, Ann. Math. Statist. 27(4), 1956; computed as Jiang and Zhang, Ann.
        Statist. 37(4), 2009.

    Example:
        >>> noisy = np.array([-2.0, -1.0, 0.0, 1.0, 2.0, 500.0])
        >>> posterior_means(noisy, 1.5, np.arange(6)).round().tolist()
        [0.0, 0.0, 0.0, 0.0, 0.0, 500.0]
    """
    made = np.maximum(noisy, 0.0)
    for places in groups:
        unsure = places[noisy[places] < _SURE * deviation]
        if unsure.size:
            made[unsure] = _group_means(noisy[unsure] / deviation) * deviation
    return made


def _group_means(noisy: Floats) -> Floats:
    """Estimate the counts of one group, in units of the noise."""
    grid = np.arange(0, _SURE + 2, 1 / _POINTS_PER_DEVIATION)
    # Far below 0 all points are as unlikely; there the likelihood would underflow.
    distance = np.maximum(noisy, -_SURE)[:, None] - grid
    likelihood = np.exp(-0.5 * distance**2)
    prior = np.full(grid.size, 1 / grid.size)
    for _ in range(_ROUNDS):
        prior = prior * (likelihood / (likelihood @ prior)[:, None]).mean(axis=0)
    weight = likelihood * prior
    means: Floats = weight @ grid / weight.sum(axis=1)
    return means


def alike(expected: Floats, places: Integers, n_groups: int) -> list[NDArray[np.intp]]:
    """Group places by how much is expected of them, at least 50 a group where there are as many.

    Args:
        expected: ``(n,)`` expected counts of all cells.
        places: Those to group.
        n_groups: Greatest number of groups.
    """
    order = places[np.argsort(expected[places], kind="stable")]
    n_parts = max(1, min(n_groups, order.size // _SMALLEST_GROUP))
    return [np.asarray(part) for part in np.array_split(order, n_parts)]


def shares(noisy: Floats, deviation: float, expected: Floats) -> Floats:
    """Turn a small histogram into shares: as much of it as stands out of the noise.

    The counts are mixed with the expected ones by the positive-part James-Stein weight and put on
    the simplex: negative counts become 0 and the others give their mass back.

    Args:
        noisy: ``(n,)`` counts with noise.
        deviation: Standard deviation of the noise.
        expected: ``(n,)`` shares to fall back to, at least one above 0.

    Returns:
        ``(n,)`` shares, summing to 1.

    Source:
        Efron and Morris, J. Am. Stat. Assoc. 68(341), 1973.

    Example:
        >>> shares(np.array([900.0, 100.0, -5.0]), 1.0, np.ones(3)).round(2).tolist()
        [0.9, 0.1, 0.0]
        >>> shares(np.array([9.0, -7.0, 1.0]), 100.0, np.ones(3)).round(2).tolist()
        [0.33, 0.33, 0.33]
    """
    total = max(float(noisy.sum()), deviation)
    fallback = total * expected / expected.sum()
    away = float(((noisy - fallback) ** 2).sum())
    weight = max(0.0, 1 - noisy.size * deviation**2 / away) if away > 0 else 1.0
    return on_simplex(weight * noisy + (1 - weight) * fallback, total) / total


def row_shares(noisy: Floats, deviation: float, expected: Floats) -> Floats:
    """Turn a table into shares by row; a row falls back to the table's sum, and that to expected.

    Args:
        noisy: ``(rows, n)`` counts with noise.
        deviation: Standard deviation of the noise.
        expected: ``(n,)`` shares of last resort.

    Returns:
        ``(rows, n)`` shares, each row summing to 1.
    """
    of_all = shares(noisy.sum(axis=0), deviation * noisy.shape[0] ** 0.5, expected)
    return np.stack([shares(row, deviation, of_all) for row in noisy])


def on_simplex(values: Floats, total: float) -> Floats:
    """Return the nearest values that are not negative and add up to ``total`` (above 0).

    Source:
        Duchi et al., ICML 2008, figure 1.
    """
    falling = np.sort(values)[::-1]
    excess = (np.cumsum(falling) - total) / np.arange(1, values.size + 1)
    last = np.flatnonzero(falling > excess)[-1]
    nearest: Floats = np.maximum(values - excess[last], 0.0)
    return nearest
