"""Histories keep users, order and times, as integers."""

import numpy as np
import polars as pl
import pytest

from shopsynth.evaluate.histories import Histories, shared_catalogue


@pytest.fixture
def histories(make_events):
    events = make_events({"bob": "c a", "ann": "a b a b"}, hours=12)
    return Histories.encode(events.reverse(), shared_catalogue([events]))


def test_users_are_sorted_and_events_in_time_order(histories):
    assert histories.user.tolist() == [0, 0, 0, 0, 1, 1]
    assert histories.item.tolist() == [0, 1, 0, 1, 2, 0]
    assert histories.starts.tolist() == [0, 4]
    assert histories.lengths().tolist() == [4, 2]
    assert histories.counts().tolist() == [3, 2, 1]


def test_gaps_and_hours_stay_inside_a_history(histories):
    assert histories.gaps_days().tolist() == [0.5] * 4
    assert histories.hours().tolist() == [9, 21, 9, 21, 9, 21]


def test_runs_never_cross_users(histories):
    runs, users = histories.runs(3)
    assert runs.tolist() == [[0, 1, 0], [1, 0, 1]]
    assert users.tolist() == [0, 0]
    assert histories.runs(7)[0].shape == (0, 7)


def test_selected_users_are_numbered_anew(histories):
    bob = histories.select(np.array([False, True]))
    assert (bob.n_users, bob.item.tolist()) == (1, [2, 0])
    assert bob.pairs().tolist() == [0, 2]


def test_without_times_there_are_no_gaps_or_hours(make_events):
    events = make_events({"ann": "a b"}).drop("timestamp")
    ordered = events.with_columns(pl.Series("position", [2, 1]))
    histories = Histories.encode(ordered, shared_catalogue([ordered]))
    assert histories.item.tolist() == [1, 0]
    assert histories.gaps_days().size == histories.hours().size == 0
