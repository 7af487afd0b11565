"""Batches of texts: every row once an epoch, and what is asked of each."""

import numpy as np
import pytest

from shopsynth.generate.language.batches import Rows, TextBatches

ROWS = Rows.of(
    [np.array([1, 9, *range(10, 10 + n), 2], dtype=np.int32) for n in (3, 1, 7, 2, 5)],
    n_before=2,
    pad=0,
    mask=3,
)


def batches(objective, size=20):
    return TextBatches(ROWS, np.arange(5), objective=objective, size=size, seed=1)


def test_rows_are_padded_to_the_longest():
    assert ROWS.padded(np.array([1, 0])).tolist() == [[1, 9, 10, 2, 0, 0], [1, 9, 10, 11, 12, 2]]
    assert Rows.of([], n_before=1, pad=0, mask=3).lengths.size == 0


def test_an_epoch_has_every_row_once_in_small_batches():
    made = batches("next")
    rows = made.epoch(0)
    assert sorted(np.concatenate(rows)) == list(range(5))
    assert all(made.batch(one).tokens.size <= 20 for one in rows)
    again = batches("next").epoch(0)
    assert [one.tolist() for one in rows] == [one.tolist() for one in again]
    others = [[one.tolist() for one in made.epoch(number)] for number in range(1, 6)]
    assert any(other != [one.tolist() for one in rows] for other in others)


def test_the_next_piece_is_asked_for_from_the_text_on():
    batch = batches("next").batch(np.array([1, 0]))
    assert batch.tokens.tolist() == [[1, 9, 10, 2, 0], [1, 9, 10, 11, 12]]
    assert batch.target.tolist() == [[9, 10, 2, 0, 0], [9, 10, 11, 12, 2]]
    assert batch.real.tolist() == [[False, True, True, False, False], [False] + [True] * 4]


def test_hidden_pieces_are_asked_for_and_nothing_else_is_hidden():
    made = batches("masked")
    made.epoch(4)
    batch, again = made.batch(np.arange(5)), made.batch(np.arange(5))
    assert (batch.tokens == again.tokens).all()
    assert ((batch.tokens == 3) == batch.real).all()
    assert (batch.tokens[~batch.real] == batch.target[~batch.real]).all()
    assert not batch.real[:, :2].any()
    assert batch.real.any(axis=1).all()
    assert not (batch.target[batch.real] == 0).any()
    made.epoch(5)
    assert (made.batch(np.arange(5)).tokens != batch.tokens).any()


@pytest.mark.parametrize("objective", ["next", "masked"])
def test_an_evaluation_asks_the_same_each_time(objective):
    made = batches(objective)
    first = list(made.in_order())
    made.epoch(1)
    for one, other in zip(first, made.in_order(), strict=True):
        assert (one.tokens == other.tokens).all()
        assert (one.real == other.real).all()
    assert sum(len(one.tokens) for one in first) == 5
