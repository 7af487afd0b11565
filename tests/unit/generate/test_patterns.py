"""Pairs and triples that many people bought in order, against counting them one by one."""

from itertools import combinations

import numpy as np
import pytest

from shopsynth.generate._histories import read_histories
from shopsynth.generate._patterns import Patterns


def mined(view, **options):
    form, histories = read_histories(view, "test")
    patterns = Patterns.mine(histories, form.n_items, **options)
    names = form.item_ids.to_list()
    return {
        tuple(names[item] for item in row if item >= 0): int(users)
        for row, users in zip(patterns.items, patterns.users, strict=True)
    }, patterns


def counted(histories, window, min_users):
    """Count by hand: every ordered choice of different items within a window, once a user."""
    users: dict[tuple[str, ...], set[str]] = {}
    for user, items in histories.items():
        for size in (2, 3):
            for places in combinations(range(len(items)), size):
                chosen = tuple(items[place] for place in places)
                if places[-1] - places[0] < window and len(set(chosen)) == size:
                    users.setdefault(chosen, set()).add(user)
    return {key: len(who) for key, who in users.items() if len(who) >= min_users}


@pytest.mark.parametrize("window", [2, 3, 5])
def test_it_finds_what_counting_finds(make_view, window):
    random = np.random.Generator(np.random.PCG64(window))
    histories = {
        f"u{n:02d}": [f"i{i}" for i in random.integers(0, 7, random.integers(1, 9))]
        for n in range(120)
    }
    found, patterns = mined(make_view(histories), window=window, min_users=4)
    assert found == counted(histories, window, 4)
    assert len(found) > 10
    assert set(patterns.sizes) == ({2} if window == 2 else {2, 3})


def test_users_count_and_not_occurrences(make_view):
    histories = {"often": ["a", "b"] * 5, "x": ["c", "d"], "y": ["c", "d"]}
    found, _ = mined(make_view(histories), window=2, min_users=2)
    assert found == {("c", "d"): 2}


def test_without_a_frequent_pair_items_stand_alone(make_view):
    found, patterns = mined(make_view({"x": ["a", "b"], "y": ["b"]}), window=4, min_users=2)
    assert found == {("a",): 1, ("b",): 2}
    assert set(patterns.sizes) == {1}
