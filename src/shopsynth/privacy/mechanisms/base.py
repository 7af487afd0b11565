"""What every mechanism is: a price from public parameters, and an answer that the price covers.

In: the protected rows of a view and a source of noise. Out: a noisy answer.

A mechanism is a frozen dataclass of public parameters. It holds no function of its caller's: code
that ran on rows could keep them. The set is closed: plug-ins combine mechanisms, they add none,
because each one is a proof about sensitivity that an audit of this repository stands behind.
To add one: a file in this folder, a class decorated with :func:`register`, and a planted leak in
its tests that the audit catches.
"""

from typing import Any, Protocol, TypeVar

from shopsynth.privacy.charges import Charge
from shopsynth.privacy.noise import NoiseSource
from shopsynth.schema import Dataset


class Mechanism(Protocol):
    """A question to the people in the data."""

    def charge(self) -> Charge:
        """Say what the answer costs; reads nothing."""

    def answer(self, rows: Dataset, noise: NoiseSource) -> Any:
        """Read the rows, whose contributions are bounded already, and answer with noise."""


MECHANISMS: set[type[Any]] = set()
"""All classes whose answers a view hands out; identity counts, a subclass is not one of them."""

Registered = TypeVar("Registered", bound=type[Any])


def register(mechanism: Registered) -> Registered:
    """Add a mechanism of this room."""
    MECHANISMS.add(mechanism)
    return mechanism
