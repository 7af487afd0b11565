"""Till: where the methods of one run pay.

In: a ledger and what the run may spend. Out: an allowance and reservations within it.
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field

from shopsynth.privacy.budget import check_budget
from shopsynth.privacy.charges import Charge
from shopsynth.privacy.filters import AdaptiveFilter
from shopsynth.privacy.ledger import SYSTEM_NOISE, Ledger, open_ledger
from shopsynth.privacy.settings import PrivacySettings
from shopsynth.schema import PrivacyLedger


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
        population: Sketch of the data's people.
    """

    ledger: Ledger
    epsilon: float
    delta: float
    fingerprint: str
    run: str = field(default_factory=lambda: secrets.token_hex(8))
    rng: str = SYSTEM_NOISE
    population: tuple[int, ...] = ()

    def allowance(self) -> float:
        """Return the mu of a Gaussian plan that takes all that the run may spend."""
        return AdaptiveFilter.plain().allowance_mu([], self.epsilon, self.delta)

    def left(self) -> float:
        """Return the largest mu that the run and the life of the source have left."""
        return self.ledger.allowance(self.epsilon, self.delta, self.run)

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
            population=self.population,
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
    settings: PrivacySettings,
    key: bytes,
    *,
    source_name: str,
    fingerprint: str,
    population: tuple[int, ...] = (),
) -> RunTill:
    """Open the ledger that a recipe names, for one method of one run.

    Methods of a run that work in processes of their own pay as runs of their own; their purses hold
    shares of one whole, so that together they stay within what the recipe lets a run spend.

    Raises:
        PrivacyError: As :func:`shopsynth.privacy.ledger.open_ledger`.
    """
    budget = check_budget(settings)
    ledger = open_ledger(
        settings, key, source_name=source_name, fingerprint=fingerprint, population=population
    )
    return RunTill(ledger, budget.epsilon, budget.delta, fingerprint, population=population)
