"""Rows that made events carry follow each other as somebody's did."""

import numpy as np
import polars as pl
import pytest

from shopsynth.generate._episodes import Episodes, begun_anew
from shopsynth.generate._histories import read_histories

FUNNEL = ("view_item", "add_to_cart", "purchase")


@pytest.fixture
def shop(make_view):
    """Some only look at ``a``, some buy it; ``b`` is bought twice by one."""
    histories = {f"look{n}": ["a"] for n in range(5)} | {f"buy{n}": ["a"] * 3 for n in range(5)}
    histories |= {"twice": ["b", "b"]}
    types = ["view_item"] * 5 + [*FUNNEL] * 5 + ["purchase", "refund"]
    view = make_view(histories, event_type=pl.Series(types))
    form, real = read_histories(view, "test")
    return form, Episodes.fit(real, form.n_items)


def types_of(shop, user, item, seed=1):
    form, episodes = shop
    random = np.random.Generator(np.random.PCG64(seed))
    rows = episodes.draw(np.array(user), np.array(item), random)
    assert form.carried_item[rows].tolist() == list(item)
    return form.carried["event_type"].gather(rows).to_list()


def test_who_looks_once_is_carried_by_who_only_looked(shop):
    form, episodes = shop
    random = np.random.Generator(np.random.PCG64(1))
    rows = episodes.draw(np.arange(200), np.zeros(200, dtype=int), random)
    assert form.carried["event_type"].gather(np.unique(rows)).to_list() == ["view_item"] * 5


def test_two_events_are_the_first_of_three_where_nobody_had_two(shop):
    types = types_of(shop, np.repeat(np.arange(50), 2), np.zeros(100, dtype=int))
    assert types == [*FUNNEL[:2]] * 50


def test_several_events_of_an_item_keep_their_order(shop):
    user, item = np.repeat(np.arange(50), 4), np.tile([0, 1, 0, 0], 50)
    types = np.array(types_of(shop, user, item)).reshape(50, 4)
    assert (types == ["view_item", "purchase", "add_to_cart", "purchase"]).all()


def test_what_nobody_did_so_often_is_carried_by_a_way_with_another(shop):
    form, episodes = shop
    random = np.random.Generator(np.random.PCG64(1))
    rows = episodes.draw(np.array([7, 7, 7]), np.array([1, 1, 1]), random)
    assert form.carried["event_type"].gather(rows).to_list() == [*FUNNEL]


def test_beyond_what_anybody_did_the_last_row_repeats(shop):
    assert types_of(shop, [7] * 4, [0] * 4) == [*FUNNEL, "purchase"]


def test_an_item_that_was_never_bought_is_carried_by_a_way_with_another(make_view):
    histories = {f"look{n}": ["a"] for n in range(5)} | {f"buy{n}": ["b"] * 3 for n in range(5)}
    types = pl.Series(["view_item"] * 5 + [*FUNNEL] * 5)
    items = pl.DataFrame({"item_id": ["a", "b", "cold"]})
    form, real = read_histories(make_view(histories, items, event_type=types), "test")
    episodes = Episodes.fit(real, form.n_items)
    random = np.random.Generator(np.random.PCG64(1))
    user, cold = np.repeat(np.arange(90), 1 + np.arange(90) % 3), np.full(180, 2)
    rows = episodes.draw(user, cold, random)
    made = form.carried["event_type"].gather(rows).to_list()
    firsts = np.searchsorted(user, np.arange(90))
    for first, n in zip(firsts, 1 + np.arange(90) % 3, strict=True):
        assert made[first : first + n] == list(FUNNEL[:n])
    assert set(form.carried_item[rows]) == {0, 1}


def test_what_stays_of_an_item_carries_what_came_first(make_view):
    histories = {"u": ["a", "b", "a", "b", "a"], "v": ["a", "a"]}
    _, real = read_histories(make_view(histories), "test")
    kept = np.array([False, False, True, True, True, False, True])
    assert begun_anew(real, kept)[kept].tolist() == [0, 1, 2, 5]
    assert begun_anew(real, np.ones(7, dtype=bool)).tolist() == list(range(7))
