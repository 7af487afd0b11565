"""Intervals cover what they promise, whatever varies: units, seeds or both."""

import numpy as np
import polars as pl
import pytest

from shopsynth.evaluate import holm, summarise_metrics
from shopsynth.evaluate.bootstrap import (
    Estimate,
    estimate,
    level_covariance,
    resample_means,
    run_levels,
    welch_freedom,
)
from shopsynth.schema import EVALUATION_COLUMNS


def normal(seed: int, *shape: int) -> np.ndarray:
    return np.random.Generator(np.random.PCG64(seed)).standard_normal(shape)


def paired(n_runs: int) -> list[tuple[int, int]]:
    return [(run, run) for run in range(n_runs)]


def crossed(n_generators: int, n_trainers: int) -> list[tuple[int, int]]:
    return [(made, fit) for made in range(n_generators) for fit in range(n_trainers)]


def estimate_of(values: np.ndarray, seed: int = 0, resamples: int = 2_000, runs=None):
    average = values.mean(axis=1, keepdims=True)
    resampled = resample_means(average, resamples=resamples, seed=seed)[:, 0]
    runs = runs or paired(values.shape[1])
    return estimate(values.mean(axis=0), resampled, values.shape[0], runs)


def test_resampled_means_spread_as_theory_says():
    values = normal(1, 2_000, 1)
    means = resample_means(values, resamples=4_000, seed=2)
    assert means.std() == pytest.approx(values.std() / np.sqrt(2_000), rel=0.05)
    assert means.mean() == pytest.approx(values.mean(), abs=0.002)


def test_blocks_do_not_change_the_draws(monkeypatch):
    values = normal(3, 50, 4)
    whole = resample_means(values, resamples=100, seed=5)
    monkeypatch.setattr("shopsynth.evaluate.bootstrap._BLOCK_CELLS", 170)
    assert np.array_equal(whole, resample_means(values, resamples=100, seed=5))


def test_sums_are_exact_so_other_columns_do_not_matter():
    values = normal(4, 300, 40)
    means = resample_means(values, resamples=60, seed=1)
    alone = resample_means(values[:, 7:8], resamples=60, seed=1)
    assert np.array_equal(means[:, 7:8], alone)


def test_one_seed_gives_the_textbook_interval():
    found = estimate_of(normal(5, 1_000, 1) + 0.3)
    assert found.high - found.low == pytest.approx(2 * 1.96 / np.sqrt(1_000), rel=0.1)
    assert found.low < 0.3 < found.high


def test_seeds_that_disagree_widen_the_interval_by_students_t():
    """Without noise among units only the three seeds vary: mean 0.2 ± 4.30 * 0.1 / √3."""
    values = np.tile([0.1, 0.2, 0.3], (100, 1))
    found = estimate_of(values)
    half = 4.3027 * 0.1 / np.sqrt(3)
    assert (found.low, found.high) == pytest.approx((0.2 - half, 0.2 + half), abs=1e-4)
    assert found.p_value == pytest.approx(0.0742, abs=1e-3)


def test_p_value_is_never_zero():
    found = estimate_of(np.full((50, 3), 0.4), resamples=500)
    assert (found.low, found.high) == pytest.approx((0.4, 0.4))
    assert found.p_value == pytest.approx(2 / 501)
    assert estimate_of(np.full((50, 3), 0.4) + 1e-6 * normal(1, 50, 3), resamples=500).p_value > 0


def test_no_difference_at_all_has_p_one():
    found = estimate_of(np.zeros((50, 3)))
    assert (found.point, found.low, found.high, found.p_value) == (0, 0, 0, 1)


def test_one_unit_says_nothing():
    found = estimate_of(np.array([[0.5, 0.6, 0.7]]))
    assert found.point == pytest.approx(0.6)
    assert np.isnan([found.low, found.high, found.standard_error]).all()
    assert found.p_value == 1


