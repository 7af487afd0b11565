"""Accounting: what several mechanisms cost together, as epsilon, delta and mu.

In: charges. Out: upper bounds on the privacy loss of one user, and how much noise a budget needs.

A plan that is fixed before any answer is seen is composed as one privacy-loss distribution. Plans
that follow one another, each chosen after the answers before it, need a filter instead:
:mod:`shopsynth.privacy.filters`.
"""

import math
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import erfcx, log_ndtr, ndtr

from shopsynth.privacy.charges import Charge, Kind
from shopsynth.schema import MissingExtraError, PrivacyError

Loss = tuple[Kind, float, float, int]
"""Kind, noise multiplier, sampling rate and count of a mechanism that is no plain Gaussian."""

_INTERVAL = 1e-4
"""Of the discretised privacy loss, as in dp-accounting: epsilon is at most .1 % too large."""

_BINS = 1e5
"""A loss so large that it would take more bins is told more coarsely; it is refused anyway."""

_MARGIN = 1e-9
"""Relative, on the safe side of every search, so that no rounding spends what is not there."""

_GRID = 400
"""Points at which a loss is compared with a Gaussian's; mu is about .5 % too large."""

_NO_NOISE, _ALL_NOISE = 1e-3, 1e9
"""Noise multipliers that are searched."""

_HOPELESS = 500.0
"""An epsilon without a delta whose exponential leaves floating point: it protects nobody."""


@dataclass(frozen=True)
class Composition:
    """The joint loss of mechanisms whose parameters were all fixed beforehand.

    Attributes:
        gaussian_mu: Root of the summed squares of all plain Gaussians, which compose exactly.
        losses: All other mechanisms, equal ones counted together.
        slack: Failure probability on top.
    """

    gaussian_mu: float
    losses: tuple[Loss, ...] = ()
    slack: float = 0.0

    def delta(self, epsilon: float) -> float:
        """Bound the failure probability at an epsilon; at most 1."""
        if self.losses:
            base = float(
                _distribution(self.gaussian_mu, self.losses).get_delta_for_epsilon(epsilon)
            )
        else:
            base = gaussian_delta(self.gaussian_mu, epsilon)
        return min(1.0, base + self.slack)

    def epsilon(self, delta: float) -> float:
        """Bound epsilon at a failure probability; infinite if the slack leaves nothing of it."""
        left = delta - self.slack
        if left <= 0:
            return 0.0 if self == Composition(0.0) else math.inf
        if self.losses:
            return float(_distribution(self.gaussian_mu, self.losses).get_epsilon_for_delta(left))
        return gaussian_epsilon(self.gaussian_mu, left)

    def mu(self, delta: float) -> float:
        """Bound mu: outside events of probability ``delta`` the loss is a Gaussian's of this mu.

        Exact for plain Gaussians. Otherwise a Gaussian is sought that is at least as bad at every
        epsilon where the loss fails with more than ``delta``. Infinite if the slack leaves nothing.
        """
        if self.losses:
            return _dominating_mu(self, delta)
        return self.gaussian_mu if self.slack < delta or not self.slack else math.inf


def compose(charges: Iterable[Charge]) -> Composition:
    """Add up charges whose parameters were fixed before any of their answers was seen.

    Args:
        charges: What the mechanisms cost, for adding or removing one user. The slack of a charge
            counts once for each of its runs.

    Returns:
        Their joint loss: all numbers it tells are upper bounds.

    Raises:
        PrivacyError: If a charge for drawn users says that they were not drawn by Poisson's rule.

    Source: Dong, Roth, Su, "Gaussian Differential Privacy", arXiv 1905.02383, corollary 3.3, for
    Gaussians; Doroshenko et al., "Connect the Dots", arXiv 2207.04380, for the rest.

    Example:
        >>> one = Charge("lengths", "gaussian", noise_multiplier=5.0)
        >>> round(compose([one] * 4).mu(1e-6), 3)
        0.4
    """
    squared, slack, losses = 0.0, 0.0, Counter[tuple[Kind, float, float]]()
    for charge in charges:
        _refuse_other_draws(charge)
        slack += charge.slack * charge.count
        if charge.kind == "gaussian" or (
            charge.kind == "poisson_gaussian" and charge.sampling_rate == 1
        ):
            squared += charge.count / charge.noise_multiplier**2
        elif charge.kind == "pure" and charge.noise_multiplier < 1 / _HOPELESS:
            slack += 1.0
        else:
            losses[charge.kind, charge.noise_multiplier, charge.sampling_rate] += charge.count
    merged = tuple(sorted((*loss, count) for loss, count in losses.items()))
    return Composition(math.sqrt(squared), merged, slack)


