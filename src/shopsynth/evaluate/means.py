"""The mean of every metric, with an interval: what was measured, before anything is compared.

In: per-unit values. Out: the table ``metrics``.
"""

from collections.abc import Mapping

import numpy as np
import polars as pl

from shopsynth.evaluate.bootstrap import level_covariance, run_levels, welch_freedom
from shopsynth.evaluate.units import Run, UnitValues, as_unit_values
from shopsynth.schema import EVALUATION_COLUMNS

_TAIL = 0.025


def summarise_metrics(units: pl.DataFrame | UnitValues) -> pl.DataFrame:
    """Average each metric over runs and units, with a 95 % interval.

    No claim rests on these intervals, so they are not bootstrapped: Student's t on the sum of the
    variances of ``bootstrap.py`` (units, generators, trainers), with Welch's degrees of freedom.
    With some hundred units that is the bootstrap's interval; with a handful, or where few units
    score at all, an end may leave the metric's range.

    Args:
        units: Columns of ``EVALUATION_COLUMNS["units"]``, or the same read fit by fit.

    Returns:
        Columns of ``EVALUATION_COLUMNS["metrics"]``, sorted by task, slice, model, arm, metric and
        cutoff; ``seeds`` counts runs.

    Raises:
        InputError: If runs do not have the same units.
    """
    rows = []
    for table in as_unit_values(units).tables:
        for (model, arm, metric, cutoff), runs in table.columns.items():
            value, half = _mean_and_half(runs, table.n_units)
            rows.append(
                {
                    "task": table.task,
                    "model": model,
                    "arm": arm,
                    "metric": metric,
                    "cutoff": cutoff,
                    "slice": table.slice,
                    "value": value,
                    "low": value - half,
                    "high": value + half,
                    "units": table.n_units,
                    "seeds": len(runs),
                }
            )
    return pl.DataFrame(rows, schema=EVALUATION_COLUMNS["metrics"], orient="row")


def _mean_and_half(runs: Mapping[Run, np.ndarray], n_units: int) -> tuple[float, float]:
    """Return the mean and half the width of its interval; NaN with fewer than two units."""
    from scipy.special import stdtrit

    run_means = np.array([values.mean() for values in runs.values()])
    value = float(run_means.mean())
    if n_units < 2:
        return value, float("nan")
    average = np.mean(list(runs.values()), axis=0)
    parts = [(float(average.var(ddof=1)) / n_units, float(n_units - 1))]
    for level in run_levels(list(runs)):
        covariance, freedom = level_covariance(run_means[:, None], level)
        parts.append((float(covariance[0, 0]), float(freedom)))
    error = float(np.sqrt(sum(variance for variance, _ in parts)))
    return value, float(stdtrit(welch_freedom(parts), 1 - _TAIL)) * error if error else 0.0
