"""Figures of a fixed toy experiment, to the last digits that any machine shares.

They change only if the statistics change; then say so in the changelog, since old reports were made
with the old ones.
"""

import numpy as np
import polars as pl
import pytest

from shopsynth.evaluate import Hypothesis, add_system, compare_arms, holm, summarise_metrics
from shopsynth.evaluate.bootstrap import resample_means
from shopsynth.schema import EVALUATION_COLUMNS

MEANS = [[0.5, 0.625], [13 / 24, 2 / 3], [0.625, 0.75], [0.75, 0.875]]
SUMMARY = {"value": 0.494491667, "low": 0.468131248, "high": 0.520852086}
UPLIFT = {
    "absolute": 0.040041667,
    "relative": 0.088095631,
    "low": 0.037232711,
    "high": 0.042850623,
    "p_holm": 1e-6,
    "mde": 0.003991873288,
}


CLAIM = {
    "relative": 0.088095631,
    "low": 0.080409161,
    "high": 0.096363209,
    "mde": 0.008782516,
}
PLAN = [Hypothesis(name="sasrec", model="sasrec", metric="ndcg", cutoff=10)]


def toy_units() -> pl.DataFrame:
    """Two models, three arms, three seeds, 40 units; values from integers, so exact everywhere."""
    rows = [
        (
            "next_item",
            model,
            arm,
            seed if a else 0,
            seed,
            f"u{unit:02d}",
            "ndcg",
            10,
            "all",
            value / 1_000,
        )
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
    summary = summarise_metrics(toy_units())
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
    found = compare_arms(
        add_system(units, units, {"next_item": "ndcg"}, 10),
        plan=PLAN,
        controls={"next_item": ["noise"]},
        headline_model="sasrec",
        headline_metrics={"next_item": "ndcg"},
        cutoff=10,
        resamples=500,
        seed=3,
    )
    row = found.uplift.row(0, named=True)
    assert (row["model"], row["against"], row["verdict"]) == ("sasrec", "real", "helps")
    assert {name: row[name] for name in UPLIFT} == pytest.approx(UPLIFT)
    claim = found.hypotheses.row(0, named=True)
    assert claim["passed"]
    assert {name: claim[name] for name in CLAIM} == pytest.approx(CLAIM)


def test_holm():
    assert holm(np.array([0.01, 0.02, 0.03, 0.2])).tolist() == pytest.approx(
        [0.04, 0.06, 0.06, 0.2]
    )
