"""Purse: what one method may spend of a source's budget, and the till that it pays at.

In: a ledger and the run's (epsilon, delta). Out: an allowance, and reservations that are paid for.
"""

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Protocol

from shopsynth.privacy.charges import Charge
from shopsynth.privacy.filters import plan_mu, steps_noise
from shopsynth.privacy.noise import NoiseSource
from shopsynth.schema import PrivacyError, PrivacyLedger

_ROUNDING = 1e-9
"""Relative, of an allowance that a method splits among its questions and adds up again."""

_SET_ASIDE = 0.02
"""Of a part's mu: filters keep some of delta for failures, at most a quarter of it."""


class Till(Protocol):
    """Who keeps the budget: a ledger, bound to what one run may spend."""

    @property
    def delta(self) -> float:
        """Failure probability of the run."""

    def allowance(self) -> float:
        """Return the mu of a Gaussian plan that takes all that the run may spend."""

    def left(self) -> float:
        """Return the largest mu that one more Gaussian plan may have."""

    def reserve(self, charges: Sequence[Charge], actor: str) -> str:
        """Set the charges aside for ever, or refuse with a ``PrivacyError``."""

    def commit(self, reservation: str) -> None:
        """Note that the answers were given."""

    @property
    def source(self) -> str:
        """Id of the source in the ledger; it does not tell the name."""

    def snapshot(self) -> PrivacyLedger:
        """Return what was spent on the source so far."""


def _system_noise() -> NoiseSource:
    from shopsynth.privacy.noise import SystemNoise

    return SystemNoise()


@dataclass
class Purse:
    """The part of a run's budget that one method may spend.

    Attributes:
        till: Who keeps the budget.
        share: Of the run's squared mu; the shares of a run's methods add up to 1.
        actor: Who pays, for the ledger: the method's name.
        noise: Where the answers' noise comes from; a test gives its own.
    """

    till: Till
    share: float
    actor: str
    noise: NoiseSource = field(default_factory=_system_noise)
    _plans: list[tuple[Charge, ...]] = field(default_factory=list, init=False, repr=False)
    _whole: float | None = field(default=None, init=False, repr=False)

    @property
    def n_plans(self) -> int:
        """How many reservations were paid from this purse."""
        return len(self._plans)

    @property
    def paid(self) -> tuple[Charge, ...]:
        """What was paid from this purse, in order."""
        return tuple(charge for plan in self._plans for charge in plan)

    def allowance(self) -> float:
        """Return the mu of a Gaussian mechanism that would empty the purse as it was filled.

        Raises:
            PrivacyError: If the source has less left than this part of a run needs. To make do with
                less in silence would give noisier rows than the recipe says.
        """
        if self._whole is None:
            part, left = self.till.allowance() * self.share**0.5, self.till.left()
            if left < part * (1 - _SET_ASIDE):
                raise PrivacyError(
                    f"ledger of source {self.till.source}: expected a budget of mu {part:.3g} for "
                    f"{self.actor}, got {left:.3g} left of what the source may spend in its life; "
                    "what was spent stays spent: ask for a smaller epsilon, use the rows of an "
                    "earlier run, or raise the budget on purpose with shopsynth privacy budget"
                )
            self._whole = min(part, left)
        return self._whole

    def steps_noise(self, mu: float, *, steps: int, sampling_rate: float) -> float:
        """Return the least noise multiplier of steps that cost ``mu`` of this purse together."""
        delta = self.till.delta * self.share
        return steps_noise(mu, delta, steps=steps, sampling_rate=sampling_rate)

    @contextmanager
    def paying(self, charges: Sequence[Charge]) -> Iterator[None]:
        """Reserve the charges, let the caller answer, commit.

        What is reserved counts as spent, also if the answer fails or the process dies.

        Raises:
            PrivacyError: If the charges cost more than the purse holds, or the ledger refuses;
                then nothing is spent and nothing may be read.
        """
        delta = self.till.delta * self.share
        # As the ledger counts: plan by plan, because a later one may depend on earlier answers.
        plans = (*self._plans, charges)
        slack = math.fsum(charge.slack * charge.count for plan in plans for charge in plan)
        if slack >= delta:
            raise PrivacyError(
                f"{self.actor}: expected thresholds that fail with {delta:.2g} at most, which is "
                f"this method's part of the run's delta, got {slack:.2g}; ask for safer ones"
            )
        asked = math.hypot(*(plan_mu(plan, delta) for plan in plans))
        if asked > self.allowance() * (1 + _ROUNDING):
            raise PrivacyError(
                f"{self.actor}: expected answers that cost mu {self.allowance():.4g} at most, "
                f"which is this method's part of the run's budget, got mu {asked:.4g}; ask fewer "
                "questions, or with more noise"
            )
        reservation = self.till.reserve(charges, self.actor)
        self._plans.append(tuple(charges))
        yield
        self.till.commit(reservation)
