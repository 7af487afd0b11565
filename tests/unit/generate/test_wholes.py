"""Whole histories are known again, and only those."""

from itertools import permutations, product

import numpy as np
import pytest

from shopsynth.generate import make_synthesizer
from shopsynth.generate._histories import read_histories
from shopsynth.generate._wholes import Wholes

LONG, SHORT = ["a", "b", "c", "d"], ["a", "b", "c"]


def wholes_of(view, min_users=3):
    form, histories = read_histories(view, "test")
    random = np.random.Generator(np.random.PCG64(0))
    return Wholes.fit(histories, form.n_items, min_users=min_users, random=random)


def had(wholes, *histories):
    offsets = np.concatenate(([0], np.cumsum([len(items) for items in histories])))
    items = np.array(["abcde".index(item) for items in histories for item in items], dtype=np.int32)
    return wholes.had(items, offsets).tolist()


def test_only_the_whole_in_its_order_counts(make_view):
    wholes = wholes_of(make_view({"u1": LONG, "u2": SHORT, "u3": ["e"]}))
    assert had(wholes, LONG) == [True]
    assert had(wholes, LONG[::-1], [*LONG, "e"], ["e", *LONG], SHORT, LONG) == [
        False,
        False,
        False,
        False,
        True,
    ]


def test_what_enough_people_had_is_nobodys(make_view):
    shop = make_view({f"u{n}": LONG for n in range(3)} | {"other": ["e", *SHORT]})
    assert had(wholes_of(shop, min_users=3), LONG, ["e", *SHORT]) == [False, True]
    assert had(wholes_of(shop, min_users=4), LONG) == [True]


def test_a_shop_of_short_histories_knows_none(make_view):
    assert had(wholes_of(make_view({"u1": SHORT})), SHORT, [*SHORT, "a"]) == [False, False]


def test_markov_never_repeats_a_whole_history(make_view, rows_of):
    # Chains that fork nowhere: without the rule every sampled history is somebody's.
    histories = {f"u{n}": [f"i{n}-{step}" for step in range(5)] for n in range(20)}
    real = {tuple(items) for items in histories.values()}
    view = make_view(histories)
    for min_users, copies in ((1, True), (2, False)):
        method = make_synthesizer("markov", {"min_users": min_users, "back_off": 0.0})
        made = rows_of(method.fit(view, seed=0).sample(40, seed=1))
        assert any(tuple(items) in real for items in made.values()) is copies
        assert all(len(set(items)) == 5 for items in made.values())


@pytest.mark.parametrize(
    "histories",
    [
        pytest.param([list("abcdefgh")], id="one person"),
        pytest.param(list(permutations("abcd")), id="whatever is last, it is somebody's"),
        pytest.param(list(product("ab", repeat=5))[:20], id="most of all there are"),
    ],
)
def test_markov_finds_another_history_while_there_is_one(make_view, rows_of, histories):
    view = make_view({f"u{n:02d}": list(items) for n, items in enumerate(histories)})
    made = rows_of(make_synthesizer("markov", {}).fit(view, seed=0).sample(100, seed=1)).values()
    assert not {tuple(items) for items in made} & {tuple(items) for items in histories}
    assert {len(items) for items in made} == {len(items) for items in histories}


def test_what_one_person_had_is_shuffled_before_anything_comes_twice(make_view, rows_of):
    everything = list("abcdefgh")
    view = make_view({"u": everything})
    made = rows_of(make_synthesizer("markov", {}).fit(view, seed=0).sample(100, seed=1)).values()
    assert all(sorted(items) == everything != items for items in made)


def test_a_shop_of_one_item_has_no_other_history(make_view, rows_of):
    view = make_view({"u": ["a"] * 5})
    made = rows_of(make_synthesizer("markov", {}).fit(view, seed=0).sample(3, seed=1)).values()
    assert list(made) == [["a"] * 5] * 3
