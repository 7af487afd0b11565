"""Filters: exact for Gaussians, Rényi numbers those of dp-accounting, never looser than a plan."""

import math
import sys

import pytest

from shopsynth.privacy.accounting import compose, gaussian_mu
from shopsynth.privacy.charges import Charge
from shopsynth.privacy.filters import AdaptiveFilter, plan_mu, renyi, steps_noise
from shopsynth.schema import MissingExtraError

dp_accounting = pytest.importorskip("dp_accounting")
from dp_accounting import rdp  # noqa: E402

DELTA = 1e-6
GAUSSIAN = [Charge("a", "gaussian", 10.0, count=3)]
PURE = [Charge("a", "pure", 10.0)]
SGD = [Charge("a", "poisson_gaussian", 1.0, count=300, sampling_rate=0.01)]


def test_gaussian_plans_add_up_to_the_budget_but_for_a_thousandth():
    rule = AdaptiveFilter.for_first(GAUSSIAN, 3.0, DELTA)
    left = rule.allowance_mu([GAUSSIAN] * 5, 3.0, DELTA)
    spent = math.hypot(left, math.sqrt(5) * compose(GAUSSIAN).gaussian_mu)
    assert 0.999 * gaussian_mu(3.0, DELTA) < spent < gaussian_mu(3.0, DELTA)


@pytest.mark.parametrize("first", [GAUSSIAN, PURE, SGD], ids=["gaussian", "pure", "dp_sgd"])
def test_what_a_filter_allows_it_admits_and_a_little_more_it_refuses(first):
    rule = AdaptiveFilter.for_first(first, 3.0, DELTA)
    plans = [first, GAUSSIAN]
    mu = rule.allowance_mu(plans, 3.0, DELTA)
    parts = [[Charge("b", "gaussian", 2 / mu)]] * 4
    assert rule.admits([*plans, *parts], 3.0, DELTA)
    assert not rule.admits([*plans, *parts, [Charge("b", "gaussian", 10 / mu)]], 3.0, DELTA)
    assert rule.allowance_mu([*plans, *parts], 3.0, DELTA) < 1e-4 * mu


@pytest.mark.parametrize("first", [GAUSSIAN, PURE, SGD], ids=["gaussian", "pure", "dp_sgd"])
def test_no_filter_is_tighter_than_the_same_plans_fixed_beforehand(first):
    rule = AdaptiveFilter.for_first(first, 3.0, DELTA)
    plans: list[list[Charge]] = []
    while rule.admits([*plans, first], 3.0, DELTA):
        plans.append(first)
    assert len(plans) > 1
    assert compose(charge for plan in plans for charge in plan).epsilon(DELTA) <= 3.0


def test_many_small_choices_are_held_to_a_renyi_order_and_gaussians_never():
    assert AdaptiveFilter.for_first(PURE, 3.0, DELTA).kind == "rdp"
    assert AdaptiveFilter.for_first(GAUSSIAN, 3.0, DELTA) == AdaptiveFilter.plain()
    assert AdaptiveFilter.for_first(PURE, math.inf, DELTA).kind == "gdp"
    rule = AdaptiveFilter.for_first(PURE, 3.0, DELTA)
    by_gaussians = AdaptiveFilter("gdp", rule.share)
    plans = [PURE] * 8  # More than eight tails do not fit the share that Gaussians are given.
    assert rule.allowance_mu(plans, 3.0, DELTA) > by_gaussians.allowance_mu(plans, 3.0, DELTA)
    assert AdaptiveFilter.from_json(rule.to_json()) == rule


def test_slacks_fill_a_share_of_delta_that_was_fixed_with_the_first_plan():
    rule = AdaptiveFilter.for_first(GAUSSIAN, 3.0, DELTA)
    failing = [Charge("a", "gaussian", 100.0, slack=0.02 * DELTA)]
    assert not rule.admits([GAUSSIAN, failing], 3.0, DELTA)
    assert rule.allowance_mu([GAUSSIAN, failing], 3.0, DELTA) == 0.0
    begun = AdaptiveFilter.for_first(failing, 3.0, DELTA)
    assert begun.share > rule.share
    assert begun.admits([failing] * 10, 3.0, DELTA)
    assert not begun.admits([failing] * 14, 3.0, DELTA)


def test_a_budget_without_bound_admits_everything():
    plans = [[Charge("a", "gaussian", 0.1)]] * 3
    assert AdaptiveFilter.plain().admits(plans, math.inf, DELTA)
    assert AdaptiveFilter.plain().allowance_mu(plans, math.inf, DELTA) == math.inf


def test_a_plan_takes_its_mu_and_its_slack_stands_apart():
    slack = [Charge("a", "gaussian", 10.0, count=4, slack=0.1)]
    assert plan_mu(slack, DELTA) == pytest.approx(0.2)


@pytest.mark.parametrize(("steps", "rate"), [(50, 1.0), (20, 0.1), (1, 0.01)])
def test_steps_get_the_least_noise_that_their_plan_may_have(steps, rate):
    noise = steps_noise(0.6, DELTA, steps=steps, sampling_rate=rate)

    def cost(multiplier):
        return plan_mu([Charge("a", "poisson_gaussian", multiplier, steps, rate)], DELTA)

    assert cost(noise) <= 0.6 < cost(noise * 0.997)


@pytest.mark.parametrize("order", [1.5, 2.0, 9.0, 65.0])
def test_renyi_divergences_are_those_of_dp_accounting(order):
    parts = [
        (Charge("a", "gaussian", 3.0, count=2), dp_accounting.GaussianDpEvent(3.0)),
        (Charge("a", "laplace", 3.0, count=2), dp_accounting.LaplaceDpEvent(3.0)),
        (
            Charge("a", "poisson_gaussian", 1.5, count=2, sampling_rate=0.1),
            dp_accounting.PoissonSampledDpEvent(0.1, dp_accounting.GaussianDpEvent(1.5)),
        ),
    ]
    for charge, event in parts:
        reference = rdp.RdpAccountant(orders=[order]).compose(event, 2).rdp[0]
        assert renyi(compose([charge]), order) == pytest.approx(reference, rel=1e-9)


@pytest.mark.parametrize("order", [1.5, 2.0, 9.0, 65.0])
def test_a_pure_loss_is_bounded_by_randomised_response(order):
    told = renyi(compose([Charge("a", "pure", 1.0)]), order)
    truth = math.e / (1 + math.e)
    direct = math.log(
        truth**order * (1 - truth) ** (1 - order) + (1 - truth) ** order * truth ** (1 - order)
    ) / (order - 1)
    assert told == pytest.approx(direct, rel=1e-12)
    assert told <= min(1.0, order / 2)


@pytest.mark.parametrize("mu", [0.1, 0.4])
def test_the_limit_at_an_order_is_dp_accountings_conversion(mu):
    order = 12.0
    spent = renyi(compose([Charge("a", "gaussian", 1 / mu)]), order)
    epsilon, _ = rdp.compute_epsilon([order], [spent], DELTA * 0.99)
    rule = AdaptiveFilter("rdp", 0.01, order)
    plan = [Charge("a", "gaussian", 1 / mu)]
    assert rule.admits([plan], epsilon * (1 + 1e-9), DELTA)
    assert not rule.admits([plan], epsilon * (1 - 1e-9), DELTA)


def test_filters_name_the_extra_they_need(monkeypatch):
    monkeypatch.setitem(sys.modules, "dp_accounting", None)
    with pytest.raises(MissingExtraError, match=r"shopsynth\[privacy\]"):
        renyi(compose(SGD), 3.0)
