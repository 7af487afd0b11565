"""content_next: pieces of real histories, each followed by the new item that suits it."""

from datetime import timedelta

import numpy as np
import polars as pl
import pytest

from shopsynth.generate import Conditions, make_synthesizer
from shopsynth.schema import EmptyDataError, InputError

KINDS = ("garden hose", "ceramic mug", "paper lantern")
ITEMS = pl.DataFrame(
    {
        "item_id": [f"warm{n}" for n in range(12)] + [f"cold{n}" for n in range(3)],
        "title": [f"{KINDS[n % 3]} number{n}" for n in range(12)] + [f"new {k}" for k in KINDS],
    }
)
HISTORIES = {f"u{n:02d}": [f"warm{(n % 3 + 3 * i) % 12}" for i in range(6)] for n in range(45)}
"""Everybody keeps to one kind; ``u00`` to hoses, ``u01`` to mugs, and so on."""


def sample(view, n, conditions=None, **options):
    method = make_synthesizer("content_next", options).fit(view, seed=0)
    return method.sample(n, seed=1, conditions=conditions)


def test_a_piece_of_a_real_history_goes_on_with_the_cold_item_of_its_kind(make_view, rows_of):
    made = rows_of(sample(make_view(HISTORIES, items=ITEMS), 200))
    real = ["/".join(items) for items in HISTORIES.values()]
    for items in made.values():
        *before, last = items
        assert last.startswith("cold")
        assert {int(item[4:]) % 3 for item in before} == {int(last[4:])}
        assert any("/".join(before) in whole for whole in real)


def test_pieces_have_every_length_up_to_the_window(make_view, rows_of):
    made = rows_of(sample(make_view(HISTORIES, items=ITEMS), 300, window=3, pairs=0))
    lengths = [len(items) - 1 for items in made.values()]
    assert set(lengths) == {1, 2, 3}


def test_pairs_are_a_new_item_after_one_of_its_nearest(make_view, rows_of):
    made = rows_of(sample(make_view(HISTORIES, items=ITEMS), 90, pairs=1, neighbours=2))
    after: dict[str, set[str]] = {}
    for first, last in made.values():
        after.setdefault(last, set()).add(first)
    cold = [items[-1] for items in made.values()]
    assert {cold.count(f"cold{n}") for n in range(3)} == {30}
    for last, near in after.items():
        assert len(near) == 2
        assert {int(first[4:]) % 3 for first in near} == {int(last[4:])}


def test_as_many_pairs_as_asked_for_lie_between_pieces(make_view, rows_of):
    lengths = [
        len(items)
        for items in rows_of(
            sample(make_view(HISTORIES, items=ITEMS), 200, pairs=0.5, window=40)
        ).values()
    ]
    assert 100 <= lengths.count(2) < 150
    assert lengths[:100].count(2) < 80


def test_the_new_item_takes_the_place_of_the_next_moment(make_view):
    events = sample(make_view(HISTORIES, items=ITEMS), 60).data.ordered_events()
    gaps = events.select(pl.col("timestamp").diff().over("user_id")).drop_nulls()["timestamp"]
    assert set(gaps) == {timedelta(days=1)}


def test_a_basket_stays_whole_and_is_followed_by_the_new_item_alone(make_view):
    days = {user: [0, 0, 0, 4, 4, 4] for user in HISTORIES}
    events = sample(make_view(HISTORIES, items=ITEMS, days=days), 60, window=9).data.need("events")
    by_day = events.group_by("user_id", pl.col("timestamp").dt.day()).agg("item_id")
    later = by_day.filter(pl.col("timestamp") == 5)["item_id"].to_list()
    assert all(len(items) == 1 and items[0].startswith("cold") for items in later)
    assert by_day.filter(pl.col("timestamp") == 1)["item_id"].list.len().max() == 3
    assert len(later) == 60


def test_nobody_who_came_twice_means_whole_histories(make_view, rows_of):
    view = make_view({f"u{n}": [f"warm{n % 12}"] for n in range(30)}, items=ITEMS)
    for first, last in rows_of(sample(view, 40)).values():
        assert int(first[4:]) % 3 == int(last[4:])


def test_newer_moments_weigh_more(make_view, rows_of):
    histories = {f"u{n:02d}": ["warm0", "warm3", "warm1", "warm2"] for n in range(20)}
    view = make_view(histories, items=ITEMS)
    made = rows_of(sample(view, 300, window=9, decay=0.1)).values()
    after_mug = [items[-1] for items in made if items[-2] == "warm1"]
    assert len(after_mug) > 50
    assert (
        np.mean([item == "cold1" or item in ("warm4", "warm7", "warm10") for item in after_mug])
        > 0.9
    )


def test_sharpness_decides_how_near_the_new_item_is(make_view, rows_of):
    items = ITEMS.with_columns(title=pl.col("title") + " for the house")
    view = make_view(HISTORIES, items=items)

    def right(sharpness):
        made = rows_of(sample(view, 200, sharpness=sharpness, pairs=0)).values()
        return np.mean([int(items[0][4:]) % 3 == int(items[-1][4:]) for items in made])

    assert right(0.1) < 0.6 < 0.9 < right(16)


def test_conditions_name_the_items_that_come_and_make_no_repeats(make_view, rows_of):
    view = make_view(HISTORIES, items=ITEMS)
    wanted = Conditions(item_ids=("warm0", "cold1"))
    made = rows_of(sample(view, 60, wanted))
    assert {items[-1] for items in made.values()} == {"warm0", "cold1"}
    assert all(items[:-1].count(items[-1]) == 0 for items in made.values())


def test_what_goes_with_nothing_comes_all_the_same_when_it_is_wanted(make_view, rows_of):
    strange = pl.DataFrame({"item_id": ["odd"], "title": ["zzz"]})
    view = make_view(HISTORIES, items=pl.concat([ITEMS, strange]))
    made = rows_of(sample(view, 10, Conditions(item_ids=("odd",))))
    assert all(items[-1] == "odd" for items in made.values())


def test_items_of_which_nothing_is_known_are_told(make_view):
    silent = pl.DataFrame(
        {"item_id": ["dumb"], "title": [None]}, schema_overrides={"title": pl.String}
    )
    view = make_view(HISTORIES, items=pl.concat([ITEMS, silent]))
    with pytest.raises(InputError, match="got 1 of 2 of which it says nothing"):
        sample(view, 3, Conditions(item_ids=("dumb", "cold0")))
    warm = make_view(HISTORIES, items=ITEMS.head(12))
    with pytest.raises(EmptyDataError, match="got none of 0"):
        sample(warm, 3)


def test_many_are_made_in_blocks(make_view, monkeypatch, rows_of):
    monkeypatch.setattr("shopsynth.generate.content_next._BLOCK_SCORES", 30)
    made = rows_of(sample(make_view(HISTORIES, items=ITEMS), 95))
    assert len(made) == 95
