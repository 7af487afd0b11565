"""Intervals for means over units and seeds.

In: one value a unit, model, arm and seed. Out: means with 95 % intervals and p-values.

Two sources of chance are kept apart. *Units* (users, queries) are resampled: the bootstrap. *Seeds*
are few, mostly three, and three values cannot be resampled honestly: where seeds are what varies, a
plain two-level bootstrap calls 21 % of equal arms different. The level of seeds is therefore taken
in closed form, as the variance of the per-seed means, and the sum of both levels gets Student's t
with Welch's degrees of freedom. In 20,000 simulated pairs of equal arms this calls 1 % (noise by
unit) to 7 % (noise by seed) different at three seeds and 1 to 5 % at five; at worst, with all
noise common to a seed's units and ten times that of sampling units, 8 % and 6 %. Far out it is less
sure: there 3.5 % at three seeds and 1.7 % at five have p below 1 %, where Holm looks. For many
seeds it is the two-level bootstrap (seeds, then units) of PROOF §4. Of the two intervals, units
alone and both levels, the wider one counts.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from shopsynth.schema import EVALUATION_COLUMNS, InputError, derived_seed

_BLOCK_CELLS = 1 << 22
"""Resampling counts held at once: 4 M cells, 32 MB an array, about 130 MB in all."""

_TAIL = 0.025
_POWER = 0.8
_MANY = 1e6
"""Degrees of freedom from which Student's t is normal to six digits."""

_RUN = ("model", "arm", "metric", "cutoff", "generator", "seed")


Run = tuple[int, int]
"""Number of the generator seed (0 in an arm without generator) and of the trainer seed."""


