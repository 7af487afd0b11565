"""Weighted, empirical and evenly spread draws."""

import numpy as np
import pytest

from shopsynth.generate._draws import (
    DrawTable,
    Pool,
    empirical_draws,
    size_bucket,
    spread_uniforms,
)


def generator(seed=0):
    return np.random.Generator(np.random.PCG64(seed))


@pytest.fixture
def table():
    rows, choices = np.array([0, 0, 0, 2]), np.array([5, 9, 5, 4])
    return DrawTable.of(rows, choices, np.array([1.0, 6.0, 1.0, 2.0]), 3)


def test_equal_pairs_add_up(table):
    assert table.sizes().tolist() == [2, 0, 1]
    assert table.totals().tolist() == [8.0, 0.0, 2.0]


def test_shares_are_the_weights(table):
    uniforms = (np.arange(1000) + 0.5) / 1000
    drawn = table.draw(np.zeros(1000, dtype=np.int64), uniforms)
    assert np.count_nonzero(drawn == 5) == 250
    assert np.count_nonzero(drawn == 9) == 750


def test_the_borders_of_a_row_never_leave_it(table):
    rows = np.array([0, 0, 2, 2, 1])
    uniforms = np.array([0.0, np.nextafter(1.0, 0.0), 0.0, np.nextafter(1.0, 0.0), 0.5])
    assert table.draw(rows, uniforms).tolist() == [5, 9, 4, 4, -1]


def test_an_added_row_is_empty(table):
    wider = table.with_empty_row()
    assert wider.draw(np.array([3, 2]), np.array([0.5, 0.5])).tolist() == [-1, 4]


def test_a_table_may_be_empty():
    none = DrawTable.of(np.array([], dtype=int), np.array([], dtype=int), np.array([]), 2)
    assert none.draw(np.array([0, 1]), np.array([0.1, 0.9])).tolist() == [-1, -1]


def test_spread_uniforms_hit_every_stretch_once_in_each_group():
    groups = generator(1).permutation(np.repeat([0, 7, 3], [10, 4, 1]))
    uniforms = spread_uniforms(groups, generator(2))
    for group, size in ((0, 10), (7, 4), (3, 1)):
        stretches = np.floor(uniforms[groups == group] * size)
        assert sorted(stretches.tolist()) == list(range(size))
    assert uniforms.max() < 1


def test_empirical_draws_keep_the_distribution_exactly_when_they_can():
    values = np.array([1, 1, 1, 5, 9, 9])
    assert sorted(empirical_draws(values, 6, generator()).tolist()) == [1, 1, 1, 5, 9, 9]
    many = empirical_draws(values, 600, generator())
    assert np.bincount(many)[[1, 5, 9]].tolist() == [300, 100, 200]


def test_a_pool_draws_only_from_the_wanted_bucket():
    pool = Pool.of(np.array([2, 0, 2, 0]), np.array([20, 1, 22, 3]), 4)
    drawn = pool.draw(np.array([0] * 50 + [2] * 50 + [1, 3]), generator())
    assert set(drawn[:50]) == {1, 3}
    assert set(drawn[50:100]) == {20, 22}
    assert drawn[100:].tolist() == [0, 0]


def test_buckets_double():
    assert size_bucket(np.array([0, 1, 2, 3, 4, 7, 8, 255, 256])).tolist() == [
        0, 0, 1, 1, 2, 2, 3, 7, 8,
    ]  # fmt: skip
