"""What the statistics of a run cost: one claim of 15 runs, and the whole comparison of a large run.

In: nothing; units are fabricated. Out: benchmarks/results/bootstrap.json (10,000 resamples of
25,000 units in 15 runs) and benchmarks/results/comparison.json (25,000 users, six slices, four
metrics at two cutoffs, five models and their best system, nine arms, three seeds: every mean, every
difference, every verdict, read fit by fit as the evaluate stage does).

    OMP_NUM_THREADS=1 .venv/bin/python benchmarks/bootstrap.py
"""

import resource
import time
from collections.abc import Iterator

import numpy as np
import polars as pl
from _record import middle, record

from shopsynth.evaluate import (
    Hypothesis,
    UnitValues,
    add_system,
    compare_arms,
    summarise_metrics,
)
from shopsynth.evaluate.pairing import pair_arms
from shopsynth.evaluate.units import UnitTable
from shopsynth.schema import EVALUATION_COLUMNS

USERS = 25_000
RESAMPLES = 10_000
REPEATS = 3
CLAIM_GOAL_S = 10.0
COMPARISON_GOAL_S = 60.0

CONTROLS = ["same_compute", "oversample", "noise", "broken_link"]
ARMS = ["real", "combined", "synthetic", *CONTROLS, "side_information", "oracle"]
MODELS = ["content_knn", "gru4rec", "hybrid", "item_knn", "sasrec"]
METRICS = ["ndcg", "recall", "mrr", "hit_rate"]
CUTOFFS = [10, 20]
SLICES = {"all": 1.0, "warm": 0.9, "short": 0.4, "tail": 0.3, "new": 0.2, "cold": 0.05}


def measure_claim() -> None:
    """Time one difference: three generators times five trainers on all users."""
    random = np.random.Generator(np.random.PCG64(0))
    runs = {
        arm: {(g, t): random.uniform(size=USERS) for g in range(3) for t in range(5)}
        for arm in ("combined", "real")
    }
    columns = {("sasrec", arm, "ndcg", 10): values for arm, values in runs.items()}
    table = UnitTable("next_item", "all", USERS, columns)
    seconds = []
    for repeat in range(REPEATS):
        start = time.process_time()
        pairs = pair_arms(
            table, [("combined", "real")], {("ndcg", 10)}, resamples=RESAMPLES, seed=repeat
        )
        for pair in pairs.values():
            pair.difference()
            pair.relative_interval()
        seconds.append(round(time.process_time() - start, 2))
    measured = middle(seconds)
    record(
        "bootstrap",
        passed=measured["value"] <= CLAIM_GOAL_S,
        reach=f"<= {CLAIM_GOAL_S:.0f} s CPU: {RESAMPLES:,} resamples, {USERS:,} units, 15 runs",
        **measured,
        unit="s CPU; median, least and greatest",
        data="fabricated",
        seeds=REPEATS,
        cpu_s=sum(seconds),
        note="difference, its p-value and the interval of the ratio",
    )


def fits(part: str, spent: list[float]) -> Iterator[pl.DataFrame]:
    """Fabricate the units of one fit after another; their making is not part of the measure."""
    random = np.random.Generator(np.random.PCG64(1))
    users = pl.Series("unit_id", [f"user{number:06d}" for number in range(USERS)])
    form = pl.concat(
        [
            users.head(int(share * USERS)).to_frame().with_columns(
                pl.lit(metric).alias("metric"),
                pl.lit(cutoff, dtype=pl.Int64).alias("cutoff"),
                pl.lit(slice_).alias("slice"),
            )
            for metric in METRICS
            for cutoff in CUTOFFS
            for slice_, share in SLICES.items()
        ]
    )  # fmt: skip
    if part == "validation":
        form = form.filter(slice="all", cutoff=CUTOFFS[0])
    for model in MODELS:
        for arm in ARMS:
            for seed in range(3):
                start = time.process_time()
                frame = form.with_columns(
                    pl.lit("next_item").alias("task"),
                    pl.lit(model).alias("model"),
                    pl.lit(arm).alias("arm"),
                    pl.lit(0 if arm == "real" else seed, dtype=pl.Int64).alias("generator"),
                    pl.lit(seed, dtype=pl.Int64).alias("seed"),
                    pl.Series("value", random.uniform(size=form.height)),
                ).select(list(EVALUATION_COLUMNS["units"]))
                spent[0] += time.process_time() - start
                yield frame


def measure_comparison() -> None:
    """Time everything between the units on disk and the tables of the report."""
    spent = [0.0]
    start = time.process_time()
    units = add_system(
        UnitValues.read(fits("test", spent)),
        UnitValues.read(fits("validation", spent)),
        {"next_item": "ndcg"},
        CUTOFFS[0],
    )
    metrics = summarise_metrics(units)
    compared = compare_arms(
        units,
        plan=[Hypothesis(name="system", metric="ndcg", cutoff=CUTOFFS[0])],
        headline_model="sasrec",
        headline_metrics={"next_item": "ndcg"},
        cutoff=CUTOFFS[0],
        controls={"next_item": CONTROLS},
        resamples=RESAMPLES,
    )
    cpu_s = time.process_time() - start - spent[0]
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    n_values = sum(
        table.n_units * sum(len(runs) for runs in table.columns.values()) for table in units.tables
    )
    record(
        "comparison",
        passed=cpu_s <= COMPARISON_GOAL_S and peak_mb <= 2_000,
        reach=f"<= {COMPARISON_GOAL_S:.0f} s CPU and <= 2 GB for the comparison of a large run",
        value=round(cpu_s, 1),
        low=round(cpu_s, 1),
        high=round(cpu_s, 1),
        unit="s CPU; one measurement",
        data=f"fabricated: {n_values:,} values of {USERS:,} users",
        seeds=1,
        cpu_s=cpu_s,
        note=f"{metrics.height:,} means and {compared.uplift.height:,} differences",
    )


if __name__ == "__main__":
    measure_claim()
    measure_comparison()
