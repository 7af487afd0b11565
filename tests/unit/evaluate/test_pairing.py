"""Arms are paired run by run, and ratios are as uncertain as both of their parts."""

import numpy as np
import pytest

from shopsynth.evaluate import UnitValues
from shopsynth.evaluate.bootstrap import resample_means
from shopsynth.evaluate.pairing import Paired, copied_models, pair_arms, pair_runs

RUNS = ((0, 0), (1, 1), (2, 2))


def paired(ours: np.ndarray, theirs: np.ndarray, runs=RUNS, resamples: int = 2_000) -> Paired:
    both = np.stack([ours.mean(axis=1), theirs.mean(axis=1)], axis=1)
    drawn = resample_means(both, resamples=resamples, seed=1)
    return Paired(
        ours.mean(axis=0), theirs.mean(axis=0), drawn[:, 0], drawn[:, 1], runs, ours.shape[0]
    )


def draw(seed: int, *shape: int) -> np.ndarray:
    return np.random.Generator(np.random.PCG64(seed)).standard_normal(shape)


def test_runs_pair_with_the_same_run_else_with_an_arm_without_generator():
    crossed = [(made, fit) for made in range(2) for fit in range(2)]
    assert pair_runs(crossed, crossed) == {run: run for run in crossed}
    assert pair_runs(crossed, [(0, 0), (0, 1)]) == {run: (0, run[1]) for run in crossed}
    assert pair_runs(crossed, [(0, 1)]) == {(0, 1): (0, 1), (1, 1): (0, 1)}
    assert pair_runs([(0, 0)], []) == {}


def test_an_interval_of_a_ratio_without_noise_in_the_base_is_that_of_the_difference():
    base = np.full((400, 3), 0.5)
    pair = paired(base + 0.05 + 0.1 * draw(2, 400, 3), base)
    low, high = pair.relative_interval()
    effect = pair.difference()
    assert pair.relative == pytest.approx(effect.point / 0.5)
    assert (low, high) == pytest.approx((effect.low / 0.5, effect.high / 0.5), rel=1e-6)


def test_an_uncertain_base_widens_the_interval_by_the_delta_method():
    """Unpaired noise, many units, large change: Var(a / b) = (Var a + ratio² Var b) / b²."""
    ours, theirs = 2.0 + draw(3, 4_000, 1), 1.0 + draw(4, 4_000, 1)
    pair = paired(ours, theirs, ((0, 0),), resamples=10_000)
    low, high = pair.relative_interval()
    ratio = ours.mean() / theirs.mean()
    error = np.sqrt((ours.var() + ratio**2 * theirs.var()) / 4_000) / theirs.mean()
    assert pair.relative == pytest.approx(ratio - 1)
    assert high - low == pytest.approx(2 * 1.96 * error, rel=0.03)
    fixed_base = pair.difference()
    assert high - low > 1.5 * (fixed_base.high - fixed_base.low) / theirs.mean()


def test_seeds_of_the_base_widen_the_interval_as_well():
    """Only the base's trainer varies: Fieller's set by hand, with t of two degrees of freedom."""
    theirs = np.tile([0.9, 1.0, 1.1], (50, 1))
    ours = np.full((50, 3), 1.1)
    low, high = paired(ours, theirs).relative_interval()
    t_square, variance = 4.302653**2, 0.01 / 3
    # (0.1 - θ)² = t² (1 + θ)² Var(b): the difference falls as the base rises.
    root = np.sqrt(t_square * variance)
    assert low == pytest.approx((0.1 - root) / (1 + root), rel=1e-4)
    assert high == pytest.approx((0.1 + root) / (1 - root), rel=1e-4)


def test_a_ratio_to_almost_nothing_has_no_interval():
    base = 0.01 + draw(5, 30, 3)
    assert np.isnan(paired(base + 1, base - base.mean() + 0.01).relative_interval()).all()
    seeds = np.tile([0.0, 1.0, 2.0], (50, 1))
    assert np.isnan(paired(seeds + 0.1, seeds).relative_interval()).all()
    one = np.ones((1, 3))
    assert np.isnan(paired(one, one).relative_interval()).all()
    assert np.isnan(paired(one, -one).relative)


