"""The dose curve's picture: how validation moved with the amount and weight of synthetic rows.

In: per-unit validation values of every dose tried. Out: rows with intervals and the chosen one.
"""

from collections.abc import Mapping

import polars as pl

from shopsynth.evaluate.means import summarise_metrics
from shopsynth.schema import EVALUATION_COLUMNS


def dose_rows(
    units: pl.DataFrame,
    *,
    chosen: Mapping[str, float | str],
) -> pl.DataFrame:
    """Average every dose over runs and units and mark the chosen one.

    Args:
        units: Columns ``task``, ``model``, ``ratio``, ``weight``, ``sources``, ``generator``,
            ``seed``, ``unit_id``, ``metric``, ``cutoff``, ``value``; from validation, all answers
            (no slices). A row with ratio 0 is real data alone.
        chosen: ``ratio``, ``weight`` and ``sources`` of the dose that was chosen.

    Returns:
        Columns of ``EVALUATION_COLUMNS["dose"]``, sorted by task, model, metric, cutoff, ratio,
        weight and sources.
    """
    dose = ["ratio", "weight", "sources"]
    doses = units.select(dose).unique().sort(dose)
    numbered = doses.with_columns(pl.int_range(pl.len()).cast(pl.String).alias("arm"))
    as_arms = units.join(numbered, on=dose, how="left", maintain_order="left").with_columns(
        pl.lit("all").alias("slice")
    )
    return (
        summarise_metrics(as_arms.select(list(EVALUATION_COLUMNS["units"])))
        .join(numbered, on="arm", how="left", maintain_order="left")
        .with_columns(
            pl.all_horizontal(pl.col(name) == chosen[name] for name in dose).alias("chosen")
        )
        .sort("task", "model", "metric", "cutoff", *dose)
        .select(list(EVALUATION_COLUMNS["dose"]))
    )
