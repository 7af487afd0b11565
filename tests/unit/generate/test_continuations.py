"""Continuations: pieces keep their order, and the target comes at the next moment."""

import numpy as np

from shopsynth.generate._continuations import LAST, Moments, continued
from shopsynth.generate._episodes import Episodes
from shopsynth.generate._histories import Histories


def histories():
    """Two users: baskets (0, 1), (2), (3); and one basket (4, 0)."""
    return Histories(
        item=np.array([0, 1, 2, 3, 4, 0], dtype=np.int32),
        time=np.array([10, 10, 20, 30, 5, 5]),
        opens=np.array([True, False, True, True, True, False]),
        row=np.arange(6),
        offsets=np.array([0, 4, 6]),
    )


def go_on(starts, ends, targets):
    real = histories()
    ends = np.array(ends)
    return continued(
        real,
        np.array(starts),
        ends,
        np.array(targets),
        Moments.of(real).following[ends],
        Episodes.fit(real, 9),
        np.random.Generator(np.random.PCG64(0)),
    )


def test_moments_know_what_follows_them():
    moments = Moments.of(histories())
    assert moments.number.tolist() == [0, 0, 1, 2, 3, 3]
    assert moments.following.tolist() == [2, 2, 3, LAST, LAST, LAST]
    assert moments.ends.tolist() == [1, 2]


def test_where_nobody_came_twice_every_moment_may_be_continued():
    real = histories()
    alone = Histories(real.item, np.zeros(6, np.int64), real.opens, real.row, real.offsets)
    assert Moments.of(alone).ends.tolist() == [3, 5]


def test_a_piece_inside_a_basket_goes_on_in_the_next_one():
    made = go_on([0, 1], [0, 2], [7, 8])
    assert made.item.tolist() == [0, 7, 1, 2, 8]
    assert made.time.tolist() == [10, 20, 10, 20, 30]
    assert made.opens.tolist() == [True, True, True, True, True]
    assert made.offsets.tolist() == [0, 2, 5]


def test_after_the_last_moment_the_target_comes_at_its_time():
    made = go_on([2, 4], [3, 5], [7, 8])
    assert made.item.tolist() == [2, 3, 7, 4, 0, 8]
    assert made.time.tolist() == [20, 30, 30, 5, 5, 5]
    assert made.opens.tolist() == [True, True, False, True, False, False]


def test_a_target_that_the_piece_holds_comes_once_and_carries_its_own_rows():
    made = go_on([0, 0], [2, 0], [1, 0])
    assert made.item.tolist() == [0, 2, 1, 0]
    assert made.offsets.tolist() == [0, 3, 4]
    real = histories()
    assert real.item[made.row[[2, 3]]].tolist() == [1, 0]
