"""Trained on synthetic rows alone, asked about real ones: the table that fidelity is measured for.

In: means of metrics by arm. Out: one row a model, beside the same model trained on real rows.
"""

from collections.abc import Mapping

import polars as pl

from shopsynth.evaluate.system import SYSTEM
from shopsynth.schema import EVALUATION_COLUMNS, REAL, TRAINED_ALONE

_SYNTHETIC = "synthetic"
"""The arm whose models saw no real row."""


def synthetic_utility(
    metrics: pl.DataFrame,
    headline_metrics: Mapping[str, str],
    tables: Mapping[str, str],
    cutoff: int,
    better: Mapping[str, str],
) -> pl.DataFrame:
    """Set each model of the arm ``synthetic`` beside the same model of the arm ``real``.

    Args:
        metrics: Means on real test units, columns of ``EVALUATION_COLUMNS["metrics"]``.
        headline_metrics: The metric of each task.
        tables: The table that trains each task.
        cutoff: List length, where the metric has one.
        better: Which way each metric improves: ``higher`` or ``lower``.

    Returns:
        Columns of ``EVALUATION_COLUMNS["fidelity"]``, a row a task and model; none where the run
        has no such arm.
    """
    asked = metrics.filter(
        pl.col("slice") == "all",
        # The best model of one arm may be another than that of the other arm.
        pl.col("model") != SYSTEM,
        pl.col("cutoff").is_null() | pl.col("cutoff").is_in([cutoff, 0]),
        pl.col("metric") == pl.col("task").replace_strict(headline_metrics, default=None),
    )
    keys = ["task", "model", "metric", "cutoff"]
    both = asked.filter(arm=_SYNTHETIC).join(
        asked.filter(arm=REAL), on=keys, nulls_equal=True, maintain_order="left"
    )
    rows = [
        (
            tables[row["task"]],
            f"{row['model']} {TRAINED_ALONE}: {row['task']} {row['metric']}"
            f"{'@' + str(row['cutoff']) if row['cutoff'] else ''} on real data "
            f"({better[row['metric']]} is better; ceiling: trained on real data)",
            row["value"],
            row["value_right"],
        )
        for row in both.iter_rows(named=True)
    ]
    return pl.DataFrame(rows, schema=EVALUATION_COLUMNS["fidelity"], orient="row")
