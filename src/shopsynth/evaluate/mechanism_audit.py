"""Audits of a mechanism's noise: is what it releases as private as it is charged for?

In: scores of many runs on two worst-case neighbours, and the claimed mu; or a record of who was
drawn in which step. Out: whether the claim holds, and what the audit could have seen.

Mu is tested, not epsilon: at epsilon 1 a halved noise stays invisible to an epsilon bound after
50,000 trials (PRIVACY §6): a bound on epsilon rests on the tails, where trials are rare.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import special, stats

_CHOOSING = 0.2
"""Share of the trials that chooses the threshold; the rest alone gives the bound."""

_CANDIDATES = 99
_CAUGHT = 0.95
"""Chance of detection that the power is told for."""

_GREATEST_MU = 40.0


@dataclass(frozen=True)
class MechanismAudit:
    """What an audit of one mechanism found.

    Attributes:
        claimed_mu: The mu that is charged.
        mu_lower: With the audit's confidence the true mu is at least this.
        passed: Whether ``mu_lower`` stays within the claim.
        trials: Runs on each neighbour.
        power: The smallest true mu of a Gaussian mechanism that this audit would have caught 19
            times of 20; infinite if it could catch none.
    """

    claimed_mu: float
    mu_lower: float
    passed: bool
    trials: int
    power: float

    def row(self, name: str) -> dict[str, Any]:
        """Return the audit as a row of ``EVALUATION_COLUMNS["audits"]``."""
        power = f"{self.trials} trials; would have caught a true mu of {self.power:.3g}"
        return {
            "name": name,
            "value": self.mu_lower,
            "threshold": self.claimed_mu,
            "passed": self.passed,
            "power": power,
        }


def audit_mu(
    with_user: NDArray[np.float64],
    without_user: NDArray[np.float64],
    claimed_mu: float,
    confidence: float = 0.99,
) -> MechanismAudit:
    """Bound a mechanism's mu from below by how well a threshold tells two neighbours apart.

    A fifth of the trials chooses the threshold. On the others Clopper and Pearson's limits, at half
    the error each, bound its false positive rate α and its false negative rate β; a mechanism of
    mu-GDP has Φ⁻¹(1 − α) − Φ⁻¹(β) ≤ mu for every test. A correct mechanism fails with a chance of
    ``1 - confidence`` at most, whatever its scores look like.

    Not for DP-SGD of many sampled steps, whose trade-off is no Gaussian's: audit one step of it.

    Args:
        with_user: Scores of independent runs on the data with one more user, ``(trials,)``; the
            auditor knows both data sets, so the best score of a Gaussian mechanism is the answer's
            projection on the true difference. Larger scores speak for the user.
        without_user: Scores on the data without, ``(trials,)``.
        claimed_mu: What the charge says.
        confidence: Of the lower bound, above 0 and below 1.

    Raises:
        ValueError: If there are fewer than 50 trials, not as many of each, or a score is no number.

    Source: Nasr et al., "Tight Auditing of Differentially Private Machine Learning", USENIX
    Security 2023, arXiv 2302.07956, section 4.3; Dong, Roth, Su, "Gaussian Differential Privacy",
    arXiv 1905.02383, definition 2.6.

    Example:
        >>> draw = np.random.Generator(np.random.PCG64(1))
        >>> without = draw.normal(0, 1, 5_000)
        >>> audit_mu(0.24 + draw.normal(0, 1, 5_000), without, claimed_mu=0.24).passed
        True
        >>> audit_mu(0.48 + draw.normal(0, 1, 5_000), without, claimed_mu=0.24).passed
        False
    """
    scores = np.stack([_checked(with_user, without_user.size), np.asarray(without_user)])
    if not np.isfinite(scores).all() or not 0 < confidence < 1 or not claimed_mu >= 0:
        raise ValueError(
            "audit_mu: expected finite scores, a confidence between 0 and 1 and a claimed mu of at "
            "least 0, got others"
        )
    trials = without_user.size
    choosing = round(_CHOOSING * trials)
    error = (1 - confidence) / 2
    threshold = _best_threshold(scores[:, :choosing], error)
    rest = scores[:, choosing:]
    n = trials - choosing
    found = _mu_lower(np.sum(rest[1] > threshold), np.sum(rest[0] <= threshold), n, error)
    mu_lower = max(0.0, float(found))
    return MechanismAudit(
        claimed_mu=claimed_mu,
        mu_lower=mu_lower,
        passed=mu_lower <= claimed_mu,
        trials=trials,
        power=_power(claimed_mu, n, error),
    )


def joint_scores(
    with_user: NDArray[np.float64],
    without_user: NDArray[np.float64],
    difference: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Turn released vectors into the scores that tell neighbours apart best, for :func:`audit_mu`.

    With independent noise that is the projection on the true difference. Noise that is shared by
    several answers cancels along some direction, so the direction is Σ⁻¹ times the difference, and
    the covariance Σ is that of the trials which ``audit_mu`` chooses its threshold on.

    Args:
        with_user: Released vectors, ``(trials, n_values)``; all answers of a run side by side.
        without_user: Likewise on the data without the user.
        difference: What the answers differ by without noise, ``(n_values,)``.

    Returns:
        Scores ``(trials,)`` of both.

    Example:
        >>> noise = np.random.Generator(np.random.PCG64(1)).normal(size=(1_000, 2, 1))
        >>> without = np.repeat(noise[:, 0], 2, axis=1)  # One draw for two answers.
        >>> told = np.repeat(noise[:, 1], 2, axis=1) + [1, 0]
        >>> scores = joint_scores(told, without, np.array([1.0, 0.0]))
        >>> audit_mu(*scores, claimed_mu=1.0).mu_lower > 3
        True
    """
    choosing = round(_CHOOSING * len(without_user))
    centred = [part[:choosing] - part[:choosing].mean(axis=0) for part in (with_user, without_user)]
    covariance = np.atleast_2d(np.cov(np.concatenate(centred), rowvar=False))
    floor = 1e-9 * max(float(np.trace(covariance)), 1e-300)
    direction = np.linalg.solve(covariance + floor * np.eye(len(covariance)), difference)
    return with_user @ direction, without_user @ direction


