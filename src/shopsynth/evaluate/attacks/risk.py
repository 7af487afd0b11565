"""The excess risk of an attack: how much likelier it succeeds on people who were read.

In: successes on targets and on controls, in the release and in a stand-in. Out: a row of the
audits.

Each excess is (train - control) / (1 - control): of what the attacker could not have known from
people at large, the share that the release tells (Giomi et al., PoPETs 2023; WP216).
"""

from dataclasses import dataclass

import numpy as np

from shopsynth.evaluate.attacks.chance import Row

BOUND = 0.05
"""PRIVACY §6: excess risk, upper 95 %."""

_MIN_GUESSES = 30
"""From fewer nothing follows: a handful of sure guesses would be the worst form of every attack."""


@dataclass(frozen=True)
class Excess:
    """An excess risk and its standard error."""

    value: float
    error: float


@dataclass(frozen=True)
class Successes:
    """Guesses that hit.

    Attributes:
        targets: On people who were read.
        controls: On people who were not.
        n_targets: Guesses on the former.
        n_controls: Guesses on the latter.
    """

    targets: int
    controls: int
    n_targets: int
    n_controls: int

    def excess(self) -> Excess:
        """Estimate the excess risk; one hit and one miss are added to each side.

        Source:
            Agresti & Caffo, Simple and effective confidence intervals for proportions, The
            American Statistician 2000.
        """
        hits = np.array([self.targets, self.controls]) + 1.0
        sizes = np.array([self.n_targets, self.n_controls]) + 2.0
        share = hits / sizes
        variance = share * (1 - share) / sizes
        left = 1 - share[1]
        error = np.sqrt(variance[0] / left**2 + variance[1] * (1 - share[0]) ** 2 / left**4)
        return Excess(float((share[0] - share[1]) / left), float(error))


def excess_row(name: str, attacks: dict[str, tuple[Successes, Successes]], level: float) -> Row:
    """Judge the worst of several forms of an attack.

    The gate fails where the upper 95 % bound is above .05 and the excess is no chance: its lower
    bound is above 0, and above the excess that other real people's rows show (the season). A
    wide interval alone neither fails nor passes: then there is no threshold.

    Args:
        name: Of the audit.
        attacks: Successes in the release and in the stand-in, by form of the attack.
        level: Share of the family error that this gate may use.
    """
    from scipy.stats import norm

    z = float(norm.isf(level / max(len(attacks), 1)))
    judged = []
    for form, (release, standin) in attacks.items():
        if min(release.n_targets, release.n_controls) < _MIN_GUESSES:
            continue
        found, season = release.excess(), standin.excess()
        upper = found.value + 1.645 * found.error
        both = float(np.hypot(found.error, season.error))
        surely = min(found.value - z * found.error,
                     found.value - max(0.0, season.value) - z * both)  # fmt: skip
        judged.append((surely > 0 and upper > BOUND, upper, form, found, season, release, both))
    if not judged:
        return name, float("nan"), None, True, "no guess could be made: too few rows or columns"
    # A form with few guesses may fail, but what it leaves open says nothing: then a wide interval
    # of the rarest guesses would hide that all others are bounded.
    bounded = [each for each in judged if each[0] or 1.645 * each[3].error <= BOUND] or judged
    failed, upper, form, found, season, release, both = max(bounded, key=lambda each: each[:2])
    settled = failed or upper <= BOUND
    power = (
        f"worst of {len(bounded)} forms: {form}; {release.targets} of {release.n_targets} guesses "
        f"hit readable and {release.controls} of {release.n_controls} held-out people, excess "
        f"{found.value:.3f}; other real people's rows show {max(0.0, season.value):.3f}; the value "
        f"is the upper 95 % bound; an excess below {max(0.0, season.value) + z * both:.3f} could "
        "not be told from chance"
    )
    if len(bounded) < len(judged):
        power += f"; {len(judged) - len(bounded)} forms with few guesses show no excess"
    if not settled:
        power += "; too few people to show that it is below .05: neither passed nor failed"
    return name, upper, BOUND if settled else None, not failed, power
