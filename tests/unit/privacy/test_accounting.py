"""Accounting against dp-accounting's own numbers, and against the table of PRIVACY, section 1."""

import math
import sys
from typing import Any

import numpy as np
import pytest

from shopsynth.privacy.accounting import (
    Composition,
    allowance_mu,
    calibrate,
    compose,
    gaussian_delta,
    gaussian_epsilon,
    gaussian_mu,
)
from shopsynth.privacy.charges import Charge
from shopsynth.schema import MissingExtraError, PrivacyError

dp_accounting = pytest.importorskip("dp_accounting")
from dp_accounting import pld, rdp  # noqa: E402

DELTA = 1e-6
SGD = Charge("dp_sgd", "poisson_gaussian", 1.0, count=1500, sampling_rate=0.01)
VOTES = Charge("votes", "gaussian", 20.0, count=10)
MARGINALS = Charge("marginals", "gaussian", 30.0, count=60)
EXAMPLE = [SGD, VOTES, MARGINALS]


def event(charge: Charge) -> object:
    one = {
        "gaussian": dp_accounting.GaussianDpEvent,
        "poisson_gaussian": dp_accounting.GaussianDpEvent,
        "laplace": dp_accounting.LaplaceDpEvent,
    }[charge.kind](charge.noise_multiplier)
    if charge.kind == "poisson_gaussian":
        one = dp_accounting.PoissonSampledDpEvent(charge.sampling_rate, one)
    return dp_accounting.SelfComposedDpEvent(one, charge.count)


def lower_bound(charges: list[Charge]) -> float:
    """The same composition by dp-accounting with optimistic estimates, one by one."""
    joint: Any = None
    options = {"pessimistic_estimate": False, "use_connect_dots": False}
    made = pld.privacy_loss_distribution
    for charge in charges:
        if charge.kind == "laplace":
            one = made.from_laplace_mechanism(charge.noise_multiplier, **options)
        else:
            one = made.from_gaussian_mechanism(
                charge.noise_multiplier, sampling_prob=charge.sampling_rate, **options
            )
        # An optimistic estimate must not cut tails off.
        many = one.self_compose(charge.count, tail_mass_truncation=0)
        joint = many if joint is None else joint.compose(many, tail_mass_truncation=0)
    return float(joint.get_epsilon_for_delta(DELTA))


@pytest.mark.parametrize(("epsilon", "mu"), [(0.5, 0.124), (1.0, 0.237), (3.0, 0.648), (8.0, 1.53)])
def test_mu_of_the_published_table(epsilon, mu):
    assert gaussian_mu(epsilon, DELTA) == pytest.approx(mu, rel=0.004)


@pytest.mark.parametrize("mu", [1e-3, 0.05, 0.237, 1.53, 6.0, 40.0])
@pytest.mark.parametrize("delta", [1e-3, 1e-6, 1e-10])
def test_one_gaussian_is_the_references_to_nine_digits(mu, delta):
    reference = dp_accounting.get_epsilon_gaussian(1 / mu, delta, tol=1e-13)
    told = gaussian_epsilon(mu, delta)
    assert reference * (1 - 1e-9) <= told <= reference * (1 + 1e-6) + 1e-9
    if told > 0:
        assert gaussian_mu(told, delta) == pytest.approx(mu, rel=1e-6)
        assert gaussian_delta(mu, told) <= delta


def test_no_loss_costs_nothing_and_an_endless_one_everything():
    assert compose([]).epsilon(DELTA) == compose([]).delta(0.0) == compose([]).mu(DELTA) == 0.0
    assert gaussian_mu(math.inf, DELTA) == math.inf
    assert gaussian_delta(1e4, 1.0) == 1.0
    hopeless = compose([Charge("raw", "pure", 1e-4)])
    assert hopeless.epsilon(DELTA) == hopeless.mu(DELTA) == math.inf
    assert hopeless.delta(100.0) == 1.0


