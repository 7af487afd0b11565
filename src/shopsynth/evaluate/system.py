"""The best system of an arm: the model its owner would have put into the shop.

In: per-unit values on validation and on test. Out: the test values with the model ``system`` added.
"""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import polars as pl

from shopsynth.evaluate.units import Columns, UnitTable, UnitValues, as_unit_values

SYSTEM = "system"
"""Name of the model that stands for an arm's best choice."""

LOWER = "lower"
"""Direction of a metric that improves by falling; every other one improves by rising."""


def add_system(
    units_test: pl.DataFrame | UnitValues,
    units_validation: pl.DataFrame | UnitValues,
    headline_metrics: Mapping[str, str],
    cutoff: int,
    better: Mapping[str, str] | None = None,
) -> UnitValues:
    """Let every arm choose its best model on validation and show it under the name ``system``.

    Every arm chooses from the same menu, so "the best system with synthetic rows against the best
    system without" (PROOF §2) can be read off the rows of the model ``system``. The choice is made
    once an arm, on the mean over runs and units: choosing by seed would reward noise.

    Args:
        units_test: Columns of ``EVALUATION_COLUMNS["units"]``, from test.
        units_validation: The same, from validation. Arms and models must be those of test.
        headline_metrics: By task, the metric which chooses.
        cutoff: Its list length; a metric without one has cutoff 0.
        better: By metric, ``higher`` or ``lower``; ``higher`` for a metric it does not name.

    Returns:
        The test values with those of ``system``, which take no memory of their own. Equal means go
        to the model whose name comes first.
    """
    chosen: dict[str, dict[str, str]] = {}
    for table in as_unit_values(units_validation).tables:
        metric = headline_metrics.get(table.task)
        if table.slice == "all" and metric is not None:
            sign = 1 if (better or {}).get(metric) == LOWER else -1
            chosen[table.task] = _best_models(table, metric, cutoff, sign)
    return UnitValues(
        tuple(
            replace(table, columns=_with_system(table, chosen.get(table.task, {})))
            for table in as_unit_values(units_test).tables
        )
    )


def _best_models(table: UnitTable, metric: str, cutoff: int, sign: int) -> dict[str, str]:
    """Name the model of every arm whose signed mean is least."""
    ranked = sorted(
        (sign * float(np.mean([values.mean() for values in runs.values()])), model, arm)
        for (model, arm, name, length), runs in table.columns.items()
        if name == metric and length in (cutoff, 0)
    )
    best: dict[str, str] = {}
    for _, model, arm in ranked:
        best.setdefault(arm, model)
    return best


def _with_system(table: UnitTable, chosen: Mapping[str, str]) -> Columns:
    system = {
        (SYSTEM, arm, metric, cutoff): runs
        for (model, arm, metric, cutoff), runs in table.columns.items()
        if chosen.get(arm) == model
    }
    return dict(sorted({**table.columns, **system}.items()))