@dataclass(frozen=True)
class Estimate:
    """A mean and what is known about it.

    Attributes:
        point: The mean over seeds and units.
        low: Lower end of the 95 % interval; NaN with fewer than two units.
        high: Upper end, likewise.
        p_value: Two-sided, for a true mean of 0; never 0.
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


@dataclass(frozen=True)
class UnitMatrix:
    """All values of one task and slice as a matrix.

    Attributes:
        task: The task's word.
        slice: The slice's word.
        values: Shape ``(units, runs)``.
        runs: Column number by ``(model, arm, metric, cutoff)``, then by run.
    """

    task: str
    slice: str
    values: np.ndarray
    runs: dict[tuple[str, str, str, int], dict[Run, int]]


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
    n_rows = max(1, _BLOCK_CELLS // n_units)
    means = np.empty((resamples, n_columns))
    for start in range(0, resamples, n_rows):
        rows = min(n_rows, resamples - start)
        drawn = generator.integers(0, n_units, size=(rows, n_units))
        drawn += np.arange(rows)[:, None] * n_units
        counts = np.bincount(drawn.ravel(), minlength=rows * n_units).reshape(rows, n_units)
        means[start : start + rows] = counts.astype(np.float64) @ fixed
    return np.asarray(means / (scale * n_units))


def estimate(seed_means: np.ndarray, resampled: np.ndarray, n_units: int) -> Estimate:
    """Turn per-seed means and their resamples into a point, an interval and a p-value.

    Args:
        seed_means: Mean over units of each seed, shape ``(seeds,)``.
        resampled: The same means on resampled units, shape ``(resamples, seeds)``.
        n_units: Number of units behind each mean.

    Source:
        Welch, Biometrika 1947 (degrees of freedom); Owen, The pigeonhole bootstrap, Annals of
        Applied Statistics 2007 (the sum of both levels never understates crossed effects).
    """
    from scipy.special import stdtr, stdtrit

    point = float(seed_means.mean())
    if n_units < 2:
        return Estimate(point, float("nan"), float("nan"), 1.0, float("nan"))
    means = resampled.mean(axis=1)
    low, high = (float(end) for end in np.quantile(means, [_TAIL, 1 - _TAIL]))
    n_beyond = min(np.count_nonzero(means <= 0), np.count_nonzero(means >= 0))
    p_floor = 1 / (means.size + 1)
    p_value = min(1.0, 2 * (n_beyond + 1) * p_floor)
    of_units = float(means.var(ddof=1)) * n_units / (n_units - 1)
    of_seeds = float(seed_means.var(ddof=1)) / seed_means.size if seed_means.size > 1 else 0.0
    error = float(np.sqrt(of_units + of_seeds))
    if error == 0.0:
        return Estimate(point, low, high, p_value, error)
    freedom = (of_units + of_seeds) ** 2 / (
        of_units**2 / (n_units - 1) + of_seeds**2 / max(1, seed_means.size - 1)
    )
    half = float(stdtrit(freedom, 1 - _TAIL)) * error
    if 2 * half <= high - low:
        return Estimate(point, low, high, p_value, float(np.sqrt(of_units)))
    p_value = max(p_floor, 2 * float(stdtr(freedom, -abs(point) / error)))
    return Estimate(point, point - half, point + half, p_value, error, freedom)


def unit_matrices(units: pl.DataFrame) -> Iterator[UnitMatrix]:
    """Put the values of each task and slice into a matrix, one row a unit.

    Args:
        units: Columns of ``EVALUATION_COLUMNS["units"]``.

    Raises:
        InputError: If runs of one task and slice do not have the same units, each once: then
            nothing can be paired.
    """
    parts = units.sort("task", "slice", "unit_id").partition_by(
        "task", "slice", as_dict=True, maintain_order=True
    )
    for (task, slice_), part in parts.items():
        runs = part.select(_RUN).unique().sort(_RUN).with_row_index("run")
        placed = part.join(runs, on=list(_RUN), how="left", maintain_order="left")
        unit = placed.select(pl.col("unit_id").rle_id()).to_series().to_numpy()
        values = np.full((int(unit[-1]) + 1, runs.height), np.nan)
        values[unit, placed["run"].to_numpy()] = placed["value"].to_numpy()
        n_missing = int(np.isnan(values).sum())
        if n_missing or placed.height != values.size:
            raise InputError(
                f"units of task {task}, slice {slice_}: expected one value for each of "
                f"{values.shape[0]} units in each of {runs.height} runs (model, arm, metric, "
                f"cutoff, generator, seed), got {placed.height} rows and {n_missing} gaps; score "
                "all runs on the same holdout"
            )
        columns: dict[tuple[str, str, str, int], dict[Run, int]] = {}
        for *key, generator, seed, run in runs.select(*_RUN, "run").iter_rows():
            columns.setdefault(tuple(key), {})[generator, seed] = run
        yield UnitMatrix(str(task), str(slice_), values, columns)


def estimate_columns(
    values: np.ndarray, groups: Sequence[Sequence[int]], *, resamples: int, seed: int
) -> list[Estimate]:
    """Estimate the mean of every group of columns, a group being the seeds of one quantity.

    Args:
        values: Shape ``(units, columns)``.
        groups: Column numbers of each quantity.
        resamples: Number of draws.
        seed: Of the draws; all groups share them.
    """
    resampled = resample_means(values, resamples=resamples, seed=seed)
    seed_means = values.mean(axis=0)
    return [
        estimate(seed_means[list(group)], resampled[:, list(group)], values.shape[0])
        for group in groups
    ]


def summarise_metrics(
    units: pl.DataFrame, *, resamples: int = 2_000, seed: int = 0
) -> pl.DataFrame:
    """Average each metric over seeds and units, with a 95 % interval.

    Args:
        units: Columns of ``EVALUATION_COLUMNS["units"]``.
        resamples: Bootstrap draws; 2,000 place the ends of an interval within 2 % of its width.
        seed: Of the draws.

    Returns:
        Columns of ``EVALUATION_COLUMNS["metrics"]``, sorted by task, slice, model, arm, metric and
        cutoff.

    Raises:
        InputError: If runs do not have the same units.
    """
    rows = []
    for matrix in unit_matrices(units):
        estimates = estimate_columns(
            matrix.values,
            [list(seeds.values()) for seeds in matrix.runs.values()],
            resamples=resamples,
            seed=derived_seed(seed, "metrics", matrix.task, matrix.slice),
        )
        rows += [
            {
                "task": matrix.task,
                "model": model,
                "arm": arm,
                "metric": metric,
                "cutoff": cutoff,
                "slice": matrix.slice,
                "value": found.point,
                "low": found.low,
                "high": found.high,
                "units": matrix.values.shape[0],
                "seeds": len(seeds),
            }
            for ((model, arm, metric, cutoff), seeds), found in zip(
                matrix.runs.items(), estimates, strict=True
            )
        ]
    return pl.DataFrame(rows, schema=EVALUATION_COLUMNS["metrics"], orient="row")
