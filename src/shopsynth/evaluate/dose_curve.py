"""The dose curve's picture: how validation moved with the amount and weight of synthetic rows.

In: per-unit validation values of every dose tried. Out: rows with intervals and the chosen one.
"""

import polars as pl

from shopsynth.evaluate.means import summarise_metrics
from shopsynth.schema import EVALUATION_COLUMNS


def dose_rows(
    units: pl.DataFrame,
    *,
    chosen_ratio: float,
    chosen_weight: float,
) -> pl.DataFrame:
    """Average every dose over runs and units and mark the chosen one.

    Args:
        units: Columns ``task``, ``model``, ``ratio``, ``weight``, ``generator``, ``seed``,
            ``unit_id``, ``metric``, ``cutoff``, ``value``; from validation, all answers (no
            slices). A row with ratio 0 is real data alone.
        chosen_ratio: Ratio of the dose that was chosen.
        chosen_weight: Its weight.

    Returns:
        Columns of ``EVALUATION_COLUMNS["dose"]``, sorted by task, model, metric, cutoff, ratio and
        weight.
    """
    dose = ["ratio", "weight"]
    doses = units.select(dose).unique().sort(dose)
    numbered = doses.with_columns(pl.int_range(pl.len()).cast(pl.String).alias("arm"))
    as_arms = units.join(numbered, on=dose, how="left", maintain_order="left").with_columns(
        pl.lit("all").alias("slice")
    )
    return (
        summarise_metrics(as_arms.select(list(EVALUATION_COLUMNS["units"])))
        .join(numbered, on="arm", how="left", maintain_order="left")
        .with_columns(
            ((pl.col("ratio") == chosen_ratio) & (pl.col("weight") == chosen_weight)).alias(
                "chosen"
            )
        )
        .sort("task", "model", "metric", "cutoff", "ratio", "weight")
        .select(list(EVALUATION_COLUMNS["dose"]))
    )
