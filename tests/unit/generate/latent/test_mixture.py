"""A mixture: planted clusters come back, in shares and shapes; odd points do no harm."""

import numpy as np
import pytest

from shopsynth.generate.latent.mixture import Mixture


def generator(seed=1):
    return np.random.Generator(np.random.PCG64(seed))


def clusters(n=3000):
    """A flat cluster of a quarter of the points around 0, and a tilted one around 6."""
    random = generator(5)
    tilted = random.standard_normal((n, 2)) @ np.array([[1.0, 0.8], [0.0, 0.3]])
    flat = random.standard_normal((n, 2)) * [2.0, 0.1]
    first = np.arange(n) < n // 4
    return np.where(first[:, None], flat, tilted + 6).astype(np.float32)


def test_planted_clusters_come_back():
    mixture = Mixture.fit(clusters(), k=2, random=generator())
    order = np.argsort(mixture.shares)
    assert mixture.shares[order] == pytest.approx([0.25, 0.75], abs=0.01)
    assert mixture.centres[order] == pytest.approx(np.array([[0, 0], [6, 6]]), abs=0.15)
    covariances = mixture.roots @ mixture.roots.transpose(0, 2, 1)
    flat, tilted = covariances[order]
    assert flat == pytest.approx(np.diag([4.0, 0.01]), abs=0.25)
    assert tilted == pytest.approx(np.array([[1.0, 0.8], [0.8, 0.73]]), abs=0.1)


def test_draws_have_the_moments_of_the_points():
    points = clusters()
    drawn = Mixture.fit(points, k=4, random=generator()).draw(20_000, generator(2))
    assert drawn.shape == (20_000, 2)
    assert drawn.mean(axis=0) == pytest.approx(points.mean(axis=0), abs=0.1)
    assert np.cov(drawn.T) == pytest.approx(np.cov(points.T), abs=0.3)
    near_first = (np.abs(drawn) < [8, 0.5]).all(axis=1)
    assert near_first.mean() == pytest.approx(0.25, abs=0.02)


def test_the_same_seed_gives_the_same_draws():
    first, again = (
        Mixture.fit(clusters(), k=3, random=generator()).draw(50, generator(2)) for _ in range(2)
    )
    assert np.array_equal(first, again)


@pytest.mark.parametrize(
    "points", [np.zeros((1, 3)), np.ones((40, 3)), np.eye(3), np.repeat(np.eye(3), 30, axis=0)]
)
def test_few_or_equal_points_are_borne(points):
    drawn = Mixture.fit(points, k=8, random=generator()).draw(100, generator(2))
    assert np.isfinite(drawn).all()
    assert np.abs(drawn).max() < 5


def test_few_points_make_few_components():
    points = generator(3).standard_normal((50, 4))
    assert Mixture.fit(points, k=8, random=generator()).shares.size == 3
