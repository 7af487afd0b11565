"""What a release promises to the people in its data, in words and in figures.

In: the ``privacy`` block of ``summary.json``. Out: the sentence of the guarantee and the list of
what it does not cover, in English and Chinese; what was paid; what the best attack could reach.

Every figure of a guarantee is rounded up: a rounded-off epsilon would promise too much.
"""

import math
from dataclasses import dataclass

from shopsynth.report._guarantee_en import NOISE_EN, UNPROTECTED_EN, english_guarantee
from shopsynth.report._guarantee_zh import UNPROTECTED_ZH, chinese_guarantee
from shopsynth.report.numerals import count, figure, rounded_up
from shopsynth.report.summary_parts import SummaryPrivacy
from shopsynth.report.tables import Table

PRESETS = {"strict": 1.0, "standard": 3.0, "relaxed": 8.0}
"""Epsilon of each preset (PRIVACY, §1); what exceeds the last is weak."""

WEAK = "weak"
_PRESET_DELTA = 1e-6
_RATES = (0.01, 0.001)
"""False-positive rates at which an attack's hits are told."""


@dataclass(frozen=True)
class Guarantee:
    """What is promised and what is not.

    Attributes:
        english: The sentence.
        chinese: The same.
        strength: ``strict``, ``standard``, ``relaxed`` or ``weak``; empty without a guarantee.
        unprotected_en: What it does not cover.
        unprotected_zh: The same.
    """

    english: str
    chinese: str
    strength: str
    unprotected_en: tuple[str, ...]
    unprotected_zh: tuple[str, ...]


def guarantee(privacy: SummaryPrivacy) -> Guarantee:
    """Say what a release promises.

    Args:
        privacy: Mode, budget, paid mechanisms and the release's name; the audits are not read, for
            none of them proves anything.
    """
    strength = strength_of(privacy) if is_guaranteed(privacy) else ""
    return Guarantee(
        english=english_guarantee(privacy, strength),
        chinese=chinese_guarantee(privacy, strength),
        strength=strength,
        unprotected_en=UNPROTECTED_EN,
        unprotected_zh=UNPROTECTED_ZH,
    )


def is_guaranteed(privacy: SummaryPrivacy) -> bool:
    """Say whether mechanisms stand behind the release, and their sum is bounded."""
    return (
        privacy.mode == "dp"
        and bool(privacy.mechanisms)
        and None not in (privacy.epsilon, privacy.delta, privacy.mu)
    )


def strength_of(privacy: SummaryPrivacy) -> str:
    """Name the smallest preset that the release's epsilon stays within, or ``weak``.

    A source whose budget has no bound is weak, whatever one release of it costs.
    """
    if privacy.budget == WEAK:
        return WEAK
    epsilon = math.inf if privacy.epsilon is None else privacy.epsilon
    return next((name for name, bound in PRESETS.items() if epsilon <= bound), WEAK)


def attack_table(privacy: SummaryPrivacy) -> Table:
    """Tell the best attack on one person, for this release and for the presets.

    Whoever attacks a mu-GDP release does at best as well as somebody who tells N(0, 1) from
    N(mu, 1): AUC = Φ(μ / √2), and Φ(Φ⁻¹(α) + μ) hits at a false-positive rate of α.

    Args:
        privacy: Of a release with a guarantee; without one the table has no rows.

    Source: Dong, Roth, Su, "Gaussian Differential Privacy", arXiv 1905.02383, section 2.
    """
    columns = (
        "Budget",
        "ε",
        "μ",
        "Best attack AUC",
        *(f"Hits at {100 * r:g} % FPR" for r in _RATES),
    )
    if not is_guaranteed(privacy) or privacy.mu is None:
        return Table(columns, ())
    own = ("this release", rounded_up(privacy.epsilon), privacy.mu)
    presets = [
        (name, figure(epsilon), gaussian_mu(epsilon, _PRESET_DELTA))
        for name, epsilon in PRESETS.items()
    ]
    return Table(
        columns,
        tuple(
            (
                name,
                epsilon,
                rounded_up(mu),
                f"{attack_auc(mu):.3f}",
                *(f"{100 * attack_hits(mu, rate):.2g} %" for rate in _RATES),
            )
            for name, epsilon, mu in (own, *presets)
        ),
    )


def ledger_table(privacy: SummaryPrivacy) -> Table:
    """List what the release paid for, then the whole as it composes and as a plain sum."""
    rows = tuple(
        (
            f"{charge.actor}: {charge.mechanism}",
            NOISE_EN[charge.kind],
            figure(charge.noise_multiplier),
            count(charge.count),
            "all" if charge.sampling_rate == 1 else figure(charge.sampling_rate),
            rounded_up(charge.epsilon),
        )
        for charge in privacy.mechanisms
    )
    sums = (
        ("All together, by privacy-loss distributions", rounded_up(privacy.epsilon)),
        ("Plain sum, for comparison", rounded_up(privacy.naive_epsilon)),
    )
    return Table(
        ("Mechanism", "Noise", "Noise multiplier", "Runs", "Users drawn", "ε"),
        (*rows, *((name, "", "", "", "", epsilon) for name, epsilon in sums)) if rows else (),
    )


def attack_auc(mu: float) -> float:
    """Bound the area under the ROC curve of any attack on one person.

    Example:
        >>> round(attack_auc(0.648), 3)
        0.677
    """
    from scipy.special import ndtr

    return float(ndtr(mu / math.sqrt(2)))


def attack_hits(mu: float, false_positives: float) -> float:
    """Bound the true-positive rate of any attack at a false-positive rate.

    Example:
        >>> round(attack_hits(1.53, 0.01), 2)
        0.21
    """
    from scipy.special import ndtr, ndtri

    return float(ndtr(ndtri(false_positives) + mu))


def gaussian_mu(epsilon: float, delta: float) -> float:
    """Find the mu of one Gaussian mechanism that is exactly (epsilon, delta)-DP.

    Source: Balle and Wang, "Improving the Gaussian Mechanism", ICML 2018, theorem 8.

    Example:
        >>> round(gaussian_mu(1.0, 1e-6), 3)
        0.237
    """
    from scipy.optimize import brentq
    from scipy.special import ndtr

    def excess(mu: float) -> float:
        spread = epsilon / mu
        return float(ndtr(mu / 2 - spread) - math.exp(epsilon) * ndtr(-mu / 2 - spread) - delta)

    return float(brentq(excess, 1e-6, 1e3))
