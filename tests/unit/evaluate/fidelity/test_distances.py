"""Distances where they have nothing to compare; the rest are doctests."""

import math

import numpy as np
import pytest

from shopsynth.evaluate.fidelity.distances import (
    cramers_v,
    gini,
    kolmogorov_smirnov,
    total_variation,
)

NOTHING = np.zeros(3)


def test_nothing_has_no_distance():
    assert math.isnan(kolmogorov_smirnov(np.empty(0), np.ones(2)))
    assert math.isnan(total_variation(NOTHING, np.ones(3)))
    assert math.isnan(gini(NOTHING))


def test_the_distance_of_distributions_is_the_same_in_logarithms():
    random = np.random.Generator(np.random.PCG64(0))
    a, b = random.exponential(1, 500), random.exponential(2, 400)
    assert kolmogorov_smirnov(a, b) == kolmogorov_smirnov(np.log(a), np.log(b)) > 0.1


def test_association_is_none_with_one_row_and_total_with_a_permutation():
    assert cramers_v(np.array([[3.0, 4.0], [0.0, 0.0]])) == 0
    assert cramers_v(np.array([[1.0, 1.0], [2.0, 2.0]])) == 0
    assert cramers_v(np.roll(np.eye(4), 1, axis=0)) == pytest.approx(1)
