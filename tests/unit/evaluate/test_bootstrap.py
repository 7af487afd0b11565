"""Intervals cover what they promise, whatever varies: units, seeds or both."""

import numpy as np
import polars as pl
import pytest

from shopsynth.evaluate import holm, summarise_metrics
from shopsynth.evaluate.bootstrap import Estimate, estimate, resample_means
from shopsynth.schema import EVALUATION_COLUMNS, InputError


def normal(seed: int, *shape: int) -> np.ndarray:
    return np.random.Generator(np.random.PCG64(seed)).standard_normal(shape)


def estimate_of(values: np.ndarray, seed: int = 0, resamples: int = 2_000):
    resampled = resample_means(values, resamples=resamples, seed=seed)
    return estimate(values.mean(axis=0), resampled, values.shape[0])


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


@pytest.mark.parametrize(
    ("of_seeds", "of_units", "of_both"), [(0.02, 0.0, 0.05), (0.0, 0.1, 0.0), (0.005, 0.05, 0.1)]
)
def test_nominal_coverage_whatever_varies(of_seeds, of_units, of_both):
    """A true mean of 0 is rarely excluded in 300 experiments of three seeds.

    A plain bootstrap of seeds, then units, excludes it in 60 and more of the first kind.
    """
    excluded = 0
    for trial in range(300):
        values = (
            of_seeds * normal(10_000 + trial, 3)
            + of_units * normal(20_000 + trial, 80, 1)
            + of_both * normal(30_000 + trial, 80, 3)
        )
        found = estimate_of(values, seed=trial, resamples=200)
        excluded += found.low > 0 or found.high < 0
    assert excluded <= 34  # three binomial standard errors above 7 %, the worst case


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


def test_runs_with_other_units_are_refused(make_units):
    units = make_units({"real": 0.0, "combined": 0.1})
    with pytest.raises(InputError, match=r"300 units in each of 6 runs .* 1799 rows and 1 gaps"):
        summarise_metrics(units.head(units.height - 1))


def test_repeated_rows_are_refused(make_units):
    units = make_units({"real": 0.0})
    with pytest.raises(InputError, match="901 rows and 0 gaps"):
        summarise_metrics(pl.concat([units, units.head(1)]))


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
        resampled = resample_means(values, resamples=100, seed=0)
        found += estimate(values.mean(axis=0), resampled, n_units).low > 0
    assert 0.6 < found / 300 < 0.9
    one = Estimate(0.0, -1.0, 1.0, 1.0, error, 2.0)
    assert one.detectable == pytest.approx(5.36 * error, rel=0.001)
    assert Estimate(0.0, -1.0, 1.0, 1.0, error).detectable == pytest.approx(2.80 * error, rel=0.002)
