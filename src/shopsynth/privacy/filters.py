"""Filters: whether one more plan fits, when each plan was chosen after the answers before it.

In: the plans so far, the next one and a budget. Out: yes or no, and how much is left.

The privacy-loss distributions of adaptively chosen plans may not simply be composed: the worst pair
of inputs of a later plan depends on earlier answers. Two bounds hold all the same, because what
they add up has a limit on every path:

- **gdp**: the sum of squared mus stays below that of the budget. A plan that is no Gaussian counts
  with the Gaussian that dominates it outside a small failure probability.
- **rdp**: the sum of Rényi divergences at one order stays below that of the budget.

Which of the two, its order, and how much of delta is set aside for failures follow from the first
plan and the first budget alone: chosen before any answer, they depend on none. Choosing the better
one at each step would be no bound.

Source: Smith and Thakurta, "Fully Adaptive Composition for Gaussian Differential Privacy", arXiv
2210.17520, theorem 3; Feldman and Zrnic, "Individual Privacy Accounting via a Rényi Filter", arXiv
2008.11193, theorem 4.3.
"""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal, Self

from shopsynth.privacy.accounting import Composition, compose, gaussian_mu
from shopsynth.privacy.charges import Charge
from shopsynth.schema import MissingExtraError

Plan = Sequence[Charge]

_SMALL_SHARE, _LARGE_SHARE = 0.01, 0.25
"""Of delta, for slacks and cut tails. The small one costs a Gaussian budget .05 % of its epsilon;
the large one is for sources whose first plan has thresholds that fail with some probability."""

_TAIL_SHARE = 1e-3
"""Of delta, a plan's tail beyond its Gaussian: ten such plans fit the small share."""

_CLEARLY_LESS = 0.8
"""Of what ``gdp`` would take: ``rdp`` costs later Gaussians a tenth more, so it has to pay."""

_ORDERS = tuple(1 + 2 ** (step / 2) for step in range(-2, 19))
"""Rényi orders from 1.5 to 513."""

_MARGIN = 1e-9
"""Relative, of an allowance that is split into many Gaussians and added up again."""

_PRECISION = 1e-3
"""Relative, of a noise multiplier that is searched; it is rounded up."""

_ROUNDING = 1e-12
"""Of the budget, for sums of floating-point numbers."""


