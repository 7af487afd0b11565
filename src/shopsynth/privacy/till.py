"""Till: where the methods of one run pay.

In: a ledger and what the run may spend. Out: an allowance and reservations within it.
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field

from shopsynth.privacy.accounting import gaussian_epsilon, gaussian_mu
from shopsynth.privacy.budget import check_budget
from shopsynth.privacy.charges import Charge
from shopsynth.privacy.ledger import SYSTEM_NOISE, Ledger, open_ledger
from shopsynth.privacy.settings import PrivacySettings
from shopsynth.schema import PrivacyError, PrivacyLedger

_SET_ASIDE = 0.02
"""Of a run's mu: filters keep a part of delta for failures, at most a quarter of it."""


@dataclass(frozen=True)
class RunTill:
    """Where the methods of one run pay: the ledger, bound to what the run may spend.

    Attributes:
        ledger: The source's record.
        epsilon: What the run may spend.
        delta: Likewise.
        fingerprint: Of the data.
        run: The run's id; processes that share a run give the same, else it is a new one.
        rng: Where the noise comes from, for the record.
    """

    ledger: Ledger
    epsilon: float
    delta: float
    fingerprint: str
    run: str = field(default_factory=lambda: secrets.token_hex(8))
    rng: str = SYSTEM_NOISE

    def allowance(self) -> float:
        """Return the largest mu that all Gaussian plans of the run may have together.

        Raises:
            PrivacyError: If the source has less left than the run asks for. To make do with less
                in silence would give rows that are noisier than their recipe says.
        """
        asked = gaussian_mu(self.epsilon, self.delta)
        left = self.ledger.allowance(self.epsilon, self.delta, self.run)
        if left < asked * (1 - _SET_ASIDE):
            fits = gaussian_epsilon(left, self.delta) if left else 0.0
            raise PrivacyError(
                f"ledger of source {self.source}: expected a budget for a run of epsilon "
                f"{self.epsilon:g}, got epsilon {fits:.3g} left at delta {self.delta:g}; what was "
                "spent stays spent: ask for less, use the rows of an earlier run, or give the "
                "source a larger budget on purpose: shopsynth privacy budget"
            )
        return left

    def reserve(self, charges: Sequence[Charge], actor: str) -> str:
        """Set charges aside; see :meth:`Ledger.reserve`."""
        return self.ledger.reserve(
            charges,
            fingerprint=self.fingerprint,
            run_epsilon=self.epsilon,
            run_delta=self.delta,
            actor=actor,
            run=self.run,
            rng=self.rng,
        )

    def commit(self, reservation: str) -> None:
        """Note that the answers were given."""
        self.ledger.commit(reservation)

    @property
    def source(self) -> str:
        """Id of the source in the ledger; it does not tell the name."""
        return self.ledger.source

    def snapshot(self) -> PrivacyLedger:
        """Return what was spent on the source so far."""
        return self.ledger.snapshot()


def open_till(
    settings: PrivacySettings, key: bytes, *, source_name: str, fingerprint: str
) -> RunTill:
    """Open the ledger that a recipe names, for one method of one run.

    Methods of a run that work in processes of their own pay as runs of their own; their purses hold
    shares of one whole, so that together they stay within what the recipe lets a run spend.

    Raises:
        PrivacyError: As :func:`shopsynth.privacy.ledger.open_ledger`.
    """
    budget = check_budget(settings)
    ledger = open_ledger(settings, key, source_name=source_name, fingerprint=fingerprint)
    return RunTill(ledger, budget.epsilon, budget.delta, fingerprint)
