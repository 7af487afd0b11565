"""Events to tokens and back: gaps keep their bucket, times rise, a funnel keeps its order."""

from datetime import timedelta

import numpy as np
import polars as pl
import pytest

from shopsynth.generate._histories import read_histories
from shopsynth.generate.sequences.event_tokens import FIRST, EventTokens, Tokens
from shopsynth.generate.sequences.event_types import EventTypes, bits_of

FUNNEL = ("view_item", "add_to_cart", "purchase", "refund")


@pytest.fixture
def funnel_shop(make_view):
    """Everybody walks some way down the funnel with each of three items; one item is only seen."""
    histories, days, types = {}, {}, []
    for user in range(60):
        rows = [
            (f"i{(user + k) % 4}", word, 3 * k + step * 0.001)
            for k in range(3)
            for step, word in enumerate(FUNNEL[: 1 if (user + k) % 4 == 3 else 1 + user % 4])
        ]
        histories[f"u{user}"] = [item for item, _, _ in rows]
        days[f"u{user}"] = [user % 7 + day for _, _, day in rows]
        types += [word for _, word, _ in rows]
    column = pl.Series("event_type", types)
    return read_histories(make_view(histories, days=days, event_type=column), "test")


def test_gaps_keep_their_bucket_and_times_rise_within_the_period(funnel_shop):
    form, histories = funnel_shop
    tokens = EventTokens.fit(form, histories)
    coded = tokens.encode(histories)
    made = tokens.decode(coded, np.random.Generator(np.random.PCG64(2)))
    assert (made.item == histories.item).all()
    assert (made.opens == histories.opens).all()
    assert (np.diff(made.time)[made.index[1:] > 0] >= 0).all()
    assert made.time.min() >= tokens.period[0]
    assert made.time.max() <= tokens.period[1]
    again = tokens.encode(made)
    assert (coded.gap == FIRST).sum() == 60
    assert np.mean(again.gap == coded.gap) > 0.8
    assert (again.kind == coded.kind).all()


def test_carried_rows_are_of_the_item_and_the_type(funnel_shop):
    form, histories = funnel_shop
    tokens = EventTokens.fit(form, histories)
    made = tokens.decode(tokens.encode(histories), np.random.Generator(np.random.PCG64(2)))
    assert (form.carried_item[made.row] == made.item).all()
    words = form.carried["event_type"]
    assert words.gather(made.row).equals(words.gather(histories.row))


def test_what_carries_an_item_without_rows_of_the_type_has_at_least_the_type(funnel_shop):
    form, histories = funnel_shop
    types = EventTypes.fit(form, histories)
    refund = int(types.number[form.carried["event_type"].to_list().index("refund")])
    random = np.random.Generator(np.random.PCG64(1))
    rows = types.rows_of(np.full(20, 3), np.full(20, refund), random)
    assert set(form.carried["event_type"].gather(rows)) == {"refund"}


def test_only_what_somebody_did_after_the_same_deeds_may_follow(funnel_shop):
    types = EventTypes.fit(*funnel_shop)
    words = funnel_shop[0].carried["event_type"].to_list()
    number = {word: int(types.number[words.index(word)]) for word in FUNNEL}
    past = 0
    for word in FUNNEL:
        allowed = types.allowed(np.array([past]))[0]
        assert np.flatnonzero(allowed).tolist() == [number[word]]
        past |= int(bits_of(np.array([number[word]]))[0])
    assert not types.allowed(np.array([past])).any()


def test_rare_types_share_a_bit_and_shops_without_types_have_one(make_view):
    many = pl.Series("event_type", [f"type-{n:03d}" for n in range(200)])
    histories = {f"u{n}": ["a", "b"] for n in range(100)}
    types = EventTypes.fit(*read_histories(make_view(histories, event_type=many), "test"))
    assert types.n_types == 200
    assert np.unique(bits_of(np.arange(200))).size == 62
    assert EventTypes.fit(*read_histories(make_view(histories), "test")).n_types == 1


def test_no_gap_leads_out_of_a_narrower_period(funnel_shop):
    tokens = EventTokens.fit(*funnel_shop)
    random = np.random.Generator(np.random.PCG64(3))
    low, high = tokens.period
    window = low + (high - low) // 3, low + (high - low) // 2
    time = tokens.first_times(np.full(500, 4), window, random)
    assert ((time >= window[0]) & (time <= window[1])).all()
    for _ in range(20):
        possible = tokens.possible(time, window[1])
        assert possible.any(axis=1).all()
        assert not possible[:, FIRST].any()
        gap = np.argmax(possible * random.random(possible.shape), axis=1)
        after = tokens.next_times(time, gap, window[1], random)
        assert ((after >= time) & (after <= window[1])).all()
        time = after


def test_a_shop_of_one_moment_and_a_shop_without_times_have_their_tokens(make_view):
    histories = {f"u{n}": ["a", "b", "c"] for n in range(5)}
    at_once = make_view(histories, days={f"u{n}": [0, 0, 0] for n in range(5)})
    tokens = EventTokens.fit(*read_histories(at_once, "test"))
    assert tokens.period[0] == tokens.period[1]
    view = make_view(histories)
    events = view.rows.need("events").with_columns(position=pl.int_range(pl.len()).over("user_id"))
    from shopsynth.privacy import PrivateView
    from shopsynth.schema import Dataset

    ordered = PrivateView(
        Dataset(items=view.items, events=events.drop("timestamp")),
        mode="public",
        fingerprint="f" * 64,
        max_events_per_user=9,
    )
    form, real = read_histories(ordered, "test")
    tokens = EventTokens.fit(form, real)
    random = np.random.Generator(np.random.PCG64(3))
    assert not tokens.timed
    assert tokens.decode(tokens.encode(real), random).item.tolist() == real.item.tolist()


def test_sessions_a_day_apart_start_at_the_hours_of_the_shop(make_view):
    histories = {f"u{n}": ["a", "b", "c", "d"] for n in range(30)}
    days = {f"u{n}": [n + 2.1 * k for k in range(4)] for n in range(30)}
    form, real = read_histories(make_view(histories, days=days), "test")
    tokens = EventTokens.fit(form, real)
    made = tokens.decode(tokens.encode(real), np.random.Generator(np.random.PCG64(3)))
    day = timedelta(days=1) // timedelta(microseconds=1)
    hours = set((real.time % day).tolist())
    assert np.mean([moment in hours for moment in (made.time % day).tolist()]) > 0.9


def test_drawn_tokens_of_no_real_history_decode(funnel_shop):
    tokens = EventTokens.fit(*funnel_shop)
    random = np.random.Generator(np.random.PCG64(3))
    gap = np.array([FIRST, tokens.n_gaps - 1, 1, FIRST])
    zeros = np.zeros(4, dtype=np.int64)
    drawn = Tokens(np.array([3, 3, 0, 1]), gap, zeros, zeros, np.array([0, 3, 4]))
    made = tokens.decode(drawn, random)
    assert made.opens.tolist() == [True, True, False, True]
    assert made.n_users == 2
    assert drawn.lengths.tolist() == [3, 1]
