"""The chain on shops whose next item is known."""

import numpy as np

from shopsynth.generate._chain import Chain
from shopsynth.generate._draws import DrawTable
from shopsynth.generate._histories import read_histories

N = 2000


def chain_of(view, neighbours=None, **settings):
    _, histories = read_histories(view, "test")
    n_items = view.items.height
    if neighbours is None:
        neighbours = DrawTable.of(np.array([], int), np.array([], int), np.array([]), n_items + 1)
    settings = {"order": 2, "back_off": 0.0, "min_users": 1, **settings}
    counted = np.ones(histories.item.size, dtype=np.bool_)
    return Chain.fit(histories, neighbours, counted, n_items=n_items, **settings)


def shares(chain, *recent):
    """Return the share of each next item after ``recent``, newest first."""
    random = np.random.Generator(np.random.PCG64(0))
    drawn = chain.draw([np.full(N, item) for item in recent], random)
    return {int(item): round(np.mean(drawn == item), 2) for item in np.unique(drawn)}


def test_two_items_decide_where_one_cannot(make_view):
    # After b: c if a came before it, e if d did. Items are a b c d e, 5 is the start.
    view = make_view(
        {"u1": ["a", "b", "c"], "u2": ["a", "b", "c"], "u3": ["d", "b", "e"], "u4": ["d", "b", "e"]}
    )
    chain = chain_of(view)
    assert shares(chain, 1, 0) == {2: 1.0}
    assert shares(chain, 1, 3) == {4: 1.0}
    assert shares(chain, 5, 5) == {0: 0.5, 3: 0.5}
    assert shares(chain_of(view, order=1), 1) == {2: 0.5, 4: 0.5}


def test_a_context_of_one_user_is_not_replayed(make_view):
    view = make_view({"u1": ["a", "b", "c"], "u2": ["d", "b", "e"], "u3": ["d", "b", "e"]})
    chain = chain_of(view, min_users=2)
    assert shares(chain, 1, 0) == {2: 0.33, 4: 0.67}
    assert shares(chain, 1, 3) == {4: 1.0}


def test_one_user_who_repeats_a_context_is_still_one(make_view):
    view = make_view({"u1": ["a", "b", "c", "a", "b", "c"], "u2": ["d", "b", "e"]})
    assert shares(chain_of(view, min_users=2), 1, 0) == {2: 0.67, 4: 0.33}


def test_an_unseen_context_looks_at_one_item_less(make_view):
    view = make_view({"u1": ["a", "b", "c"], "u2": ["d", "e"]})
    assert shares(chain_of(view), 1, 4) == {2: 1.0}


def test_trust_follows_witten_and_bell(make_view):
    # After a: b three times, c once: n = 4, t = 2, so 4 / (4 + 2) of the draws stay.
    view = make_view({"u1": ["a", "b"], "u2": ["a", "b"], "u3": ["a", "b"], "u4": ["a", "c"]})
    to_c = DrawTable.of(np.array([0]), np.array([2]), np.array([1.0]), 4)
    found = shares(chain_of(view, to_c, order=1, back_off=1.0), 0)
    assert found == {1: 0.5, 2: 0.5}


def test_without_neighbours_the_rest_is_popularity(make_view):
    view = make_view({"u1": ["a", "b"], "u2": ["a", "b"], "u3": ["a", "c"]})
    # Nothing follows b, and it has no neighbour: a 3/6, b 2/6, c 1/6.
    found = shares(chain_of(view, order=1), 1)
    assert abs(found[0] - 1 / 2) < 0.05
    assert abs(found[1] - 1 / 3) < 0.05


def test_longer_contexts_work_too(make_view):
    view = make_view({"u1": ["a", "b", "c", "d"], "u2": ["e", "b", "c", "f"]})
    chain = chain_of(view, order=3)
    assert shares(chain, 2, 1, 0) == {3: 1.0}
    assert shares(chain, 2, 1, 4) == {5: 1.0}
