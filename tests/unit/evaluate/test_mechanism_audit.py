"""Audits of noise: what is caught, how often, and that nothing else is."""

import math

import numpy as np
import pytest
from scipy import stats

from shopsynth.evaluate.mechanism_audit import audit_mu, audit_poisson
from shopsynth.schema import EVALUATION_COLUMNS

MU = 0.2371
"""A Gaussian mechanism of epsilon 1 at delta 1e-6 (PRIVACY §1)."""


def caught(true_mu: float, trials: int, runs: int, seed: int) -> int:
    draw = np.random.Generator(np.random.PCG64(seed))
    return sum(
        not audit_mu(true_mu + draw.normal(size=trials), draw.normal(size=trials), MU).passed
        for _ in range(runs)
    )


def test_a_correct_mechanism_passes() -> None:
    assert caught(MU, 5_000, 150, seed=1) == 0
    assert caught(MU, 20_000, 50, seed=2) == 0


@pytest.mark.planted_leak
def test_leak_01_noise_halved_is_caught_at_5000_trials() -> None:
    assert caught(2 * MU, 5_000, 100, seed=3) >= 99


@pytest.mark.planted_leak
def test_leak_04_a_sensitivity_wrong_by_root_2_is_caught_at_20000_trials() -> None:
    assert caught(math.sqrt(2) * MU, 20_000, 60, seed=4) >= 57
    assert caught(2 * MU, 5_000, 60, seed=5) >= 59


def test_the_bound_is_a_bound_and_close() -> None:
    draw = np.random.Generator(np.random.PCG64(6))
    for mu in (0.0, 0.5, 2.0, 5.0):
        bounds = [
            audit_mu(mu + draw.normal(size=4_000), draw.normal(size=4_000), 1.0).mu_lower
            for _ in range(40)
        ]
        assert max(bounds) <= mu + 1e-9
        assert np.median(bounds) > 0.75 * mu - 0.15


def test_scores_of_any_shape_are_bounded() -> None:
    """Discrete, equal or lopsided scores give no false alarm, and a leak in a tail is seen."""
    draw = np.random.Generator(np.random.PCG64(7))
    same = np.zeros(200)
    assert audit_mu(same, same, 0.0).passed
    assert audit_mu(same, same, 0.0).mu_lower == 0
    coins = [draw.integers(0, 2, 2_000).astype(float) for _ in range(2)]
    assert audit_mu(coins[0], coins[1], 0.05).passed
    # One run in ten shows the user without any doubt; a threshold in the middle would see 0.25.
    revealing = np.where(draw.random(5_000) < 0.1, 99.0, draw.normal(size=5_000))
    assert audit_mu(revealing, draw.normal(size=5_000), 0.5).mu_lower > 0.8


def test_the_power_is_what_is_caught_19_times_of_20() -> None:
    draw = np.random.Generator(np.random.PCG64(8))
    power = audit_mu(draw.normal(size=3_000), draw.normal(size=3_000), MU).power
    assert MU < power < 2 * MU
    assert 0.85 <= caught(power, 3_000, 100, seed=9) / 100 <= 1
    assert caught(MU + 0.5 * (power - MU), 3_000, 100, seed=10) / 100 < 0.8
    few = audit_mu(draw.normal(size=50), draw.normal(size=50), 30.0)
    assert few.power == math.inf
    assert few.passed


def test_the_row_has_the_form_of_all_audits() -> None:
    draw = np.random.Generator(np.random.PCG64(11))
    row = audit_mu(9 + draw.normal(size=99), draw.normal(size=99), 1.0).row("noise of a count")
    assert list(row) == list(EVALUATION_COLUMNS["audits"])
    assert row["passed"] is False
    assert row["value"] > row["threshold"] == 1.0
    assert "99 trials" in row["power"]


@pytest.mark.parametrize(
    ("with_user", "without_user", "claimed", "confidence"),
    [
        (np.zeros(49), np.zeros(49), 1.0, 0.99),
        (np.zeros(50), np.zeros(60), 1.0, 0.99),
        (np.full(50, math.nan), np.zeros(50), 1.0, 0.99),
        (np.zeros(50), np.full(50, math.inf), 1.0, 0.99),
        (np.zeros(50), np.zeros(50), -1.0, 0.99),
        (np.zeros(50), np.zeros(50), math.nan, 0.99),
        (np.zeros(50), np.zeros(50), 1.0, 1.0),
    ],
)
def test_scores_that_cannot_be_judged_are_refused(
    with_user: np.ndarray, without_user: np.ndarray, claimed: float, confidence: float
) -> None:
    with pytest.raises(ValueError, match="audit_mu: expected"):
        audit_mu(with_user, without_user, claimed, confidence)


def test_independent_draws_pass_and_others_do_not() -> None:
    draw = np.random.Generator(np.random.PCG64(12))
    shape, rate = (50, 300), 0.1
    alarms = sum(not audit_poisson(draw.random(shape) < rate, rate).passed for _ in range(300))
    assert stats.binom.sf(alarms - 1, 300, 0.002) > 1e-3, "about one false alarm in 1,000"
    assert not audit_poisson(draw.random(shape) < 1.2 * rate, rate).passed
    always_the_same = np.tile(draw.random(300) < rate, (50, 1))
    assert not audit_poisson(always_the_same, rate).passed
    equal_batches = np.stack([draw.permutation(300) < 30 for _ in range(50)])
    assert not audit_poisson(equal_batches, rate).passed
    for drawn, claimed in ((np.zeros((0, 3), bool), 0.5), (np.ones((2, 2), bool), 1.0)):
        with pytest.raises(ValueError, match="audit_poisson: expected"):
            audit_poisson(drawn, claimed)
