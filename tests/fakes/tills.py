"""A till for one run, without a lasting ledger, to open views of mode dp with.

In: a run's epsilon and delta. Out: a purse, and what was paid.
"""

from collections.abc import Sequence

from shopsynth.privacy.accounting import allowance_mu, compose
from shopsynth.privacy.charges import Charge
from shopsynth.privacy.noise import NoiseSource
from shopsynth.privacy.purse import Purse
from shopsynth.schema import PrivacyLedger


class OneRun:
    """Keeps the charges of one run in memory, and refuses what costs more."""

    def __init__(self, epsilon: float, delta: float = 1e-6) -> None:
        self.epsilon, self.delta = epsilon, delta
        self.charges: list[Charge] = []
        self.reserved, self.committed = 0, 0

    def allowance(self) -> float:
        return allowance_mu(self.epsilon, self.delta, self.charges)

    def left(self) -> float:
        return self.allowance()

    def reserve(self, charges: Sequence[Charge], actor: str) -> str:
        assert compose([*self.charges, *charges]).epsilon(self.delta) <= self.epsilon
        self.charges += charges
        self.reserved += 1
        return f"{actor}-{self.reserved}"

    def commit(self, reservation: str) -> None:
        assert reservation.endswith(f"-{self.reserved}")
        self.committed += 1

    @property
    def source(self) -> str:
        return "one run"

    def snapshot(self) -> PrivacyLedger:
        return PrivacyLedger("dp", "user")


def purse_of(epsilon: float, noise: NoiseSource, delta: float = 1e-6) -> Purse:
    """Fill a purse with the whole budget of one run; its till tells what was paid."""
    return Purse(OneRun(epsilon, delta), 1.0, "test", noise=noise)