def test_crossed_seeds_widen_the_interval_by_both_levels():
    """By hand: generators 0.1, 0.3 and trainers -0.2, 0.0, 0.2 around 0.2, nothing else."""
    values = np.array([[made + fit for made in (0.1, 0.3) for fit in (-0.2, 0.0, 0.2)]])
    found = estimate_of(np.repeat(values, 50, axis=0), runs=crossed(2, 3))
    of_generators, of_trainers = 0.02 / 2, 0.04 / 3
    error = np.sqrt(of_generators + of_trainers)
    freedom = error**4 / (of_generators**2 / 1 + of_trainers**2 / 2)
    assert found.standard_error == pytest.approx(error)
    assert found.freedom == pytest.approx(freedom)
    assert found.low < 0.2 - 2 * error


def test_levels_with_one_seed_or_the_same_seeds_count_once():
    assert [level.tolist() for level in run_levels(paired(3))] == [[0, 1, 2]]
    assert [level.tolist() for level in run_levels(crossed(3, 1))] == [[0, 1, 2]]
    assert [level.tolist() for level in run_levels([(0, 0), (0, 7)])] == [[0, 1]]
    assert run_levels([(5, 5)]) == []
    assert len(run_levels([(0, 0), (0, 1), (1, 1)])) == 2


def test_a_failed_fit_leaves_the_variance_of_a_level_valid():
    """Ten generators with three fits each, one of which failed: still about the truth, 1 / 10."""
    runs = crossed(10, 3)[:-1]
    made = np.array([run[0] for run in runs])
    found = [
        level_covariance(normal(seed, 10)[made][:, None], made)[0][0, 0] for seed in range(400)
    ]
    assert np.mean(found) == pytest.approx(0.1, rel=0.06)


def test_welch_by_hand():
    assert welch_freedom([(1.0, 4.0)]) == 4
    assert welch_freedom([(1.0, 4.0), (1.0, 4.0)]) == 8
    assert welch_freedom([(0.0, 4.0)]) == float("inf")


def test_p_values_go_on_where_the_resamples_end():
    """Eight errors from 0: 200 draws can say no more than 1 %, which Holm would multiply away."""
    found = estimate_of(normal(6, 400, 1) + 0.4, resamples=200)
    assert found.low > 0
    assert found.p_value == 1e-6
    middling = estimate_of(normal(6, 400, 1) + 0.2, resamples=200)
    assert 1e-5 < middling.p_value < 1e-3
    near = estimate_of(normal(6, 400, 1) + 0.06, resamples=200)
    assert 0.01 < near.p_value < 1


EQUAL_ARMS = [
    (paired(3), 0.02, 0.0, 0.0, 34),
    (paired(3), 0.0, 0.0, 0.1, 34),
    (paired(3), 0.005, 0.0, 0.1, 34),
    (crossed(3, 5), 0.02, 0.0, 0.1, 34),
    (crossed(3, 5), 0.0, 0.02, 0.1, 34),
    (crossed(3, 5), 0.01, 0.01, 0.02, 34),
]


@pytest.mark.parametrize(("runs", "of_generators", "of_trainers", "of_units", "most"), EQUAL_ARMS)
def test_nominal_coverage_whatever_varies(runs, of_generators, of_trainers, of_units, most):
    """A true mean of 0 is rarely excluded in 300 experiments.

    A plain bootstrap of seeds, then units, excludes it in 60 and more of the first kind. ``most``
    is three binomial standard errors above 7 %, the worst case.
    """
    excluded = 0
    made, fit = np.array(runs).T
    for trial in range(300):
        values = (
            of_generators * normal(10_000 + trial, 9)[made]
            + of_trainers * normal(20_000 + trial, 9)[fit]
            + of_units * normal(30_000 + trial, 80, len(runs))
        )
        found = estimate_of(values, seed=trial, resamples=200, runs=runs)
        excluded += found.low > 0 or found.high < 0
    assert excluded <= most