@dataclass(frozen=True)
class SamplingAudit:
    """Whether users were drawn independently at the claimed rate.

    Attributes:
        rate: The claimed rate.
        p_value: Chance of a record this unusual under Poisson sampling (Bonferroni over three).
        passed: Whether the chance is at least ``1 - confidence``.
        steps: Number of steps that were looked at.
    """

    rate: float
    p_value: float
    passed: bool
    steps: int


def audit_poisson(
    drawn: NDArray[np.bool_], rate: float, confidence: float = 0.999
) -> SamplingAudit:
    """Test that every user was drawn in every step independently with the claimed chance.

    Shuffling into batches gives equal batches and every user once an epoch: means agree with the
    claim, spreads do not. Accounts of Poisson sampling do not cover it (Chua et al., "How Private
    are DP-SGD Implementations?", ICML 2024, arXiv 2403.17673).

    Args:
        drawn: Who took part, ``(steps, users)``, as seen from outside of the loop.
        rate: The claimed chance of a user in a step, above 0 and below 1.
        confidence: Of the verdict; the tests' p-values are approximate, good to a fifth.

    Raises:
        ValueError: If the record is empty or the rate is no chance.

    Example:
        >>> draw = np.random.Generator(np.random.PCG64(1))
        >>> audit_poisson(draw.random((60, 200)) < 0.1, 0.1).passed
        True
        >>> shuffled = np.stack([draw.permutation(200) // 20 == 0 for _ in range(60)])
        >>> audit_poisson(shuffled, 0.1).passed
        False
    """
    if drawn.ndim != 2 or not drawn.size or not 0 < rate < 1:
        raise ValueError(
            "audit_poisson: expected a record (steps, users) and a rate between 0 and 1, got "
            f"shape {drawn.shape} and rate {rate}"
        )
    total = (drawn.sum() - drawn.size * rate) / np.sqrt(drawn.size * rate * (1 - rate))
    p_values = [2 * special.ndtr(-abs(total))]
    p_values += [_p_of_spread(drawn.sum(axis=axis), drawn.shape[axis], rate) for axis in (0, 1)]
    p_value = min(1.0, 3 * float(min(p_values)))
    return SamplingAudit(rate, p_value, p_value >= 1 - confidence, drawn.shape[0])


