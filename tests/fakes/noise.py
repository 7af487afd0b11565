"""Noise that can be repeated, or is none: what the program itself never takes.

In: a seed, or nothing. Out: sources with the methods of ``shopsynth.privacy.noise.NoiseSource``.
"""

import numpy as np
from numpy.typing import NDArray


class SeededNoise:
    """Rounded Gaussian and Laplace noise of one PCG64 stream; fast enough for thousands of trials.

    Not exact in its tails, and predictable: for tests alone.
    """

    def __init__(self, seed: int) -> None:
        self._random = np.random.Generator(np.random.PCG64(seed))

    def gaussian(self, values: NDArray[np.int64], scale: float) -> NDArray[np.int64]:
        return values + np.rint(self._random.normal(0, scale, values.shape)).astype(np.int64)

    def laplace(self, values: NDArray[np.int64], scale: float) -> NDArray[np.int64]:
        return values + np.rint(self._random.laplace(0, scale, values.shape)).astype(np.int64)

    def bernoulli(self, n: int, rate: float) -> NDArray[np.bool_]:
        return self._random.random(n) < rate

    def normal(self, shape: tuple[int, ...], scale: float) -> NDArray[np.float32]:
        return self._random.normal(0, scale, shape).astype(np.float32)


class NoNoise:
    """The true answer: what a sensitivity test compares. All users take part in every step."""

    def gaussian(self, values: NDArray[np.int64], scale: float) -> NDArray[np.int64]:
        return values.copy()

    def laplace(self, values: NDArray[np.int64], scale: float) -> NDArray[np.int64]:
        return values.copy()

    def bernoulli(self, n: int, rate: float) -> NDArray[np.bool_]:
        return np.ones(n, dtype=np.bool_)

    def normal(self, shape: tuple[int, ...], scale: float) -> NDArray[np.float32]:
        return np.zeros(shape, dtype=np.float32)


class Asked(NoNoise):
    """The true answer, and a record of what noise was asked for: ``(values, scale)`` a call."""

    def __init__(self) -> None:
        self.calls: list[tuple[NDArray[np.int64], float]] = []

    def gaussian(self, values: NDArray[np.int64], scale: float) -> NDArray[np.int64]:
        self.calls.append((values.copy(), scale))
        return super().gaussian(values, scale)
