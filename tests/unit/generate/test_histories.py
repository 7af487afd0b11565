"""Events to arrays and back, and the shared edits."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest

from shopsynth.generate._edits import (
    draw_in_rounds,
    insert_after,
    joined,
    keep_events,
    new_pairs,
    take_users,
)
from shopsynth.generate._histories import read_histories, write_synthetic
from shopsynth.schema import Settings

NOON = datetime(2024, 3, 1, 12, tzinfo=UTC)


class NoSettings(Settings):
    """None."""


@pytest.fixture
def shop(make_view):
    return make_view(
        {"u1": ["b", "a", "c"], "u2": ["a"]},
        days={"u1": [0, 0, 4], "u2": [1]},
        quantity=pl.Series([1.0, 2.0, 3.0, 4.0]),
        note=pl.lit("private"),
    )


def test_arrays_hold_what_the_events_said(shop):
    form, histories = read_histories(shop, "test")
    assert form.item_ids.to_list() == ["a", "b", "c"]
    assert histories.item.tolist() == [1, 0, 2, 0]
    assert histories.offsets.tolist() == [0, 3, 4]
    assert histories.opens.tolist() == [True, False, True, True]
    assert histories.user.tolist() == [0, 0, 0, 1]
    assert histories.index.tolist() == [0, 1, 2, 0]
    assert form.item_counts().tolist() == [2, 1, 1]
    assert form.carried.columns == ["quantity"]


def test_session_ids_decide_over_times(make_view):
    view = make_view(
        {"u": ["a", "b", "c"]},
        days={"u": [0, 0, 9]},
        session_id=pl.Series(["s1", "s2", "s2"]),
    )
    assert read_histories(view, "test")[1].opens.tolist() == [True, True, False]


def test_events_outside_the_catalogue_are_left_out(make_view):
    view = make_view({"u": ["a", "zzz"], "v": ["zzz"]}, items=pl.DataFrame({"item_id": ["a", "b"]}))
    form, histories = read_histories(view, "test")
    assert (form.n_items, histories.n_users, histories.item.tolist()) == (2, 1, [0])


def test_writing_what_was_read_gives_the_same_rows_under_new_names(shop):
    form, histories = read_histories(shop, "test")
    synthetic = write_synthetic(histories, form, method="test", options=NoSettings(), seed=8)
    events = synthetic.data.need("events")
    assert events["user_id"].to_list() == ["synthetic-test-000001"] * 3 + ["synthetic-test-000002"]
    kept = ["item_id", "timestamp", "quantity"]
    assert events.select(kept).equals(shop.events().select(kept))
    assert events.columns == ["user_id", *kept]


def test_sessions_are_numbered_within_a_user(make_view):
    view = make_view(
        {"u": ["a", "b", "c"], "v": ["a", "b"]},
        session_id=pl.Series(["x", "y", "y", "z", "w"]),
    )
    form, histories = read_histories(view, "test")
    made = write_synthetic(histories, form, method="m", options=NoSettings(), seed=0)
    first, second = "synthetic-m-000001", "synthetic-m-000002"
    assert made.data.need("events")["session_id"].to_list() == [
        f"{first}-1", f"{first}-2", f"{first}-2", f"{second}-1", f"{second}-2",
    ]  # fmt: skip


def test_a_borrowed_row_takes_the_catalogue_price(make_view):
    items = pl.DataFrame({"item_id": ["a", "b"], "price": [5.0, 7.0]})
    view = make_view({"u": ["a", "a"]}, items=items, price=pl.Series([4.5, 4.0]))
    form, histories = read_histories(view, "test")
    histories = replace(histories, item=np.array([0, 1], dtype=np.int32))
    made = write_synthetic(histories, form, method="m", options=NoSettings(), seed=0)
    assert made.data.need("events")["price"].to_list() == [4.5, 7.0]
    form, histories = read_histories(
        make_view({"u": ["a", "a"]}, items=items.drop("price"), price=pl.Series([4.5, 4.0])), "test"
    )
    histories = replace(histories, item=np.array([0, 1], dtype=np.int32))
    made = write_synthetic(histories, form, method="m", options=NoSettings(), seed=0)
    assert made.data.need("events")["price"].to_list() == [4.5, None]


def test_users_can_be_taken_again_and_again(shop):
    _, histories = read_histories(shop, "test")
    taken = take_users(histories, np.array([1, 0, 1]))
    assert taken.item.tolist() == [0, 1, 0, 2, 0]
    assert taken.offsets.tolist() == [0, 1, 4, 5]
    assert taken.row.tolist() == [3, 0, 1, 2, 3]


def test_dropping_a_sessions_first_event_opens_it_at_the_next(shop):
    _, histories = read_histories(shop, "test")
    kept = keep_events(histories, np.array([False, True, True, True]))
    assert kept.item.tolist() == [0, 2, 0]
    assert kept.opens.tolist() == [True, True, True]
    assert kept.offsets.tolist() == [0, 2, 3]


def test_inserted_events_join_the_session_they_follow(make_view):
    view = make_view(
        {"u": ["a", "b", "c"], "v": ["b"]},
        days={"u": [0, 2, 6], "v": [0]},
        session_id=pl.Series(["s", "s", "t", "r"]),
    )
    _, histories = read_histories(view, "test")
    anchors = np.array([0, 1, 3])
    grown = insert_after(histories, anchors, np.array([2, 2, 0]), np.array([2, 2, 0]))
    assert grown.item.tolist() == [0, 2, 1, 2, 2, 1, 0]
    assert grown.opens.tolist() == [True, False, False, False, True, True, False]
    assert grown.offsets.tolist() == [0, 5, 7]
    days = (grown.time - grown.time[0]) / timedelta(days=1).total_seconds() / 1e6
    assert days.tolist() == [0, 1, 2, 2, 6, 0, 0]


def test_parts_are_joined_user_by_user(shop):
    _, histories = read_histories(shop, "test")
    both = joined([histories, histories])
    assert both.offsets.tolist() == [0, 3, 4, 7, 8]
    assert both.item.tolist() == histories.item.tolist() * 2


def test_rounds_use_everyone_before_anyone_again():
    drawn = draw_in_rounds(5, 12, np.random.Generator(np.random.PCG64(0)))
    assert drawn.size == 12
    assert sorted(drawn[:5]) == sorted(drawn[5:10]) == [0, 1, 2, 3, 4]


def test_new_pairs_are_neither_known_nor_doubled():
    user, item = np.array([0, 0, 0, 1, 1]), np.array([2, 2, 1, 2, -1])
    known = np.array([0 * 3 + 1, 1 * 3 + 0])
    assert new_pairs(user, item, known, 3).tolist() == [True, False, False, True, False]