def test_holm_by_hand():
    assert holm(np.array([0.04, 0.01, 0.5])).tolist() == pytest.approx([0.08, 0.03, 0.5])
    assert holm(np.array([])).size == 0


def test_summary_has_a_row_for_each_run_with_means_over_seeds(make_units):
    units = pl.concat(
        [
            make_units({"real": 0.0, "combined": 0.1}, noise=0.01),
            make_units({"real": 0.0, "combined": 0.1}, model="item_knn", noise=0.01, n_seeds=1),
        ]
    )
    metrics = summarise_metrics(units)
    assert dict(metrics.schema) == EVALUATION_COLUMNS["metrics"]
    assert metrics.select("model", "arm", "units", "seeds").rows() == [
        ("item_knn", "combined", 300, 1),
        ("item_knn", "real", 300, 1),
        ("sasrec", "combined", 300, 3),
        ("sasrec", "real", 300, 3),
    ]
    direct = units.filter(pl.col("model") == "sasrec", pl.col("arm") == "real")["value"].mean()
    assert metrics.row(3, named=True)["value"] == pytest.approx(direct)
    assert (metrics["low"] < metrics["value"]).all()
    assert (metrics["value"] < metrics["high"]).all()


def test_summary_does_not_depend_on_the_order_of_rows(make_units):
    units = make_units({"real": 0.0, "combined": 0.1})
    shuffled = units.sample(fraction=1.0, shuffle=True, seed=3)
    assert summarise_metrics(units).equals(summarise_metrics(shuffled))


def test_the_interval_of_a_mean_is_the_bootstraps(make_units):
    """It is not drawn, yet ends where 10,000 draws end."""
    row = summarise_metrics(make_units({"combined": 0.1}, seed_noise=0.02)).row(0, named=True)
    values = make_units({"combined": 0.1}, seed_noise=0.02)["value"].to_numpy().reshape(3, 300).T
    found = estimate_of(values, resamples=10_000)
    width = found.high - found.low
    assert row["low"] == pytest.approx(found.low, abs=0.02 * width)
    assert row["high"] == pytest.approx(found.high, abs=0.02 * width)


def test_means_of_crossed_runs_count_every_run(make_units):
    rows = summarise_metrics(make_units({"real": 0.0, "combined": 0.1}, n_trainers=5))
    assert dict(rows.select("arm", "seeds").iter_rows()) == {"combined": 15, "real": 5}


def test_the_mean_of_one_unit_has_no_interval(make_units):
    row = summarise_metrics(make_units({"real": 0.0}, n_units=1)).row(0, named=True)
    assert row["value"] > 0
    assert np.isnan([row["low"], row["high"]]).all()


def test_values_that_are_all_equal_have_an_interval_of_no_width(make_units):
    units = make_units({"real": 0.0}).with_columns(pl.lit(0.25).alias("value"))
    row = summarise_metrics(units).row(0, named=True)
    assert (row["low"], row["value"], row["high"]) == (0.25, 0.25, 0.25)


def test_nothing_to_summarise():
    empty = pl.DataFrame(schema=EVALUATION_COLUMNS["units"])
    assert summarise_metrics(empty).is_empty()


def test_an_effect_as_large_as_detectable_is_found_four_times_in_five():
    """Three seeds carry all the noise: 2.8 errors would be found in one run of three."""
    generator = np.random.Generator(np.random.PCG64(0))
    n_units, error = 50, 0.05
    found = 0
    for _ in range(300):
        values = np.full((n_units, 3), 5.36 * error) + error * np.sqrt(
            3
        ) * generator.standard_normal(3)
        found += estimate_of(values, resamples=100).low > 0
    assert 0.6 < found / 300 < 0.9
    one = Estimate(0.0, -1.0, 1.0, 1.0, error, 2.0)
    assert one.detectable == pytest.approx(5.36 * error, rel=0.001)
    assert Estimate(0.0, -1.0, 1.0, 1.0, error).detectable == pytest.approx(2.80 * error, rel=0.002)
