"""Batches: every event once an epoch, no batch too large, long histories in rows of their own."""

import numpy as np

from shopsynth.generate.sequences.batches import Batches
from shopsynth.generate.sequences.event_tokens import Tokens


def tokens_of(lengths):
    offsets = np.concatenate(([0], np.cumsum(lengths)))
    zeros = np.zeros(offsets[-1], dtype=np.int64)
    return Tokens(zeros, zeros, zeros, zeros, offsets)


LENGTHS = np.array([3, 1, 700, 12, 5, 1, 1200, 40] * 6)


def test_every_event_of_the_users_comes_once_an_epoch():
    tokens, users = tokens_of(LENGTHS), np.arange(0, 48, 2)
    batches = Batches(tokens, users, size=600, seed=1)
    events = np.concatenate(
        [batches.batch(rows).event[batches.batch(rows).real] for rows in batches.epoch(0)]
    )
    user = np.searchsorted(tokens.offsets, np.sort(events), side="right") - 1
    assert np.unique(events).size == events.size == LENGTHS[users].sum()
    assert set(user.tolist()) == set(users.tolist())
    in_order = [batch.event[batch.real] for batch in batches.in_order()]
    assert np.array_equal(np.sort(np.concatenate(in_order)), np.sort(events))


def test_no_batch_is_larger_than_asked_unless_one_row_is():
    batches = Batches(tokens_of(LENGTHS), np.arange(48), size=600, seed=1)
    sizes = [batches.batch(rows).event.size for rows in batches.epoch(0)]
    assert max(sizes) <= 600
    tiny = Batches(tokens_of(LENGTHS), np.arange(48), size=10, seed=1)
    assert all(rows.size == 1 or tiny.batch(rows).event.size <= 10 for rows in tiny.epoch(0))


def test_long_histories_go_on_in_rows_that_know_their_place():
    batches = Batches(tokens_of(np.array([1200])), np.array([0]), size=4096, seed=1)
    batch = next(iter(batches.in_order()))
    order = np.argsort(batch.place)
    assert batch.place[order].tolist() == [0, 512, 1024]
    assert batch.left[order].tolist() == [1200, 688, 176]
    assert batch.real.sum() == 1200
    assert batch.event[order][1, 0] == 512


def test_epochs_differ_and_follow_from_seed_and_number():
    def rows(seed, number):
        batches = Batches(tokens_of(LENGTHS), np.arange(48), size=600, seed=seed)
        return [part.tolist() for part in batches.epoch(number)]

    assert rows(1, 0) == rows(1, 0)
    assert rows(1, 0) != rows(1, 1)
    assert rows(1, 0) != rows(2, 0)