@pytest.mark.parametrize(
    "charges",
    [
        EXAMPLE,
        [Charge("steps", "poisson_gaussian", 2.0, count=8, sampling_rate=0.1), VOTES],
        [Charge("a", "laplace", 10.0, count=5), VOTES],
        [Charge("a", "laplace", 3.0)],
    ],
    ids=["example", "dp_sgd and gaussian", "laplace and gaussian", "laplace"],
)
def test_epsilon_is_never_below_the_reference_and_at_most_a_hundredth_above(charges):
    told = compose(charges).epsilon(DELTA)
    accountant = pld.PLDAccountant()
    for charge in charges:
        accountant.compose(event(charge))
    reference = accountant.get_epsilon(DELTA)
    assert 0.999 * reference <= told <= 1.01 * reference
    assert compose(charges).delta(told) <= DELTA * (1 + 1e-6)
    if charges != EXAMPLE:  # 1,500 steps without cutting tails fill the memory.
        assert lower_bound(charges) <= told


def test_a_pure_mechanism_costs_its_epsilon_and_ten_of_them_less_than_ten():
    once = Charge("choice", "pure", 10.0)
    assert compose([once]).epsilon(1e-12) == pytest.approx(0.1, abs=2e-4)
    many = compose([once] * 50).epsilon(DELTA)
    assert 1.0 < many < 5.0


def test_four_mechanisms_together_cost_a_quarter_less_than_their_sum():
    choice = Charge("choice", "pure", 20.0, count=2)
    told = compose([*EXAMPLE, choice]).epsilon(DELTA)
    alone = [compose([charge]).epsilon(DELTA) for charge in (*EXAMPLE, choice)]
    assert told <= 0.75 * sum(alone)


def test_the_example_of_the_design_is_measured_again():
    """PRIVACY, section 3: 4.31 added, 3.20 by RDP, 2.92 by privacy-loss distributions."""
    assert sum(compose([each]).epsilon(DELTA) for each in EXAMPLE) == pytest.approx(4.31, abs=0.01)
    accountant = rdp.RdpAccountant()
    for charge in EXAMPLE:
        accountant.compose(event(charge))
    assert accountant.get_epsilon(DELTA) == pytest.approx(3.20, abs=0.01)
    assert compose(EXAMPLE).epsilon(DELTA) == pytest.approx(2.92, abs=0.005)


def test_mu_is_that_of_a_gaussian_at_least_as_bad_wherever_delta_is_not_reached():
    for charges in (EXAMPLE, [Charge("a", "laplace", 20.0, count=60)]):
        joint = compose(charges)
        mu = joint.mu(DELTA)
        for epsilon in np.linspace(0, joint.epsilon(DELTA), 37):
            assert gaussian_delta(mu, float(epsilon)) >= joint.delta(float(epsilon))
        assert mu < 1.15 * gaussian_mu(joint.epsilon(DELTA), DELTA)


def test_gaussians_add_up_as_squares_whatever_their_order():
    joint = compose([MARGINALS, VOTES])
    assert joint.mu(DELTA) == pytest.approx(math.sqrt(60 / 900 + 10 / 400))
    assert joint == compose([VOTES, MARGINALS])
    whole = Charge("all users", "poisson_gaussian", 5.0, sampling_rate=1.0)
    assert compose([whole]) == compose([Charge("a", "gaussian", 5.0)])


def test_slack_is_taken_off_delta_once_for_each_run():
    plain = Charge("a", "gaussian", 5.0, count=4)
    slack = Charge("a", "gaussian", 5.0, count=4, slack=2e-7)
    assert compose([slack]).epsilon(DELTA) == compose([plain]).epsilon(2e-7)
    assert compose([slack]).delta(1.0) == pytest.approx(compose([plain]).delta(1.0) + 8e-7)
    assert compose([slack]).epsilon(8e-7) == compose([slack]).mu(8e-7) == math.inf
    mixed = compose([slack, SGD])
    assert mixed.epsilon(8e-7) == mixed.mu(8e-7) == math.inf