def allowance_mu(epsilon: float, delta: float, spent: Iterable[Charge] = ()) -> float:
    """Find how much one more Gaussian mechanism may cost within a budget.

    Args:
        epsilon: The budget's.
        delta: The budget's.
        spent: What the budget has paid for, in the same fixed plan.

    Returns:
        The largest mu (its noise multiplier is ``1 / mu``); 0 if nothing is left. Several
        Gaussians fit if the sum of their squared mus is at most its square.

    Example:
        >>> round(allowance_mu(1.0, 1e-6), 3)
        0.237
    """
    before = compose(spent)
    left = delta - before.slack
    if left <= 0:
        return 0.0
    if not before.losses:
        whole = gaussian_mu(epsilon, left)
        return math.sqrt(max(0.0, whole**2 - before.gaussian_mu**2)) * (1 - _MARGIN)

    def fits(mu: float) -> bool:
        joint = Composition(math.hypot(before.gaussian_mu, mu), before.losses, before.slack)
        return joint.delta(epsilon) <= delta

    if not fits(0.0):
        return 0.0
    return _search(fits, 0.0, gaussian_mu(epsilon, left), 1e-5)[0]


def calibrate(
    kind: Kind,
    epsilon: float,
    delta: float,
    *,
    count: int = 1,
    sampling_rate: float = 1.0,
    spent: Sequence[Charge] = (),
) -> float:
    """Find the least noise with which a mechanism fits a budget.

    Args:
        kind: What kind of mechanism.
        epsilon: The budget's.
        delta: The budget's.
        count: How often it runs with fresh noise.
        sampling_rate: Chance of a user to take part in a run, for ``poisson_gaussian``.
        spent: What else belongs to the same fixed plan.

    Returns:
        A noise multiplier, at most .01 % above the least, never below it.

    Raises:
        PrivacyError: If no noise is enough because the budget is spent.

    Example:
        >>> round(calibrate("gaussian", 1.0, 1e-6, count=4), 2)
        8.45
    """
    before = compose(spent)

    def fits(noise: float) -> bool:
        asked = Charge("calibrate", kind, noise, count, sampling_rate)
        return compose([*spent, asked]).delta(epsilon) <= delta

    if before.delta(epsilon) >= delta:
        raise PrivacyError(
            f"calibrate: expected a budget of epsilon {epsilon:g}, delta {delta:g} with something "
            "left, got one that is spent; ask for less before, or for a larger budget"
        )
    too_little = 1.0
    while fits(too_little) and too_little > _NO_NOISE:
        too_little /= 2
    enough = 2 * too_little
    while not fits(enough):
        too_little, enough = enough, 2 * enough
        if enough > _ALL_NOISE:
            raise PrivacyError(
                f"calibrate: expected some noise multiplier below {_ALL_NOISE:g} to fit, got none; "
                "almost nothing is left of the budget"
            )
    return _search(lambda noise: not fits(noise), too_little, enough, 1e-4)[1]


# ---- one Gaussian, in closed form ----------------------------------------------------------------


def gaussian_delta(mu: float, epsilon: float) -> float:
    """Tell the delta of a Gaussian mechanism of a mu at an epsilon.

    Source: Balle and Wang, "Improving the Gaussian Mechanism", arXiv 1805.06530, theorem 8.
    """
    return float(_gaussian_deltas(np.array([mu]), np.array([epsilon]))[0])


def gaussian_epsilon(mu: float, delta: float) -> float:
    """Tell the epsilon of a Gaussian mechanism of a mu at a delta above 0."""
    if gaussian_delta(mu, 0.0) <= delta:
        return 0.0
    most = 1.0
    while gaussian_delta(mu, most) > delta:
        most *= 2
    found = _search(lambda epsilon: gaussian_delta(mu, epsilon) > delta, 0.0, most, 1e-12)[1]
    return found * (1 + _MARGIN)


@lru_cache(maxsize=256)
def gaussian_mu(epsilon: float, delta: float) -> float:
    """Tell the largest mu of a Gaussian mechanism that is (epsilon, delta)-private.

    Example:
        >>> round(gaussian_mu(8.0, 1e-6), 2)
        1.53
    """
    if not math.isfinite(epsilon) or delta >= 1:
        return math.inf
    most = 1.0
    while gaussian_delta(most, epsilon) <= delta:
        most *= 2
    found = _search(lambda mu: gaussian_delta(mu, epsilon) <= delta, 0.0, most, 1e-12)[0]
    return found * (1 - _MARGIN)


