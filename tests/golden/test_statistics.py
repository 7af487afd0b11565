"""Figures of a fixed toy experiment, to the last digits that any machine shares.

They change only if the statistics change; then say so in the changelog, since old reports were made
with the old ones.
"""

import numpy as np
import polars as pl
import pytest

from shopsynth.evaluate import add_system, compare_arms, holm, summarise_metrics
from shopsynth.evaluate.bootstrap import resample_means
from shopsynth.schema import EVALUATION_COLUMNS

MEANS = [[0.5, 0.625], [13 / 24, 2 / 3], [0.625, 0.75], [0.75, 0.875]]
SUMMARY = {"value": 0.494491667, "low": 0.468467062, "high": 0.520516271}
UPLIFT = {
    "absolute": 0.040041667,
    "relative": 0.088095631,
    "low": 0.037232711,
    "high": 0.042850623,
    "p_holm": 3 / 501,
    "mde": 0.003991873288,
}


def toy_units() -> pl.DataFrame:
    """Two models, three arms, three seeds, 40 units; values from integers, so exact everywhere."""
    rows = [
        ("next_item", model, arm, seed, seed, f"u{unit:02d}", "ndcg", 10, "all", value / 1_000)
        for m, model in enumerate(("item_knn", "sasrec"))
        for a, arm in enumerate(("real", "combined", "noise"))
        for seed in range(3)
        for unit in range(40)
        for value in [300 + 7 * unit + 40 * (a == 1) + (unit * 13 + seed * 29 + a * 17 + m) % 37]
    ]
    return pl.DataFrame(rows, schema=EVALUATION_COLUMNS["units"], orient="row")


def test_resampled_means():
    values = np.arange(12.0).reshape(6, 2) / 8
    means = resample_means(values, resamples=4, seed=11)
    assert np.allclose(means, MEANS, rtol=1e-14)


def test_summary():
    summary = summarise_metrics(toy_units(), resamples=500, seed=3)
    first = summary.row(0, named=True)
    assert (first["model"], first["arm"], first["units"], first["seeds"]) == (
        "item_knn",
        "combined",
        40,
        3,
    )
    assert {name: first[name] for name in SUMMARY} == pytest.approx(SUMMARY)


def test_uplift():
    units = toy_units()
    uplift = compare_arms(
        add_system(units, units, "ndcg", 10),
        controls=["noise"],
        headline_model="sasrec",
        headline_metric="ndcg",
        cutoff=10,
        resamples=500,
        seed=3,
    )
    row = uplift.row(0, named=True)
    assert (row["model"], row["against"], row["verdict"]) == ("sasrec", "real", "helps")
    assert {name: row[name] for name in UPLIFT} == pytest.approx(UPLIFT)


def test_holm():
    assert holm(np.array([0.01, 0.02, 0.03, 0.2])).tolist() == pytest.approx(
        [0.04, 0.06, 0.06, 0.2]
    )
