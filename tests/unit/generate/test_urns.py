"""Urns: every step is dealt as often as people took it, first to those who share its context."""

import numpy as np
import pytest

from shopsynth.generate._histories import read_histories
from shopsynth.generate._urns import Deal, Urns, runs

ORDER_TWO = {
    "u1": ["a", "b", "c"],
    "u2": ["a", "b", "c"],
    "u3": ["d", "b", "e"],
    "u4": ["d", "b", "e"],
}
A, B, C, D, E, START = range(6)


def urns_of(view, **settings):
    _, histories = read_histories(view, "test")
    settings = {"order": 1, "back_off": 0.0, "min_users": 1, **settings}
    counted = np.ones(histories.item.size, dtype=np.bool_)
    random = np.random.Generator(np.random.PCG64(0))
    n_items = view.items.height
    return Urns.fit(histories, counted, n_items=n_items, random=random, **settings)


def deal(urns, *recent, seed=0):
    """Deal one card to each history of last items ``recent``, newest first."""
    random = np.random.Generator(np.random.PCG64(seed))
    items = [np.asarray(each) for each in recent]
    begun = Deal.begin(urns, random)
    return begun.draw(items[0], urns.find_contexts(items, random))[0].tolist()


def test_each_card_is_dealt_once_a_pass(make_view):
    urns = urns_of(make_view({"u1": ["a", "b"], "u2": ["a", "c"], "u3": ["a", "d"]}))
    for seed in range(20):
        assert sorted(deal(urns, [0] * 3, seed=seed)) == [1, 2, 3]
        assert sorted(deal(urns, [0] * 6, seed=seed)) == [1, 1, 2, 2, 3, 3]


def test_a_deal_goes_on_where_it_stopped(make_view):
    urns = urns_of(make_view({"u1": ["a", "b"], "u2": ["a", "c"], "u3": ["a", "d"]}))
    begun = Deal.begin(urns, np.random.Generator(np.random.PCG64(3)))
    drawn = [begun.draw(np.array([0]), [])[0][0] for _ in range(9)]
    assert [sorted(drawn[first : first + 3]) for first in (0, 3, 6)] == [[1, 2, 3]] * 3


def test_an_empty_urn_gives_nothing(make_view):
    urns = urns_of(make_view({"u1": ["a", "b"]}))
    drawn, served = Deal.begin(urns, np.random.Generator(np.random.PCG64(0))).draw(
        np.array([1, -1, 0]), []
    )
    assert drawn.tolist() == [-1, -1, 1]
    assert served.tolist() == [2]


@pytest.mark.parametrize("seed", range(10))
def test_who_shares_two_items_gets_what_followed_them(make_view, seed):
    urns = urns_of(make_view(ORDER_TWO), order=2)
    assert deal(urns, [B] * 4, [D, A, D, A], seed=seed) == [E, C, E, C]


def test_a_context_of_few_people_is_none(make_view):
    urns = urns_of(make_view(ORDER_TWO), order=2, min_users=3)
    drawn = [tuple(deal(urns, [B] * 4, [D, A, D, A], seed=seed)) for seed in range(30)]
    assert len(set(drawn)) > 1
    assert all(sorted(cards) == [C, C, E, E] for cards in drawn)


def test_cards_stay_in_their_urn_whatever_the_contexts(make_view):
    random = np.random.Generator(np.random.PCG64(5))
    histories = {f"u{n}": [f"i{random.integers(9)}" for _ in range(6)] for n in range(80)}
    urns = urns_of(make_view(histories), order=3, min_users=2)
    last, before, further = random.integers(0, 9, (3, 200))
    drawn = np.array(deal(urns, last, before, further))
    for item in range(9):
        cards = urns.cards[urns.pointers[item] : urns.pointers[item + 1]]
        dealt = drawn[last == item]
        passes = dealt.size / cards.size
        for choice in range(9):
            count = np.count_nonzero(cards == choice)
            low, high = int(passes) * count, (int(passes) + 1) * count
            assert low <= np.count_nonzero(dealt == choice) <= high


def test_trust_is_witten_and_bells(make_view):
    view = make_view({f"u{n}": ["a", "bc"[n % 2]] for n in range(6)})
    assert urns_of(view, back_off=1.0).trust[0] == pytest.approx(6 / 8)
    assert urns_of(view, back_off=1.0).trust[3] == 1.0  # The start.
    assert urns_of(view, back_off=1.0).trust[1] == 0.0  # Nothing ever followed.


def test_no_runs_in_nothing():
    starts, sizes = runs(np.empty(0, dtype=np.int64))
    assert starts.size == sizes.size == 0