@pytest.mark.parametrize("of_seeds", [0.0, 0.01])
def test_a_relative_interval_covers_the_truth(of_seeds):
    """True change +10 %, 300 experiments, units, runs and base noisy; 93 to 99 % cover it."""
    covered = 0
    for trial in range(300):
        units = 0.5 + 0.2 * draw(40_000 + trial, 120, 1)
        theirs = units + of_seeds * draw(50_000 + trial, 3) + 0.1 * draw(60_000 + trial, 120, 3)
        ours = 1.1 * units + of_seeds * draw(70_000 + trial, 3) + 0.1 * draw(80_000 + trial, 120, 3)
        low, high = paired(ours, theirs, resamples=200).relative_interval()
        covered += low < 0.1 < high
    assert covered >= 300 * 0.93 - 13


@pytest.mark.parametrize("scale", [1e-3, 40.0])
def test_relative_figures_do_not_depend_on_the_metrics_unit(scale):
    base = 0.5 + 0.1 * draw(6, 200, 3)
    gained = base + 0.04 + 0.02 * draw(7, 200, 3)
    one, two = paired(gained, base), paired(scale * gained, scale * base)
    assert two.relative_interval() == pytest.approx(one.relative_interval(), rel=1e-6)
    assert two.difference().low == pytest.approx(scale * one.difference().low, rel=1e-6)
    assert two.shifted(0.02, 1).p_value == pytest.approx(one.shifted(0.02, 1).p_value, rel=1e-6)


def test_swapping_the_arms_turns_the_difference_round():
    base = 0.5 + 0.1 * draw(8, 200, 3)
    gained = base + 0.01 + 0.05 * draw(9, 200, 3)
    one, two = paired(gained, base).difference(), paired(base, gained).difference()
    assert (two.point, two.low, two.high) == pytest.approx((-one.point, -one.high, -one.low))
    assert two.p_value == one.p_value


def test_a_shifted_difference_is_one_from_a_loss_of_the_margin():
    base = 0.5 + 0.1 * draw(10, 400, 3)
    lost = 0.98 * base + 0.01 * draw(11, 400, 3)
    at_margin = paired(lost, base).shifted(0.02, 1)
    assert at_margin.low < 0 < at_margin.high
    assert paired(lost, base).shifted(0.03, 1).low > 0
    assert paired(lost, base).shifted(0.01, 1).high < 0
    # Of an error, 2 % less is a gain: far above a tolerated rise of 1 %.
    assert paired(lost, base).shifted(0.01, -1).point == pytest.approx(0.03 * base.mean(), rel=0.05)


def test_one_set_of_draws_serves_every_pair(make_units):
    units = make_units({"real": 0.0, "combined": 0.1, "noise": 0.0})
    (table,) = UnitValues.read([units]).tables
    arms = [("combined", "real"), ("combined", "noise"), ("combined", "oracle")]
    found = pair_arms(table, arms, {("ndcg", 10)}, resamples=50, seed=3)
    to_real, to_noise = found.values()
    assert [key[1:] for key in found] == arms[:2]
    assert to_real.ours_resampled is not to_noise.theirs_resampled
    assert np.array_equal(to_real.ours_resampled, to_noise.ours_resampled)
    again = pair_arms(table, arms[:1], {("ndcg", 10)}, resamples=50, seed=3)
    assert np.array_equal(next(iter(again.values())).ours_resampled, to_real.ours_resampled)
    assert pair_arms(table, arms, {("ndcg", 20)}, resamples=50, seed=3) == {}


def test_copies_are_known_by_their_values(make_units):
    units = [make_units({"real": 0.0}, model=model, seed=seed)
             for model, seed in (("a", 1), ("b", 1), ("c", 2))]  # fmt: skip
    (table,) = UnitValues.read(units).tables
    assert copied_models(table, "a", "real") == {"b"}
    assert copied_models(table, "c", "real") == frozenset()
    assert copied_models(table, "missing", "real") == frozenset()
