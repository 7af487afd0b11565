"""Nothing is bought that was not looked at first, whatever method made the history."""

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fakes.funnels import ITEMS, N_COLD, N_ITEMS, STAGES, funnel_events, out_of_order
from shopsynth.generate import SYNTHESIZERS, Conditions, make_synthesizer
from shopsynth.privacy import PrivateView
from shopsynth.schema import Dataset

FIXED = settings(derandomize=True, deadline=None, database=None, max_examples=3)
DISORDERLY = "noise"
"""The control disturbs events one by one: what is lost by that is what it is there to show."""

TRAINED = "sequence_"
"""Networks: their own tests ask them once, after a short training."""

METHODS = [
    name
    for name in SYNTHESIZERS.names()
    if name != DISORDERLY
    and not name.startswith(TRAINED)
    and SYNTHESIZERS.get(name).table == "events"
]
OF_WANTED_ITEMS = ("pseudo_session", "content_next", "teacher")
seeds = st.integers(0, 2**32 - 1)


def fitted(method, seed, n_users=60):
    data = Dataset(items=ITEMS, events=funnel_events(seed, n_users))
    view = PrivateView(data, mode="public", fingerprint="f" * 64, max_events_per_user=256)
    return view, make_synthesizer(method, {}).fit(view, seed=1)


def check(view, synthetic):
    """Order of stages and times, and keys that exist."""
    events, real = synthetic.data.need("events"), view.events()
    assert out_of_order(events).is_empty()
    gaps = events.select(pl.col("timestamp").diff().over("user_id"))["timestamp"].drop_nulls()
    assert (gaps.dt.total_microseconds() >= 0).all()
    assert events["timestamp"].is_between(real["timestamp"].min(), real["timestamp"].max()).all()
    assert events["item_id"].is_in(synthetic.data.items["item_id"].implode()).all()
    assert sum(events.null_count().row(0)) == 0
    return events


def test_there_are_methods_to_ask_and_the_shop_is_strict():
    assert set(METHODS) >= {"crop", "mask", "markov", "pattern", "substitute", *OF_WANTED_ITEMS}
    events = funnel_events(1)
    assert out_of_order(events).is_empty()
    assert set(events["event_type"]) == set(STAGES)
    shuffled = events.with_columns(pl.col("event_type").shuffle(seed=1))
    assert out_of_order(shuffled).height > events.height / 4


@pytest.mark.parametrize("method", METHODS)
@FIXED
@given(shop=seeds, seed=seeds)
def test_no_stage_is_left_out_and_no_time_falls(method, shop, seed):
    view, synthesizer = fitted(method, shop)
    events = check(view, synthesizer.sample(150, seed=seed))
    assert set(events["event_type"]) <= set(STAGES)


@pytest.mark.parametrize("method", OF_WANTED_ITEMS)
@FIXED
@given(shop=seeds, seed=seeds)
def test_not_even_of_items_that_nobody_had(method, shop, seed):
    view, synthesizer = fitted(method, shop)
    wanted = tuple(ITEMS["item_id"].tail(N_COLD)[:2])
    synthetic = synthesizer.sample(80, seed=seed, conditions=Conditions(item_ids=wanted))
    events = check(view, synthetic)
    cold = events.filter(pl.col("item_id").is_in(wanted))
    assert cold["user_id"].n_unique() == 80


@pytest.mark.parametrize("method", METHODS)
def test_all_stages_are_reached(method):
    """A method that only ever looks would have no purchase out of order either."""
    view, synthesizer = fitted(method, 7, n_users=200)
    made = synthesizer.sample(300, seed=2).data.need("events")
    assert set(made["event_type"]) == set(view.events()["event_type"]) == set(STAGES)
    assert made["item_id"].n_unique() > N_ITEMS // 2
