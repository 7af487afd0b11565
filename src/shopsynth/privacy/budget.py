"""Budget: what one run and the whole life of a source may spend, checked before anything is read.

In: the recipe's ``[privacy]`` block. Out: an (epsilon, delta), or all that is wrong with it.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from shopsynth.privacy.settings import Budget, PrivacySettings
from shopsynth.schema import PrivacyError, collect

BUDGETS: Mapping[Budget, float] = {
    "strict": 1.0,
    "standard": 3.0,
    "relaxed": 8.0,
    "weak": math.inf,
}
"""Epsilon for the life of a source, from the tightest on (PRIVACY, section 1)."""

_GREATEST_DELTA = 1e-6


@dataclass(frozen=True)
class RunBudget:
    """What one run may spend.

    Attributes:
        epsilon: Privacy loss.
        delta: Failure probability.
        users: Public bound on the users of the source.
    """

    epsilon: float
    delta: float
    users: int


def default_delta(users: int) -> float:
    """Return the failure probability for a source of at most so many users.

    Example:
        >>> default_delta(100), default_delta(1_000_000)
        (1e-06, 1e-07)
    """
    return min(_GREATEST_DELTA, 1 / (10 * users))


def check_budget(settings: PrivacySettings) -> RunBudget:
    """Read what a run in mode ``dp`` may spend.

    Raises:
        PrivacyError: If epsilon or users are missing, epsilon is no finite number above 0 or above
            the source's whole budget, or delta is not below one in the number of users, at which
            somebody's rows could be published as they are. One error names all faults.
    """
    epsilon, users = settings.epsilon, settings.users
    delta = settings.delta if settings.delta is not None or users is None else default_delta(users)
    faults = []
    if epsilon is None:
        faults.append(
            "mode dp, which holds unless mode says otherwise, needs epsilon, got none; set what "
            'one run may spend, or choose what another mode gives (mode = "deidentify")'
        )
    elif not (math.isfinite(epsilon) and epsilon > 0):
        faults.append(f"epsilon: expected a finite number above 0, got {epsilon}")
    elif epsilon > BUDGETS[settings.budget]:
        faults.append(
            f"epsilon: expected at most {BUDGETS[settings.budget]:g}, which the budget "
            f"{settings.budget} gives all runs together, got {epsilon:g}; ask for less, or set a "
            "larger budget"
        )
    if users is None:
        faults.append("mode dp needs users, got none; set a public bound on how many there are")
    if delta is not None and not 0 < delta < 1 / (users or 1):
        faults.append(
            f"delta: expected above 0 and below 1 / users = {1 / (users or 1):.3g}, got {delta}; "
            "leave it out for the smaller of 1e-6 and 1 / (10 users)"
        )
    collect("[privacy]", faults, PrivacyError)
    # Nothing is missing any more; the type checker cannot know.
    return RunBudget(float(epsilon or 0), float(delta or 0), users or 0)