@dataclass(frozen=True)
class AdaptiveFilter:
    """The rule that all plans of one budget are held to.

    Attributes:
        kind: ``gdp`` or ``rdp``.
        share: Part of delta that slacks and cut tails may use up.
        order: Rényi order of ``rdp``.
    """

    kind: Literal["gdp", "rdp"]
    share: float
    order: float = 0.0

    @classmethod
    def for_first(cls, plan: Plan, epsilon: float, delta: float) -> Self:
        """Choose the rule under which the first plan leaves most of its budget.

        Example:
            >>> counts = [Charge("counts", "gaussian", 5.0)]
            >>> AdaptiveFilter.for_first(counts, epsilon=3.0, delta=1e-6)
            AdaptiveFilter(kind='gdp', share=0.01, order=0.0)
        """
        slack = compose(plan).slack
        share = _SMALL_SHARE if slack <= _SMALL_SHARE * delta / 10 else _LARGE_SHARE
        gdp = cls("gdp", share)
        if not compose(plan).losses or not math.isfinite(epsilon):
            return gdp
        rules = [cls("rdp", share, order) for order in _ORDERS]
        rdp = min(rules, key=lambda rule: rule._used([plan], epsilon, delta))
        worth = rdp._used([plan], epsilon, delta) < _CLEARLY_LESS * gdp._used(
            [plan], epsilon, delta
        )
        return rdp if worth else gdp

    @classmethod
    def plain(cls) -> Self:
        """Return the rule of plans that are Gaussians without slack: what a run is planned by."""
        return cls("gdp", _SMALL_SHARE)

    def admits(self, plans: Sequence[Plan], epsilon: float, delta: float) -> bool:
        """Say whether plans, each chosen after the answers before it, stay within a budget."""
        return self._used(plans, epsilon, delta) <= 1.0

    def allowance_mu(self, plans: Sequence[Plan], epsilon: float, delta: float) -> float:
        """Find the largest mu that one more Gaussian plan may have; 0 if nothing is left."""
        if not math.isfinite(epsilon):
            return math.inf
        left = max(0.0, 1.0 - _ROUNDING - self._used(plans, epsilon, delta))
        whole = self._limit(epsilon, delta)
        squared = whole if self.kind == "gdp" else 2 * whole / self.order
        return math.sqrt(left * squared) * (1 - _MARGIN)

    def _used(self, plans: Sequence[Plan], epsilon: float, delta: float) -> float:
        """Tell which part of the budget is used; above 1 it is overspent."""
        if not math.isfinite(epsilon):
            return 0.0
        joint = [compose(plan) for plan in plans]
        failing = math.fsum(each.slack for each in joint)
        if self.kind == "gdp":
            failing += sum(_TAIL_SHARE * delta for each in joint if each.losses)
            spent = math.fsum(plan_mu(plan, delta) ** 2 for plan in plans)
        else:
            spent = math.fsum(renyi(each, self.order) for each in joint)
        limit = self._limit(epsilon, delta)
        if failing > self.share * delta or limit <= 0:
            return math.inf
        return spent / limit

    def _limit(self, epsilon: float, delta: float) -> float:
        left = delta * (1 - self.share)
        if self.kind == "gdp":
            return gaussian_mu(epsilon, left) ** 2
        # Canonne, Kamath, Steinke, arXiv 2004.00010, proposition 12, solved for the divergence.
        gain = math.log(left * self.order) / (self.order - 1)
        return epsilon - math.log1p(-1 / self.order) + gain

    def to_json(self) -> dict[str, Any]:
        """Return the rule as JSON-ready values."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Self:
        """Rebuild a rule from :meth:`to_json`."""
        return cls(**values)


def plan_mu(plan: Plan, delta: float) -> float:
    """Tell the mu that a plan takes of an adaptive budget of this delta, its slack left out.

    Example:
        >>> plan_mu([Charge("counts", "gaussian", 5.0, count=4)], delta=1e-6)
        0.4
    """
    joint = compose(plan)
    return Composition(joint.gaussian_mu, joint.losses).mu(_TAIL_SHARE * delta)


def steps_noise(mu: float, delta: float, *, steps: int, sampling_rate: float) -> float:
    """Find the least noise with which steps on drawn users cost a plan of ``mu``.

    Args:
        mu: What the plan may take of an adaptive budget.
        delta: The budget's.
        steps: Number of noisy steps.
        sampling_rate: Chance of a user to take part in a step.

    Returns:
        A noise multiplier, at most .1 % above the least, never below it.

    Example:
        >>> round(steps_noise(0.5, 1e-6, steps=100, sampling_rate=1.0))
        20
    """

    def fits(noise: float) -> bool:
        asked = Charge("steps", "poisson_gaussian", noise, steps, sampling_rate)
        return plan_mu([asked], delta) <= mu

    # Without any help from the draw, this is enough.
    low = high = math.sqrt(steps) / mu * (1 + _PRECISION)
    while fits(low / 2):
        low /= 2
    low, high = low / 2, low
    while high > low * (1 + _PRECISION):
        middle = math.sqrt(low * high)
        low, high = (low, middle) if fits(middle) else (middle, high)
    return high


def renyi(joint: Composition, order: float) -> float:
    """Bound the Rényi divergence of a composition at an order above 1, its slack left out.

    Source: Mironov, "Rényi Differential Privacy", arXiv 1702.07476, propositions 5 to 7; for
    Poisson draws Mironov, Talwar, Zhang, arXiv 1908.10530, as dp-accounting computes it.

    Example:
        >>> renyi(compose([Charge("counts", "gaussian", 2.0)]), order=8.0)
        1.0
    """
    total = order * joint.gaussian_mu**2 / 2
    for kind, noise, rate, count in joint.losses:
        if kind == "poisson_gaussian":
            total += _poisson_renyi(noise, rate, count, order)
        else:
            rule = _laplace_renyi if kind == "laplace" else _pure_renyi
            total += count * rule(1 / noise, order)
    return total


def _laplace_renyi(epsilon: float, order: float) -> float:
    near = math.log(order / (2 * order - 1)) + (order - 1) * epsilon
    far = math.log((order - 1) / (2 * order - 1)) - order * epsilon
    return _log_sum(near, far) / (order - 1)


def _pure_renyi(epsilon: float, order: float) -> float:
    """Bound by randomised response, which dominates everything of its epsilon."""
    truth, lie = -math.log1p(math.exp(-epsilon)), -epsilon - math.log1p(math.exp(-epsilon))
    straight, crossed = order * truth + (1 - order) * lie, order * lie + (1 - order) * truth
    return _log_sum(straight, crossed) / (order - 1)


def _poisson_renyi(noise: float, rate: float, count: int, order: float) -> float:
    try:
        from dp_accounting import dp_event, rdp
    except ImportError as error:
        raise MissingExtraError(
            "accounting of mode dp: expected dp-accounting, got none; "
            "pip install 'shopsynth[privacy]'"
        ) from error
    step = dp_event.PoissonSampledDpEvent(rate, dp_event.GaussianDpEvent(noise))
    accountant = rdp.RdpAccountant(orders=[order]).compose(step, count)
    return float(accountant.rdp[0])


def _log_sum(one: float, other: float) -> float:
    most, least = max(one, other), min(one, other)
    return most + math.log1p(math.exp(least - most))