@pytest.mark.parametrize("spent", [[], [VOTES], [SGD], [Charge("a", "laplace", 10.0, slack=1e-7)]])
def test_what_is_allowed_fits_and_a_little_more_does_not(spent):
    mu = allowance_mu(3.0, DELTA, spent)
    assert mu > 0
    parts = [Charge("b", "gaussian", math.sqrt(7) / mu)] * 7
    assert compose([*spent, *parts]).delta(3.0) <= DELTA
    more = Charge("b", "gaussian", 1 / (mu * 1.01))
    assert compose([*spent, more]).delta(3.0) > DELTA


def test_a_spent_budget_allows_nothing():
    assert allowance_mu(1.0, DELTA, [Charge("a", "gaussian", 1.0)]) == 0.0
    assert allowance_mu(1.0, DELTA, [SGD]) == 0.0
    assert allowance_mu(1.0, DELTA, [Charge("a", "gaussian", 50.0, slack=DELTA)]) == 0.0


@pytest.mark.parametrize(
    ("kind", "count", "rate"),
    [("gaussian", 4, 1.0), ("laplace", 3, 1.0), ("pure", 1, 1.0), ("poisson_gaussian", 200, 0.02)],
)
def test_calibrated_noise_fits_and_a_hundredth_less_does_not(kind, count, rate):
    found = calibrate(kind, 2.0, DELTA, count=count, sampling_rate=rate, spent=[VOTES])
    for noise, fits in ((found, True), (0.99 * found, False)):
        asked = Charge("a", kind, noise, count=count, sampling_rate=rate)
        assert (compose([VOTES, asked]).delta(2.0) <= DELTA) is fits


def test_calibrate_refuses_what_no_noise_can_pay():
    with pytest.raises(PrivacyError, match="one that is spent"):
        calibrate("gaussian", 1.0, DELTA, spent=[Charge("a", "gaussian", 1.0)])
    exact = compose([Charge("a", "gaussian", 5.0)])
    with pytest.raises(PrivacyError, match="almost nothing is left"):
        calibrate(
            "gaussian",
            1.0,
            exact.delta(1.0) * (1 + 1e-13),
            count=10**9,
            spent=[Charge("a", "gaussian", 5.0)],
        )


def test_a_loss_beyond_any_use_is_told_without_filling_the_memory():
    for kind in ("laplace", "poisson_gaussian"):
        rate = 0.5 if kind == "poisson_gaussian" else 1.0
        huge = compose([Charge("a", kind, 0.01, count=1000, sampling_rate=rate)])
        assert huge.epsilon(DELTA) > 1_000


def test_accounting_names_the_extra_it_needs(monkeypatch):
    monkeypatch.setitem(sys.modules, "dp_accounting.pld", None)
    with pytest.raises(MissingExtraError, match=r"shopsynth\[privacy\]"):
        Composition(0.0, (("laplace", 123.0, 1.0, 1),)).epsilon(DELTA)
    assert compose([VOTES]).epsilon(DELTA) > 0, "Gaussians need no library"


# ---- leak 10: a shuffle counted as Poisson -------------------------------------------------------


@pytest.mark.planted_leak
def test_leak_10_a_charge_that_says_it_shuffles_is_not_composed_as_poisson():
    shuffled = Charge("dp_sgd", "poisson_gaussian", 1.0, 100, 0.01, detail={"sampling": "shuffle"})
    with pytest.raises(PrivacyError, match="shuffling is not Poisson sampling"):
        compose([shuffled])
    said = Charge("dp_sgd", "poisson_gaussian", 1.0, 100, 0.01, detail={"sampling": "poisson"})
    assert compose([said]).epsilon(DELTA) > 0


@pytest.mark.planted_leak
def test_leak_10_a_shuffled_epoch_costs_more_than_the_poisson_claim():
    """In an epoch of a shuffle everybody takes part once, and somebody may know when."""
    claimed = compose([Charge("dp_sgd", "poisson_gaussian", 1.0, 100, 0.01)])
    honest = compose([Charge("dp_sgd", "gaussian", 1.0, 1)])
    assert honest.epsilon(DELTA) > 4 * claimed.epsilon(DELTA)
