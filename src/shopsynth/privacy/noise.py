"""Noise for released numbers: exact discrete samplers on a grid, fed by the operating system.

In: integers on a grid and a scale. Out: the integers with noise.

Floating-point noise leaks through its low bits (Mironov, CCS 2012); integers have none to leak. No
seed is taken: whoever knows the seed can subtract the noise. Tests give a source of their own.
"""

import math
import os
from dataclasses import dataclass
from typing import Any, Protocol, Self

import numpy as np
from numpy.typing import NDArray

from shopsynth.schema import MissingExtraError, PrivacyError

_UNITS_PER_DEVIATION = 2**38
"""At least so many grid units a standard deviation: see :func:`discretisation_slack`."""

_ROUNDING_MARGIN = 2.0**-40
"""Noise is larger by this share: norms that are computed in float64 err by less (2^-52 a step)."""

_GREATEST_SCALE = 2.0**44
_GREATEST_VALUE = 2**62
"""Noise beyond 2^18 scales is never drawn (chance below exp(-2^35)), so no sum leaves 64 bits."""

_SLACK_EPSILON = 12.0

_GRADIENT_BITS = 18


class NoiseSource(Protocol):
    """Where mechanisms get their noise from."""

    def gaussian(self, values: NDArray[np.int64], scale: float) -> NDArray[np.int64]:
        """Add discrete Gaussian noise of the scale, independent for every value."""

    def laplace(self, values: NDArray[np.int64], scale: float) -> NDArray[np.int64]:
        """Add discrete Laplace noise of the scale, independent for every value."""

    def bernoulli(self, n: int, rate: float) -> NDArray[np.bool_]:
        """Draw ``n`` independent truths of the given rate: which users take part in a step."""

    def normal(self, shape: tuple[int, ...], scale: float) -> NDArray[np.float32]:
        """Draw Gaussian noise for gradients, rounded to whole :func:`gradient_step`."""


class SystemNoise:
    """The noise of every real answer: OpenDP's exact samplers and the operating system's entropy.

    It has no state, and takes neither a seed nor a generator.

    Source: Canonne, Kamath, Steinke, "The Discrete Gaussian for Differential Privacy", NeurIPS
    2020, arXiv 2004.00010, algorithms 2 and 3, as OpenDP implements them.

    Example:
        >>> noisy = SystemNoise().gaussian(np.zeros(100, dtype=np.int64), scale=2.0**20)
        >>> bool(2**18 < noisy.std() < 2**22)
        True
    """

    def gaussian(self, values: NDArray[np.int64], scale: float) -> NDArray[np.int64]:
        """Add discrete Gaussian noise, independent for every value; about 15 µs a value.

        Raises:
            PrivacyError: If the scale is not positive, or so large that 64 bits could overflow.
            MissingExtraError: If OpenDP is not installed.
        """
        opendp = _load_opendp()
        space = (_int64_vectors(opendp), opendp.l2_distance(T="i64"))
        return _noised(values, opendp.m.make_gaussian(*space, scale=_checked_scale(scale)))

    def laplace(self, values: NDArray[np.int64], scale: float) -> NDArray[np.int64]:
        """Add discrete Laplace noise, independent for every value; about 10 µs a value.

        Raises:
            PrivacyError: If the scale is not positive, or so large that 64 bits could overflow.
            MissingExtraError: If OpenDP is not installed.
        """
        opendp = _load_opendp()
        space = (_int64_vectors(opendp), opendp.l1_distance(T="i64"))
        return _noised(values, opendp.m.make_laplace(*space, scale=_checked_scale(scale)))

    def bernoulli(self, n: int, rate: float) -> NDArray[np.bool_]:
        """Draw ``n`` truths; their rate is ``rate`` rounded down to 53 bits, never above it.

        Raises:
            PrivacyError: If the rate is no chance.
        """
        if not 0 <= rate <= 1:
            raise PrivacyError(f"draw of users: expected a rate from 0 to 1, got {rate}")
        return np.asarray(_random_bits(n) >> np.uint64(11) < np.uint64(int(rate * 2**53)))

    def normal(self, shape: tuple[int, ...], scale: float) -> NDArray[np.float32]:
        """Draw Gaussian noise by Box and Muller's transform, in float64, for millions of numbers.

        Floating-point noise betrays itself by its low bits; here they are rounded away: the numbers
        are multiples of :func:`gradient_step`, which float32 holds exactly, and are to be added to
        sums of such multiples. The tail ends where its chance is 2^-128.

        Raises:
            PrivacyError: If the scale is not positive.
        """
        n = math.prod(shape)
        pairs = (n + 1) // 2
        step = gradient_step(_checked_scale(scale))
        radius = scale / step * np.sqrt(-2 * np.log(_uniform(pairs)))
        angle = 2 * np.pi * _uniform(pairs)
        drawn = np.concatenate([radius * np.cos(angle), radius * np.sin(angle)])[:n]
        return np.asarray(np.rint(drawn) * step, dtype=np.float32).reshape(shape)


