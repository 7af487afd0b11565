"""Intervals for means over units and runs.

In: the mean of every run, and means on resampled units. Out: 95 % intervals and p-values.

Two levels of chance are kept apart. *Units* (users, queries) are resampled: the bootstrap. *Runs*
are few, and three values cannot be resampled honestly: where seeds are what varies, a plain
two-level bootstrap calls 21 % of equal arms different. The level of runs is therefore taken in
closed form. Every run has a generator seed and a trainer seed. Crossed, the variance of the
generators' means and that of the trainers' means are added, which counts their interaction twice
rather than not at all; paired, every run has both seeds of its own, and the two are one. The sum
of all levels gets Student's t with Welch's degrees of freedom. For many seeds it is the two-level
bootstrap (seeds, then units) of PROOF §4. Of the two intervals, units alone and all levels, the
wider one counts.

Equal arms are called different in 1 % (noise by unit) to 7 % of experiments (three seeds, noise by
seed alone); with five paired seeds in at most 5 %. Far out three seeds are less sure: 3 % have p
below 1 %, where Holm looks, and five 1.5 % (``benchmarks/false_positives.py``).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from shopsynth.evaluate.units import Run

_BLOCK_CELLS = 1 << 22
"""Resampling counts held at once: 4 M cells, 32 MB."""

_TAIL = 0.025
_POWER = 0.8
_MANY = 1e6
"""Degrees of freedom from which Student's t is normal to six digits."""

_FEW_BEYOND = 10
"""Resamples beyond 0 below which their number is too coarse to be a p-value."""

_LEAST_P = 1e-6
"""Nothing is known about tails further out."""


@dataclass(frozen=True)
class Estimate:
    """A mean and what is known about it.

    Attributes:
        point: The mean over runs and units.
        low: Lower end of the 95 % interval; NaN with fewer than two units.
        high: Upper end, likewise.
        p_value: Two-sided, for a true mean of 0; at least a millionth.
        standard_error: Of the analysis whose interval counts, in units of the metric.
        freedom: Degrees of freedom behind that error; infinite where units alone count.
    """

    point: float
    low: float
    high: float
    p_value: float
    standard_error: float
    freedom: float = float("inf")

    @property
    def detectable(self) -> float:
        """Return the effect that is found with 80 % power at 5 %.

        Both quantiles of Student's t times the standard error: 2.8 errors where units alone count,
        5.4 where three seeds are all there is to tell noise by.
        """
        from scipy.special import stdtrit

        freedom = min(self.freedom, _MANY)
        return float(stdtrit(freedom, 1 - _TAIL) + stdtrit(freedom, _POWER)) * self.standard_error


