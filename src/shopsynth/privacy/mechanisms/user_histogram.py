"""user_histogram: what people did, counted over a public domain, one bounded vector a user.

In: protected events. Out: noisy counts, one a cell of the feature's domain.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from shopsynth.privacy.charges import Charge
from shopsynth.privacy.mechanisms.base import register
from shopsynth.privacy.mechanisms.features import FEATURES, Feature
from shopsynth.privacy.mechanisms.shares import saturating_sums
from shopsynth.privacy.noise import Grid, NoiseSource, discretisation_slack
from shopsynth.schema import Dataset, PrivacyError


@register
@dataclass(frozen=True)
class UserHistogram:
    """A histogram with Gaussian noise that hides any one user.

    **Proof.** Write v(u) for user u's vector of counts: a function of u's own rows alone, over
    cells that are fixed before a row is read. It is shortened to w(u) = v(u) min(1, C / |v(u)|₂)
    and each entry is cut toward zero on a grid, so |w(u)|₂ ≤ C (float64 errs by less than the
    grid's margin on the noise). The answer is Σ w(u) + N(0, σ²C²I): one user more or less moves
    the sum by at most C in L2, so it is one Gaussian mechanism of noise multiplier σ.

    Shortening makes heavy users count less, and those who do always the same: a bias that a larger
    ``clip`` lowers and whose noise rises with it. Where a user has one cell, ``clip`` 1 has none.

    Attributes:
        feature: What is counted, over which domain.
        noise_multiplier: σ, the noise in units of ``clip``.
        clip: C, the greatest L2 norm of one user's counts.

    Raises:
        PrivacyError: If the feature is none of this room, or a number is not finite and above 0.

    Source:
        Gaussian mechanism: Dwork and Roth, 2014, appendix A; its privacy loss as Dong, Roth, Su,
        "Gaussian Differential Privacy", 2022, theorem 1.
    """

    feature: Feature
    noise_multiplier: float
    clip: float

    def __post_init__(self) -> None:
        if type(self.feature) not in FEATURES:
            raise PrivacyError(
                f"user_histogram: expected a feature of shopsynth.privacy, got "
                f"{type(self.feature).__name__}; a foreign one could keep rows or grow its domain"
            )
        for name in ("noise_multiplier", "clip"):
            value = getattr(self, name)
            if not (math.isfinite(value) and value > 0):
                raise PrivacyError(
                    f"user_histogram: expected a finite {name} above 0, got {value}; mend the plan"
                )

    @property
    def deviation(self) -> float:
        """Standard deviation of the noise of each count."""
        return self.noise_multiplier * self.clip

    def charge(self) -> Charge:
        """Say what the answer costs; reads nothing."""
        return Charge(
            f"user_histogram: {self.feature.name}",
            "gaussian",
            self.noise_multiplier,
            slack=discretisation_slack(self.feature.n_cells),
            detail={"clip": self.clip, "cells": self.feature.n_cells},
        )

    def answer(self, rows: Dataset, noise: NoiseSource) -> NDArray[np.float64]:
        """Count, bound, sum, add noise once.

        Args:
            rows: Protected rows; the events are read.
            noise: Where the noise comes from.

        Returns:
            ``(n_cells,)`` noisy counts, negative ones included.
        """
        n_cells = self.feature.n_cells
        user, cell = type(self.feature).pairs(self.feature, rows)
        key, count = np.unique(user * n_cells + cell, return_counts=True)
        user, cell = np.divmod(key, n_cells)
        norm = np.sqrt(np.bincount(user, weights=count.astype(np.float64) ** 2))
        shortened = count * np.minimum(1.0, self.clip / np.maximum(norm, 1.0))[user]
        grid = Grid.for_noise(self.deviation)
        exact = saturating_sums(cell, grid.units(shortened), n_cells)
        return grid.values(noise.gaussian(exact, grid.scale))
