"""Holm's correction and the bootstrap keep their promises on any input."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from shopsynth.evaluate import holm
from shopsynth.evaluate.bootstrap import resample_means

p_values = st.lists(st.floats(0, 1), min_size=1, max_size=12)


@given(p_values)
def test_holm_lies_between_the_raw_values_and_bonferroni(raw):
    p = np.array(raw)
    adjusted = holm(p)
    assert (adjusted >= p).all()
    assert (adjusted <= np.minimum(1, p * p.size)).all()


@given(p_values)
def test_holm_keeps_the_order_of_hypotheses(raw):
    p = np.array(raw)
    order = np.argsort(p, kind="stable")
    assert (np.diff(holm(p)[order]) >= 0).all()


@settings(max_examples=20, deadline=None)
@given(st.integers(1, 40), st.integers(0, 2**31 - 1))
def test_resampled_means_are_means_of_drawn_units(n_units, seed):
    """All columns share the draws: a column of ones stays 1, a multiple stays a multiple."""
    values = np.random.Generator(np.random.PCG64(seed)).random((n_units, 1))
    means = resample_means(
        np.hstack([values, 0.5 * values, np.ones((n_units, 1))]), resamples=50, seed=seed
    )
    assert np.allclose(means[:, 1], 0.5 * means[:, 0], atol=1e-9)
    assert (means[:, 2] == 1).all()
    assert (means[:, 0] >= values.min() - 1e-9).all()
    assert (means[:, 0] <= values.max() + 1e-9).all()
