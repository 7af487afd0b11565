"""The best system of an arm: the model its owner would have put into the shop.

In: per-unit values on validation and on test. Out: the test values with the model ``system`` added.
"""

import polars as pl

SYSTEM = "system"
"""Name of the model that stands for an arm's best choice."""


def add_system(
    units_test: pl.DataFrame, units_validation: pl.DataFrame, metric: str, cutoff: int
) -> pl.DataFrame:
    """Let every arm choose its best model on validation and copy that model's test values.

    Every arm chooses from the same menu, so "the best system with synthetic rows against the best
    system without" (PROOF §2) can be read off the rows of the model ``system``. The choice is made
    once an arm, on the mean over seeds and units: choosing by seed would reward noise.

    Args:
        units_test: Columns of ``EVALUATION_COLUMNS["units"]``, from test.
        units_validation: The same, from validation. Arms and models must be those of test.
        metric: The headline metric, which chooses.
        cutoff: Its list length.

    Returns:
        ``units_test`` followed by the rows of ``system``. Equal means go to the model whose name
        comes first.
    """
    chosen = (
        units_validation.filter(
            pl.col("metric") == metric, pl.col("cutoff") == cutoff, pl.col("slice") == "all"
        )
        .sort("task", "arm", "model", "seed", "unit_id")
        .group_by("task", "arm", "model", maintain_order=True)
        .agg(pl.col("value").mean())
        .sort("task", "arm", -pl.col("value"), "model")
        .unique(["task", "arm"], keep="first", maintain_order=True)
    )
    keys = ["task", "arm", "model"]
    best = units_test.join(chosen.select(keys), on=keys, how="semi", maintain_order="left")
    return pl.concat([units_test, best.with_columns(pl.lit(SYSTEM).alias("model"))])
