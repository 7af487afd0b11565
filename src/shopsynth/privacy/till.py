"""Till: where the methods of one run pay.

In: a ledger and what the run may spend. Out: an allowance and reservations within it.
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field

from shopsynth.privacy.charges import Charge
from shopsynth.privacy.ledger import SYSTEM_NOISE, Ledger


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
        """Return the largest mu that all Gaussian plans of the run may have together."""
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
        )

    def commit(self, reservation: str) -> None:
        """Note that the answers were given."""
        self.ledger.commit(reservation)