def resample_means(values: np.ndarray, *, resamples: int, seed: int) -> np.ndarray:
    """Draw units with replacement and take the mean of every column, many times.

    Counts of each draw times values is one matrix product a block, so all columns share the draws
    and stay paired. Values are rounded to a fixed point fine enough (2⁻³⁷ for 25,000 units) that
    every sum is an exact integer: the result does not depend on the order in which a BLAS with any
    number of threads adds.

    Args:
        values: Finite numbers, shape ``(units, columns)``.
        resamples: Number of draws.
        seed: Of the draws.

    Returns:
        Means, shape ``(resamples, columns)``.
    """
    n_units, n_columns = values.shape
    largest = np.maximum(1.0, np.abs(values).max(axis=0, initial=0.0))
    scale = 2.0 ** np.floor(52 - np.log2(n_units * largest))
    fixed = np.rint(values * scale)
    generator = np.random.Generator(np.random.PCG64(seed))
    n_rows = min(resamples, max(1, _BLOCK_CELLS // n_units))
    counts = np.empty((n_rows, n_units))
    means = np.empty((resamples, n_columns))
    for start in range(0, resamples, n_rows):
        rows = min(n_rows, resamples - start)
        for row in range(rows):
            # Draw by draw the counts stay in the cache: twice as fast as a block at once.
            counts[row] = np.bincount(generator.integers(0, n_units, n_units), minlength=n_units)
        means[start : start + rows] = counts[:rows] @ fixed
    return np.asarray(means / (scale * n_units))


def run_levels(runs: Sequence[Run]) -> list[np.ndarray]:
    """Number the seeds of every level that has more than one.

    Args:
        runs: Generator and trainer seed of every run.

    Returns:
        Each run's generator, then each run's trainer, as numbers from 0, shape ``(runs,)``; one of
        the two where each generator goes with a trainer of its own.

    Example:
        >>> [level.tolist() for level in run_levels([(0, 0), (0, 1), (4, 0), (4, 1)])]
        [[0, 0, 1, 1], [0, 1, 0, 1]]
        >>> [level.tolist() for level in run_levels([(0, 0), (1, 1), (2, 2)])]
        [[0, 1, 2]]
    """
    numbered = [np.unique(seeds, return_inverse=True)[1] for seeds in zip(*runs, strict=True)]
    levels = [level for level in numbered if level.max() > 0]
    n_pairs = len(set(runs))
    return levels[:1] if all(level.max() + 1 == n_pairs for level in levels) else levels


def level_covariance(values: np.ndarray, level: np.ndarray) -> tuple[np.ndarray, int]:
    """Estimate how the mean over runs would vary if the seeds of one level were drawn anew.

    Squared sums by seed of the distances from the mean: the variance of the seeds' means over their
    number where all have as many runs, and still valid where a fit failed.

    Args:
        values: Shape ``(runs, columns)``.
        level: Number of each run's seed, shape ``(runs,)``.

    Returns:
        Covariances of the columns' means, shape ``(columns, columns)``, and degrees of freedom.
    """
    n_seeds = int(level.max()) + 1
    sums = np.zeros((n_seeds, values.shape[1]))
    np.add.at(sums, level, values - values.mean(axis=0))
    return sums.T @ sums / values.shape[0] ** 2 * n_seeds / (n_seeds - 1), n_seeds - 1


def welch_freedom(parts: Sequence[tuple[float, float]]) -> float:
    """Give a sum of estimated variances its degrees of freedom; infinite for a sum of 0.

    Args:
        parts: Each variance and its own degrees of freedom.

    Source:
        Welch, The generalization of Student's problem, Biometrika 1947.
    """
    total = sum(variance for variance, _ in parts)
    spread = sum(variance**2 / freedom for variance, freedom in parts)
    return total**2 / spread if spread else float("inf")


def estimate(
    run_means: np.ndarray, resampled: np.ndarray, n_units: int, runs: Sequence[Run]
) -> Estimate:
    """Turn the runs' means and their resamples into a point, an interval and a p-value.

    Args:
        run_means: Mean over units of each run, shape ``(runs,)``.
        resampled: Mean over runs on resampled units, shape ``(resamples,)``.
        n_units: Number of units behind each mean.
        runs: Generator and trainer seed of each run.

    Source:
        Owen, The pigeonhole bootstrap, Annals of Applied Statistics 2007 (the sum of both seeds'
        variances never understates crossed effects).
    """
    from scipy.special import stdtr, stdtrit

    point = float(run_means.mean())
    if n_units < 2:
        return Estimate(point, float("nan"), float("nan"), 1.0, float("nan"))
    low, high = (float(end) for end in np.quantile(resampled, [_TAIL, 1 - _TAIL]))
    n_beyond = min(np.count_nonzero(resampled <= 0), np.count_nonzero(resampled >= 0))
    p_counted = min(1.0, 2 * (n_beyond + 1) / (resampled.size + 1))
    of_units = float(resampled.var(ddof=1)) * n_units / (n_units - 1)
    parts = [(of_units, float(n_units - 1))]
    for level in run_levels(runs):
        covariance, seeds_freedom = level_covariance(run_means[:, None], level)
        parts.append((float(covariance[0, 0]), float(seeds_freedom)))
    error = float(np.sqrt(sum(variance for variance, _ in parts)))
    if error == 0.0:
        return Estimate(point, low, high, p_counted, error)
    freedom = welch_freedom(parts)
    half = float(stdtrit(freedom, 1 - _TAIL)) * error
    p_student = max(2 * float(stdtr(freedom, -abs(point) / error)), _LEAST_P)
    if 2 * half > high - low:
        return Estimate(point, point - half, point + half, p_student, error, freedom)
    # Holm multiplies p-values by hundreds: Student's t goes on where the resamples end.
    p_value = min(p_counted, p_student) if n_beyond < _FEW_BEYOND else p_counted
    return Estimate(point, low, high, p_value, float(np.sqrt(of_units)))
