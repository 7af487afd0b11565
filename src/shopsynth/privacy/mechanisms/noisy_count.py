"""noisy_count: how many people there are.

In: a personal table. Out: the number of users in it, with noise.
"""

from dataclasses import dataclass

import numpy as np

from shopsynth.privacy.charges import Charge
from shopsynth.privacy.mechanisms.base import register
from shopsynth.privacy.mechanisms.shares import check_noise, check_table
from shopsynth.privacy.noise import Grid, NoiseSource, discretisation_slack
from shopsynth.schema import Dataset


@register
@dataclass(frozen=True)
class NoisyCount:
    """How many users have a row in a table?

    **Proof.** The answer is Σ 1 over users + N(0, σ²): one user more or less moves the sum by 1, so
    it is one Gaussian mechanism of noise multiplier σ. Rows of one key count once.

    Attributes:
        noise_multiplier: σ, in users.
        table: A table whose rows name users.

    Raises:
        PrivacyError: If the table is not personal or the noise is none.

    Source: Dwork, Roth, "The Algorithmic Foundations of Differential Privacy", 2014, example 3.1.
    """

    noise_multiplier: float
    table: str = "events"

    def __post_init__(self) -> None:
        check_table("noisy_count", self.table)
        check_noise("noisy_count", self.noise_multiplier)

    def charge(self) -> Charge:
        """Say what the answer costs; reads nothing."""
        return Charge(
            f"noisy_count: users in {self.table}",
            "gaussian",
            self.noise_multiplier,
            slack=discretisation_slack(1),
            detail={"sensitivity": 1},
        )

    def answer(self, rows: Dataset, noise: NoiseSource) -> float:
        """Count and add noise.

        Returns:
            A number of users; not rounded, and below 0 where the noise is.
        """
        users = rows.need(self.table)["user_id"].drop_nulls().n_unique()
        grid = Grid.for_noise(self.noise_multiplier)
        # Held at a bound rather than refused: a refusal would tell how many users there are.
        held = np.array([min(float(users), grid.greatest)])
        noisy = noise.gaussian(grid.units(held), grid.scale)
        return float(grid.values(noisy)[0])