@dataclass(frozen=True)
class Grid:
    """Integers that stand for a real-valued answer, fine enough that nothing of use is lost.

    The step is a power of two, so going to the grid is exact but for the truncation.

    Attributes:
        step: What one grid unit is worth.
        scale: The noise in grid units: what :meth:`NoiseSource.gaussian` is asked for.

    Example:
        >>> grid = Grid.for_noise(deviation=3.0)
        >>> bool(grid.values(grid.units(np.array([0.25, -1.5])))[1] == -1.5)
        True
    """

    step: float
    scale: float

    @classmethod
    def for_noise(cls, deviation: float) -> Self:
        """Choose the grid for noise of this standard deviation (or Laplace scale) of the answer.

        Raises:
            PrivacyError: If the deviation is not a finite number above 0.
        """
        if not (math.isfinite(deviation) and deviation > 0):
            raise PrivacyError(
                f"grid of an answer: expected noise of a finite deviation above 0, got {deviation}"
            )
        step = math.ldexp(1.0, math.frexp(deviation)[1] - 1) / _UNITS_PER_DEVIATION
        return cls(step=step, scale=deviation / step * (1 + _ROUNDING_MARGIN))

    @property
    def greatest(self) -> float:
        """The largest answer that is told apart: 2^23 to 2^24 deviations; larger ones are it."""
        return _GREATEST_VALUE * self.step

    def units(self, values: NDArray[np.float64]) -> NDArray[np.int64]:
        """Put one user's contributions on the grid, toward zero, so that no norm grows.

        To be done for each user before the sum: the truncation of a sum can change by a whole unit
        in every value for one user.

        Raises:
            PrivacyError: If a value is not a number, or too large for its sum to fit 64 bits.
        """
        units = np.trunc(np.asarray(values, dtype=np.float64) / self.step)
        if not np.all(np.abs(units) <= _GREATEST_VALUE):
            raise PrivacyError(
                "grid of an answer: expected finite contributions of at most "
                f"{self.greatest:.3g}, got others; bound them first"
            )
        return units.astype(np.int64)

    def values(self, units: NDArray[np.int64]) -> NDArray[np.float64]:
        """Turn noisy integers back into the answer's units."""
        return units.astype(np.float64) * self.step


def gradient_step(scale: float) -> float:
    """Return the grid of gradients with noise of this scale: a power of two, 2^-19 to 2^-18 of it.

    Multiples up to 32 scales have at most 24 binary digits, so float32 holds them exactly.

    Example:
        >>> gradient_step(1.5) == 2.0**-18
        True
    """
    return math.ldexp(1.0, math.frexp(scale)[1] - 1 - _GRADIENT_BITS)


def discretisation_slack(n_values: int) -> float:
    """Bound what a grid's discrete noise can add to delta, against the continuous Gaussian.

    The ledger composes continuous Gaussians. Integers plus continuous noise, rounded, is as private
    as unrounded (post-processing), so what counts is the total variation between the rounded
    Gaussian q and the discrete one p of the same σ. With φ the density, symmetry and Taylor's
    remainder give Σ|q(x) − φ(x)| ≤ ∫₀^½ t² dt · (∫|φ''| + ∫|φ'''|) ≤ (0.968/σ² + 1.52/σ³)/24, and
    by Poisson summation p differs from φ by a factor 1 + 3exp(−2π²σ²) at most. So TV ≤ 1/(40 σ²)
    for σ ≥ 2. If two neighbours' answers are each within τ of those of an (ε, δ)-private mechanism,
    they are (ε, δ + (1 + e^ε)τ)-private; here ε ≤ 12.

    Args:
        n_values: How many numbers the mechanism releases.

    Returns:
        A probability: 7e-20 a number.

    Source: Canonne, Kamath, Steinke, arXiv 2004.00010 (fact 8, section 2: the normaliser).

    Example:
        >>> discretisation_slack(1_000_000) < 1e-12
        True
    """
    total_variation = n_values / (40 * float(_UNITS_PER_DEVIATION) ** 2)
    return (1 + math.exp(_SLACK_EPSILON)) * total_variation


def _checked_scale(scale: float) -> float:
    if not 0 < scale <= _GREATEST_SCALE:
        raise PrivacyError(
            f"noise: expected a scale above 0 and at most 2^44 grid units, got {scale}; "
            "choose a coarser grid"
        )
    return float(scale)


def _noised(values: NDArray[np.int64], measurement: Any) -> NDArray[np.int64]:
    """Clamp values, which makes no difference larger, and add the noise of a measurement."""
    safe = np.clip(values, -_GREATEST_VALUE, _GREATEST_VALUE)
    noisy = measurement(safe.ravel().tolist()) if safe.size else []
    return np.array(noisy, dtype=np.int64).reshape(safe.shape)


def _uniform(n: int) -> NDArray[np.float64]:
    """Draw numbers above 0 and at most 1, with 128 bits where 64 are all zero."""
    bits = _random_bits(n)
    fine = np.where(bits == 0, _random_bits(n) * 2.0**-64, 0.0) if (bits == 0).any() else 0.0
    return np.asarray((bits.astype(np.float64) + fine + 2.0**-65) * 2.0**-64)


def _random_bits(n: int) -> NDArray[np.uint64]:
    return np.frombuffer(os.urandom(8 * n), dtype=np.uint64)


def _int64_vectors(opendp: Any) -> Any:
    return opendp.vector_domain(opendp.atom_domain(T="i64"))


def _load_opendp() -> Any:
    try:
        import opendp.prelude
    except ImportError as error:
        raise MissingExtraError(
            "noise of mode dp: expected OpenDP, got none; pip install 'shopsynth[privacy]'"
        ) from error
    opendp.prelude.enable_features("contrib")
    return opendp.prelude
