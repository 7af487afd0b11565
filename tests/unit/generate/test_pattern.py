"""pattern: histories around what many people share, about as likely as theirs."""

import numpy as np
import polars as pl
import pytest

from shopsynth.generate import make_synthesizer
from shopsynth.generate._histories import Histories
from shopsynth.generate.pattern import _band, _outside


def sample(view, n, seed=1, **options):
    return make_synthesizer("pattern", options).fit(view, seed=0).sample(n, seed=seed)


@pytest.fixture
def planted(make_view):
    """Everybody's items are random, but p, q, r come in this order in the histories of many."""
    random = np.random.Generator(np.random.PCG64(2))
    histories = {}
    for number in range(120):
        items = [f"i{item}" for item in random.permutation(60)[:5]]
        if number % 3:
            place = int(random.integers(0, 6))
            items[place:place] = ["p", "q", "r"]
        histories[f"u{number:03d}"] = items
    return make_view(histories)


def test_every_history_has_a_frequent_pattern(planted, rows_of):
    made = list(rows_of(sample(planted, 200, min_users=20)).values())
    assert len(made) == 200
    share = []
    for items in made:
        places = [items.index(item) for item in "pqr" if item in items]
        assert len(places) >= 2
        share.append(places == sorted(places))
    # A pair of the pattern may grow on to its third item on the other side.
    assert np.mean(share) > 0.8
    assert len({items[0] for items in made}) > 20


def test_lengths_are_those_of_people(planted, rows_of):
    made = [len(items) for items in rows_of(sample(planted, 300)).values()]
    real = [len(items) for items in planted.events().group_by("user_id").agg("item_id")["item_id"]]
    assert np.mean(made) == pytest.approx(np.mean(real), rel=0.05)
    assert max(made) <= max(real)


def test_nothing_repeats_where_nobody_repeats_and_habits_stay_where_they_are(make_view, rows_of):
    made = rows_of(sample(make_view({f"u{n}": list("abcdef") for n in range(9)}), 60)).values()
    assert all(len(set(items)) == len(items) for items in made)
    habits = make_view({f"u{n:02d}": ["a", "b", "c", "a", "b", "c"] for n in range(30)})
    again = [len(items) - len(set(items)) for items in rows_of(sample(habits, 60)).values()]
    assert np.mean(again) > 1


def test_a_funnel_stays_in_order(make_view):
    types = ["view_item", "add_to_cart", "purchase"]
    random = np.random.Generator(np.random.PCG64(3))
    histories = {
        f"u{n:02d}": [
            f"i{item}" for item in (random.integers(0, 8) + np.arange(2)) % 8 for _ in types
        ]
        for n in range(60)
    }
    view = make_view(histories, event_type=pl.Series(types * 120))
    made = sample(view, 100).data.ordered_events()
    grouped = made.group_by("user_id", "item_id", maintain_order=True).agg("event_type")
    for row in grouped["event_type"].to_list():
        stages = [types.index(event) for event in row]
        assert stages == sorted(stages)
        assert stages[0] == 0


def test_a_shop_where_nothing_is_frequent_gets_a_plain_chain(make_view, rows_of):
    view = make_view({"x": ["a", "b"], "y": ["c", "d"]})
    made = rows_of(sample(view, 40)).values()
    assert {frozenset(items) for items in made} == {frozenset("ab"), frozenset("cd")}


def test_the_band_is_the_middle_of_real_histories():
    scores = np.concatenate((np.arange(101.0), [np.inf, 7.0]))
    lengths = np.concatenate((np.full(101, 2), [1, 9]))
    band = _band(scores, lengths, 0.9)
    endless = [-np.inf, np.inf]
    assert band == pytest.approx(np.array([endless, [5, 95], endless, [7, 7]]))
    made = np.array([50.0, 2.0, 99.0, np.inf, 9.0, 9.0])
    outside = _outside(made, np.array([2, 3, 3, 1, 8, 500]), band)
    assert outside == pytest.approx([0, 3, 4, 0, 2, 2])


def test_the_filter_drops_what_lies_outside_the_band(planted):
    def outside(confidence):
        synthesizer = make_synthesizer("pattern", {"confidence": confidence, "min_users": 3})
        form, model = vars(synthesizer.fit(planted, seed=0))["_model"]
        made = synthesizer.sample(200, seed=1).data.ordered_events()
        place = made["item_id"].to_list()
        names = {name: number for number, name in enumerate(form.item_ids.to_list())}
        users = made.group_by("user_id", maintain_order=True).len()["len"].to_numpy().astype(int)
        items = np.array([names[item] for item in place], dtype=np.int32)
        return _share_outside(model, items, users)

    assert outside(0.5) < outside(1.0)


def _share_outside(model, items, lengths):
    offsets = np.concatenate(([0], np.cumsum(lengths)))
    nothing = np.zeros(items.size, dtype=np.int64)
    histories = Histories(items, nothing, nothing.astype(bool), nothing, offsets)
    scores = model.likelihood.of_whole(histories)
    return float(np.mean(_outside(scores, histories.lengths, model.band) > 0))
