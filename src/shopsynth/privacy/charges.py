"""Charge: what one mechanism costs, said before it reads a row.

In: a mechanism's public parameters. Out: what the ledger composes and keeps.
"""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal, Self, get_args

from shopsynth.schema import PrivacyError

Kind = Literal["gaussian", "poisson_gaussian", "laplace", "pure"]


@dataclass(frozen=True)
class Charge:
    """The privacy loss of one mechanism for adding or removing one user with all their rows.

    Attributes:
        mechanism: What it is and what it asks, for example ``"user_histogram: length"``.
        kind: ``gaussian``; ``poisson_gaussian``, steps on independently drawn users (DP-SGD);
            ``laplace``; ``pure``, anything that is ``1 / noise_multiplier``-DP without a delta.
        noise_multiplier: Standard deviation (Gaussian) or scale (Laplace) of the noise in units of
            the sensitivity to one user: L2 for Gaussian kinds, L1 for Laplace.
        count: How often it is run with fresh noise.
        sampling_rate: Chance of a user to take part in a step; 1 but for ``poisson_gaussian``.
        slack: Failure probability that comes on top: of a threshold, or of discretisation.
        detail: Public parameters for the receipt (sensitivity, clip, domain), never cell values.

    Raises:
        PrivacyError: If a parameter is out of range or not a number: such a cost cannot be told.
    """

    mechanism: str
    kind: Kind
    noise_multiplier: float
    count: int = 1
    sampling_rate: float = 1.0
    slack: float = 0.0
    detail: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        sampled = self.kind == "poisson_gaussian"
        faults = {
            f"kind among {', '.join(get_args(Kind))}": self.kind in get_args(Kind),
            "a finite noise_multiplier above 0": (
                math.isfinite(self.noise_multiplier) and self.noise_multiplier > 0
            ),
            "a count of at least 1": self.count >= 1,
            "a sampling_rate above 0, at most 1, and 1 unless users are drawn": (
                0 < self.sampling_rate <= 1 and (sampled or self.sampling_rate == 1)
            ),
            "a slack of at least 0 and below 1": 0 <= self.slack < 1,
        }
        broken = [expected for expected, holds in faults.items() if not holds]
        if broken:
            raise PrivacyError(
                f"charge of {self.mechanism}: expected {'; '.join(broken)}; without it the privacy "
                "loss cannot be told, mend the mechanism's parameters"
            )

    def to_json(self) -> dict[str, Any]:
        """Return the charge as JSON-ready values."""
        return {**asdict(self), "detail": dict(self.detail)}

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Self:
        """Rebuild a charge from :meth:`to_json`."""
        return cls(**values)