def _gaussian_deltas(
    mus: NDArray[np.float64], epsilons: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Φ(μ/2 − ε/μ) − e^ε Φ(−μ/2 − ε/μ), without cancellation in the lower tail."""
    mu = np.maximum(mus, 1e-300)
    upper, lower = mu / 2 - epsilons / mu, -mu / 2 - epsilons / mu
    tail = np.minimum(upper, 0.0)
    with np.errstate(over="ignore", invalid="ignore"):
        # e^ε φ(lower) = φ(upper), so the difference is one of Mills ratios: erfcx.
        ratios = erfcx(-tail / math.sqrt(2)) - erfcx(-lower / math.sqrt(2))
        small = 0.5 * np.exp(-(tail**2) / 2) * ratios
        large = ndtr(upper) - np.exp(np.minimum(epsilons + log_ndtr(lower), 0.0))
    found = np.where(upper < 0, small, large)
    return np.where(mus > 0, np.clip(found, 0.0, 1.0), 0.0)


@lru_cache(maxsize=256)
def _dominating_mu(joint: Composition, delta: float) -> float:
    most = joint.epsilon(delta)
    if not math.isfinite(most):
        return math.inf
    grid = np.linspace(0.0, most, _GRID + 1)
    loss = _distribution(joint.gaussian_mu, joint.losses).get_delta_for_epsilon(grid)
    # Both fall with epsilon: a Gaussian that is worse one point further is worse in between.
    return _smallest_mu(np.asarray(loss)[:-1], grid[1:])


def _smallest_mu(deltas: NDArray[np.float64], epsilons: NDArray[np.float64]) -> float:
    """Find the least mu whose Gaussian fails at each epsilon with at least its delta."""
    most = 1.0
    while np.any(_gaussian_deltas(np.full(deltas.shape, most), epsilons) < deltas):
        most *= 2
        if most > _ALL_NOISE:
            return math.inf

    def too_small(mu: float) -> bool:
        return bool(np.any(_gaussian_deltas(np.full(deltas.shape, mu), epsilons) < deltas))

    return _search(too_small, 0.0, most, 1e-9)[1]


def _search(
    holds: Callable[[float], bool], low: float, high: float, precision: float
) -> tuple[float, float]:
    """Halve an interval until its ends, where a statement holds and fails, are close together."""
    while high - low > precision * high:
        middle = (low + high) / 2
        low, high = (middle, high) if holds(middle) else (low, middle)
    return low, high


# ---- everything else, by dp-accounting -----------------------------------------------------------


def _refuse_other_draws(charge: Charge) -> None:
    """Amplification by Poisson's rule holds for no other draw (Chua et al., ICML 2024)."""
    said = charge.detail.get("sampling", "poisson")
    if charge.kind == "poisson_gaussian" and said != "poisson":
        raise PrivacyError(
            f"charge of {charge.mechanism}: expected users drawn independently (poisson), got "
            f"{said}; shuffling is not Poisson sampling and costs more, charge it as gaussian"
        )


@lru_cache(maxsize=32)
def _distribution(mu: float, losses: tuple[Loss, ...]) -> Any:
    """Return the privacy-loss distribution of a Gaussian and other mechanisms."""
    interval = _interval(mu, losses)
    joint = _losses_distribution(losses, interval)
    return joint.compose(_one("gaussian", 1 / mu, 1.0, interval)) if mu > 0 else joint


@lru_cache(maxsize=32)
def _losses_distribution(losses: tuple[Loss, ...], interval: float) -> Any:
    parts = [
        _one(kind, noise, rate, interval).self_compose(count) for kind, noise, rate, count in losses
    ]
    joint = parts[0]
    for part in parts[1:]:
        joint = joint.compose(part)
    return joint


def _one(kind: Kind, noise: float, rate: float, interval: float) -> Any:
    distribution, common = _load_pld()
    options = {"value_discretization_interval": interval}
    if kind == "laplace":
        return distribution.from_laplace_mechanism(noise, **options)
    if kind == "pure":
        parameters = common.DifferentialPrivacyParameters(1 / noise, 0.0)
        return distribution.from_privacy_parameters(parameters, **options)
    return distribution.from_gaussian_mechanism(noise, sampling_prob=rate, **options)


def _interval(mu: float, losses: tuple[Loss, ...]) -> float:
    """Take dp-accounting's interval, or a wider one where the loss is beyond any use.

    Widths are powers of 4, so that a search over mu keeps finding the same cached losses.
    """
    reach = mu * (mu / 2 + 10)
    for kind, noise, rate, count in losses:
        least = 1 / noise
        if kind == "poisson_gaussian":
            amplified = rate**2 * math.expm1(min(least**2, 50.0))
            reach += count * min(least**2, amplified) + least * (least / 2 + 10)
        else:
            reach += count * least * min(1.0, least) + 10 * least * math.sqrt(count)
    wider = max(1.0, reach / (_INTERVAL * _BINS))
    return _INTERVAL * 4.0 ** math.ceil(math.log(wider, 4))


def _load_pld() -> tuple[Any, Any]:
    try:
        from dp_accounting.pld import common, privacy_loss_distribution
    except ImportError as error:
        raise MissingExtraError(
            "accounting of mode dp: expected dp-accounting, got none; "
            "pip install 'shopsynth[privacy]'"
        ) from error
    return privacy_loss_distribution, common
