"""Noise for released numbers: exact discrete samplers on a grid, fed by the operating system.

In: integers on a grid and a scale. Out: the integers with noise.

Floating-point noise leaks through its low bits (Mironov, CCS 2012); integers have none to leak. No
seed is taken: whoever knows the seed can subtract the noise. Tests give a source of their own.
"""

from typing import Protocol

import numpy as np
from numpy.typing import NDArray


class NoiseSource(Protocol):
    """Where mechanisms get their noise from."""

    def gaussian(self, values: NDArray[np.int64], scale: float) -> NDArray[np.int64]:
        """Add discrete Gaussian noise of the scale, independent for every value."""

    def laplace(self, values: NDArray[np.int64], scale: float) -> NDArray[np.int64]:
        """Add discrete Laplace noise of the scale, independent for every value."""

    def bernoulli(self, n: int, rate: float) -> NDArray[np.bool_]:
        """Draw ``n`` independent truths of the given rate: which users take part in a step."""

    def normal(self, shape: tuple[int, ...], scale: float) -> NDArray[np.float32]:
        """Draw floating-point Gaussian noise, for gradients: too many for exact samplers."""