def _p_of_spread(counts: NDArray[np.int64], n: int, rate: float) -> float:
    """Return the two-sided p-value of the counts' squared deviations; each is binomial of n draws.

    Their sum is taken as a multiple of a chi-square variable of the same mean and variance.
    """
    variance = n * rate * (1 - rate)
    squares = float(((counts - n * rate) ** 2).sum() / variance)
    spread_of_square = 2 + (1 - 6 * rate * (1 - rate)) / variance
    factor = spread_of_square / 2
    freedom = counts.size / factor
    below = special.chdtr(freedom, squares / factor)
    return 2 * float(min(below, special.chdtrc(freedom, squares / factor)))


def _checked(scores: NDArray[np.float64], trials: int) -> NDArray[np.float64]:
    if scores.shape != (trials,) or trials < 50:
        raise ValueError(
            f"audit_mu: expected at least 50 scores of each neighbour and as many of one as of the "
            f"other, got shape {scores.shape} and {trials}"
        )
    return np.asarray(scores)


def _best_threshold(scores: NDArray[np.float64], error: float) -> float:
    """Choose a threshold for the scores, ``(2, n)``: the middle, unless another is surely better.

    For Gaussian noise the middle is best, and the best of many on few trials is worse by chance.
    """
    with_user, without_user = np.sort(scores, axis=1)
    n = with_user.size
    shares = np.arange(1, _CANDIDATES + 1) / (_CANDIDATES + 1)
    middle = np.median(scores, axis=1).mean()
    candidates = np.array([middle, *np.quantile(scores, shares, method="lower")])
    false_positives = n - np.searchsorted(without_user, candidates, side="right")
    false_negatives = np.searchsorted(with_user, candidates, side="right")
    bounds = _mu_lower(false_positives, false_negatives, n, error)
    rates = (np.array([false_positives[0], false_negatives[0]]) + 0.5) / (n + 1)
    best = int(np.argmax(bounds))
    surely_better = bounds[best] > -special.ndtri(rates).sum()
    return float(candidates[best if surely_better else 0])


def _mu_lower(
    false_positives: Any, false_negatives: Any, n: int, error: float
) -> NDArray[np.float64]:
    """Return Φ⁻¹(1 − α) − Φ⁻¹(β) at the upper limits of both rates (Clopper and Pearson 1934)."""
    limits = [
        special.betaincinv(np.minimum(wrong + 1, n), np.maximum(n - wrong, 1), 1 - error)
        for wrong in (false_positives, false_negatives)
    ]
    capped = [
        np.where(wrong >= n, 1.0, limit)
        for wrong, limit in zip((false_positives, false_negatives), limits, strict=True)
    ]
    return np.asarray(-special.ndtri(capped[0]) - special.ndtri(capped[1]))


def _power(claimed_mu: float, n: int, error: float) -> float:
    """Find the smallest mu whose bound exceeds the claim with a chance of 95 %, by bisection.

    Both counts are taken so far from their means, at the middle threshold, that their sum is the
    unlucky twentieth.
    """
    unlucky = special.ndtr(special.ndtri(_CAUGHT) / np.sqrt(2))

    def caught(mu: float) -> bool:
        wrong = stats.binom.ppf(unlucky, n, special.ndtr(-mu / 2))
        return bool(_mu_lower(wrong, wrong, n, error) > claimed_mu)

    low, high = claimed_mu, _GREATEST_MU
    if not caught(high):
        return float("inf")
    while high - low > 1e-3:
        middle = (low + high) / 2
        low, high = (low, middle) if caught(middle) else (middle, high)
    return high
