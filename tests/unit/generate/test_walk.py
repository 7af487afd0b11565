"""Walks on and back: the right way round, only where something is known, without repeats."""

import numpy as np
import pytest

from shopsynth.generate._draws import DrawTable
from shopsynth.generate._histories import read_histories
from shopsynth.generate._neighbours import bought_together
from shopsynth.generate._walk import Walk


def walk_of(view, **options):
    form, histories = read_histories(view, "test")
    neighbours = bought_together(histories, form.n_items, k=5)
    walk = Walk.fit(histories, neighbours, form.n_items, order=2, min_users=1, **options)
    return form.item_ids.to_list(), walk


def extended(known, beginnings, added, seed=1):
    names, walk = known
    place = {name: number for number, name in enumerate(names)}
    items = np.array([place[name] for items in beginnings for name in items], dtype=np.int32)
    offsets = np.concatenate(([0], np.cumsum([len(items) for items in beginnings])))
    random = np.random.Generator(np.random.PCG64(seed))
    made, borders = walk.extend(items, offsets, np.array(added), random)
    return [[names[item] for item in part] for part in np.split(made, borders[1:-1])]


@pytest.fixture
def line(make_view):
    """Everyone buys a, b, c, d, e, f in this order, from some item on."""
    return make_view({f"u{n:02d}": list("abcdef"[n % 4 :]) for n in range(60)})


def test_it_goes_on_and_back_the_way_people_went(line):
    made = extended(walk_of(line), [["a", "b"], ["c"]] * 100, [1, 2] * 100)
    assert [part[:3] for part in made[::2]].count(["a", "b", "c"]) > 85
    back = extended(walk_of(line, backwards=True, again=False), [["d"]] * 100, [2] * 100)
    assert back.count(["d", "c", "b"]) > 70


def test_nothing_comes_twice_where_nobody_repeats(line):
    made = extended(walk_of(line), [["a"], ["f"], ["c", "d"]] * 50, [9, 9, 9] * 50)
    assert all(len(set(part)) == len(part) for part in made)
    assert [part[0] for part in made] == ["a", "f", "c"] * 50


def test_people_who_come_back_have_walks_that_do(make_view):
    view = make_view({f"u{n:02d}": ["a", "b", "a", "b", "a", "b"] for n in range(20)})
    made = extended(walk_of(view), [["a"]] * 20, [5] * 20)
    assert any(len(part) > 2 for part in made)
    never = walk_of(view, again=False)
    assert all(len(part) <= 2 for part in extended(never, [["a"]] * 20, [5] * 20))


def test_a_walk_ends_where_nothing_is_known(make_view):
    known = walk_of(make_view({"x": ["lonely"], "y": ["a", "b"]}))
    assert extended(known, [["lonely"], ["a"]], [3, 3]) == [["lonely"], ["a", "b"]]


def test_nothing_wanted_is_nothing_added(line):
    assert extended(walk_of(line), [["a"], ["b", "c"]], [0, 0]) == [["a"], ["b", "c"]]


def test_neighbours_are_enough(make_view):
    form, histories = read_histories(make_view({"x": ["a"], "y": ["b"]}), "test")
    neighbours = DrawTable.of(np.array([0]), np.array([1]), np.array([1.0]), 2)
    walk = Walk.fit(histories, neighbours, form.n_items, order=1, min_users=1)
    assert walk.known.tolist() == [True, False]
    assert extended((["a", "b"], walk), [["a"]], [4]) == [["a", "b"]]
