"""Noise: exact samplers without a seed, and the grid they work on."""

import inspect
import math
import random
import sys

import numpy as np
import pytest
from scipy import stats

from fakes.noise import NoNoise, SeededNoise
from shopsynth.privacy.noise import (
    Grid,
    NoiseSource,
    SystemNoise,
    discretisation_slack,
    gradient_step,
)
from shopsynth.schema import MissingExtraError, PrivacyError

ZEROS = np.zeros(2_000, dtype=np.int64)


def test_noise_has_the_asked_distribution() -> None:
    source = SystemNoise()
    scale = 2.0**20
    gaussian = source.gaussian(ZEROS, scale) / scale
    laplace = source.laplace(ZEROS, scale) / scale
    normal = source.normal((7, 301), 3.0)
    assert stats.kstest(gaussian, "norm").pvalue > 1e-6
    assert stats.kstest(laplace, "laplace").pvalue > 1e-6
    assert stats.kstest(normal.ravel() / 3, "norm").pvalue > 1e-6
    assert normal.shape == (7, 301)
    assert normal.dtype == np.float32
    # Box and Muller make numbers in pairs; the two of a pair must be independent.
    assert abs(np.corrcoef(normal.ravel()[:1_053], normal.ravel()[1_054:])[0, 1]) < 0.2


def test_noise_of_gradients_has_no_low_bits_and_a_long_tail(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for scale in (1e-3, 1.0, 3.7):
        steps = SystemNoise().normal((999,), scale) / gradient_step(scale)
        assert np.array_equal(steps, np.rint(steps))
        assert np.abs(steps).max() > 2**18
    zeros = np.zeros(2, dtype=np.uint64)
    monkeypatch.setattr("shopsynth.privacy.noise._random_bits", lambda n: zeros[:n])
    farthest = SystemNoise().normal((1,), 1.0)[0]
    assert 13 < farthest < 14, "the chance of more is 2^-128, not the 2^-53 of a float"


def test_noise_keeps_values_shape_and_type() -> None:
    values = np.array([[5, -7], [2**40, 0]], dtype=np.int64)
    noisy = SystemNoise().gaussian(values, 1e-3)
    assert np.array_equal(noisy, values)
    assert noisy.dtype == np.int64
    assert SystemNoise().laplace(np.zeros(0, dtype=np.int64), 1.0).shape == (0,)
    assert SystemNoise().normal((0, 3), 1.0).shape == (0, 3)


def test_extreme_values_do_not_wrap_around() -> None:
    limits = np.array([np.iinfo(np.int64).max, np.iinfo(np.int64).min])
    noisy = SystemNoise().gaussian(limits, 2.0**44)
    assert noisy[0] > 2**61
    assert noisy[1] < -(2**61)


def test_bernoulli_draws_at_its_rate_and_knows_the_ends() -> None:
    source = SystemNoise()
    assert source.bernoulli(500, 0.0).sum() == 0
    assert source.bernoulli(500, 1.0).sum() == 500
    drawn = int(source.bernoulli(20_000, 0.1).sum())
    assert stats.binomtest(drawn, 20_000, 0.1).pvalue > 1e-6
    for rate in (-0.1, 1.1, math.nan):
        with pytest.raises(PrivacyError, match="from 0 to 1"):
            source.bernoulli(3, rate)


@pytest.mark.parametrize("scale", [0.0, -1.0, math.nan, math.inf, 2.0**45])
def test_scales_that_give_no_noise_or_overflow_are_refused(scale: float) -> None:
    for draw in (SystemNoise().gaussian, SystemNoise().laplace):
        with pytest.raises(PrivacyError, match="coarser grid"):
            draw(ZEROS, scale)
    with pytest.raises(PrivacyError, match="coarser grid"):
        SystemNoise().normal((3,), scale)


def test_missing_opendp_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "opendp.prelude", None)
    with pytest.raises(MissingExtraError, match=r"shopsynth\[privacy\]"):
        SystemNoise().gaussian(ZEROS, 1.0)


def test_the_grid_is_fine_and_never_makes_a_norm_larger() -> None:
    draw = np.random.Generator(np.random.PCG64(3))
    for deviation in (1e-9, 0.3, 1.0, 12_345.6):
        grid = Grid.for_noise(deviation)
        assert 2**38 <= grid.scale <= 2**39 * 1.01
        assert grid.scale * grid.step > deviation
        values = deviation * draw.normal(size=1_000)
        back = grid.values(grid.units(values))
        assert np.all(np.abs(back) <= np.abs(values))
        assert np.all(np.abs(back - values) < grid.step)


def test_the_grid_refuses_what_it_cannot_hold() -> None:
    grid = Grid.for_noise(1.0)
    for value in (math.nan, math.inf, 1e9):
        with pytest.raises(PrivacyError, match="bound them first"):
            grid.units(np.array([value]))
    for deviation in (0.0, -1.0, math.nan, math.inf):
        with pytest.raises(PrivacyError, match="above 0"):
            Grid.for_noise(deviation)


def test_the_slack_bounds_the_distance_to_the_rounded_gaussian() -> None:
    """The proof's bound against the exact distance, where it is large enough to compute."""
    for scale in (2.0, 5.0, 20.0):
        x = np.arange(-40 * scale, 40 * scale + 1)
        discrete = np.exp(-(x**2) / (2 * scale**2))
        discrete /= discrete.sum()
        rounded = stats.norm.cdf((x + 0.5) / scale) - stats.norm.cdf((x - 0.5) / scale)
        distance = 0.5 * np.abs(discrete - rounded).sum()
        assert 0.5 / (40 * scale**2) < distance <= 1 / (40 * scale**2)
    assert discretisation_slack(10) == pytest.approx(10 * discretisation_slack(1))


def seed_arguments(source: type) -> list[str]:
    """Name every way in for a seed or a generator."""
    methods = ("__init__", "gaussian", "laplace", "bernoulli", "normal")
    return [
        parameter
        for method in methods
        for parameter in inspect.signature(getattr(source, method)).parameters
        if any(word in parameter for word in ("seed", "random", "rng", "generator", "state"))
    ]


@pytest.mark.planted_leak
def test_leak_03_a_seed_for_noise_is_not_taken() -> None:
    assert seed_arguments(SystemNoise) == []
    assert seed_arguments(SeededNoise) == ["seed"], "the planted source takes one, and is seen"
    with pytest.raises(TypeError):
        SystemNoise(seed=7)  # type: ignore[call-arg]

    def draws(source: NoiseSource) -> tuple[int, ...]:
        random.seed(7)
        np.random.seed(7)  # noqa: NPY002  what a careless library would draw from
        noisy = (
            source.gaussian(ZEROS[:4], 2.0**20),
            source.laplace(ZEROS[:4], 2.0**20),
            source.bernoulli(64, 0.5),
            source.normal((4,), 1.0),
        )
        return tuple(hash(part.tobytes()) for part in noisy)

    planted = draws(SeededNoise(7)), draws(SeededNoise(7))
    assert planted[0] == planted[1], "with a seed the noise repeats and can be subtracted"
    real = draws(SystemNoise()), draws(SystemNoise())
    assert all(one != other for one, other in zip(*real, strict=True))


def test_the_fakes_are_sources() -> None:
    sources: list[NoiseSource] = [SystemNoise(), SeededNoise(1), NoNoise()]
    for source in sources:
        assert source.gaussian(ZEROS, 1.0).dtype == np.int64
        assert source.laplace(ZEROS, 1.0).shape == ZEROS.shape
        assert source.bernoulli(5, 1.0).all()
        assert source.normal((2, 3), 1e-3).shape == (2, 3)
