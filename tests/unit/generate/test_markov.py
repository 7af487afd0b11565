"""markov on planted shops: what was learned comes back, what never happened does not."""

from itertools import pairwise

import numpy as np
import polars as pl
import pytest
from scipy.stats import ks_2samp

from shopsynth.generate import _growth, _item_steps, make_synthesizer, sample_parts
from shopsynth.generate._histories import read_histories
from shopsynth.generate._repeats import Repeats
from shopsynth.schema import RecipeError


def sample(view, n, seed=1, **options):
    return make_synthesizer("markov", options).fit(view, seed=0).sample(n, seed=seed)


def ring(n_users=60, size=12):
    """Items in a ring; everybody walks some steps along it from anywhere."""
    return {
        f"u{user:03d}": [f"i{(user + step) % size:02d}" for step in range(2 + user % 7)]
        for user in range(n_users)
    }


def test_a_walker_stays_on_the_ring(make_view, rows_of):
    made = rows_of(sample(make_view(ring()), 200, back_off=0, min_users=1))
    steps = {(int(b[1:]) - int(a[1:])) % 12 for items in made.values() for a, b in pairwise(items)}
    assert steps == {1}


def test_lengths_and_starts_are_those_of_the_shop(make_view, rows_of):
    histories = ring()
    made = rows_of(sample(make_view(histories), 60))
    real_lengths = sorted(len(items) for items in histories.values())
    assert sorted(len(items) for items in made.values()) == real_lengths
    starts = [items[0] for items in made.values()]
    assert max(abs(starts.count(f"i{i:02d}") - 5) for i in range(12)) <= 2


def test_lengths_fit_at_any_number_of_users(make_view, rows_of):
    histories = ring(n_users=100)
    made = rows_of(sample(make_view(histories), 333))
    real = [len(items) for items in histories.values()]
    assert ks_2samp(real, [len(items) for items in made.values()]).statistic < 0.02


def test_rebuying_is_as_frequent_as_in_the_shop(make_view, rows_of):
    random = np.random.Generator(np.random.PCG64(2))
    histories = {}
    for user in range(300):
        items = [f"i{random.integers(0, 200)}"]
        while len(items) < 8:
            items.append(
                items[-2]
                if random.random() < 0.3 and len(items) > 1
                else f"i{random.integers(0, 200)}"
            )
        histories[f"u{user}"] = items

    def share(shop):
        return 1 - sum(len(set(items)) for items in shop) / sum(len(items) for items in shop)

    made = rows_of(sample(make_view(histories), 600))
    assert share(histories.values()) > 0.15
    assert share(made.values()) == pytest.approx(share(histories.values()), abs=0.03)


def test_a_repeat_goes_as_far_back_as_people_do(make_view):
    view = make_view({f"u{n}": ["a", "b", "a", "c", "b"] for n in range(4)})
    _, histories = read_histories(view, "test")
    repeats = Repeats.fit(histories, 3)
    assert repeats.is_repeat.tolist() == [False, False, True, False, True] * 4
    random = np.random.Generator(np.random.PCG64(0))
    again, lag = repeats.draw(4000, 2, random)
    assert again.mean() == pytest.approx(0.5, abs=0.03)  # Lengths 2 and 3 are one bucket.
    assert set(lag) == {2}
    again, lag = repeats.draw(4000, 4, random)
    assert again.all()
    assert set(lag) == {3}


def test_what_is_bought_again_is_what_people_buy_again(make_view, rows_of):
    # Everybody refills soap, nobody buys a lamp twice.
    random = np.random.Generator(np.random.PCG64(6))
    histories = {}
    for user in range(300):
        lamps = [f"lamp{i}" for i in random.permutation(40)[:6]]
        histories[f"u{user}"] = [lamps[0], "soap", *lamps[1:3], "soap", *lamps[3:], "soap"]
    made = rows_of(sample(make_view(histories), 300))
    again = [item for items in made.values() for n, item in enumerate(items) if item in items[:n]]
    assert len(again) > 400
    assert again.count("soap") / len(again) > 0.3  # Where repeats lie, it is one of seven.


def test_the_last_unseen_item_is_found(make_view, rows_of, monkeypatch):
    monkeypatch.setattr(_item_steps, "_TRIES", 1)
    random = np.random.Generator(np.random.PCG64(1))
    everything = [f"i{i}" for i in range(6)]
    histories = {f"u{n}": random.permutation(everything).tolist() for n in range(12)}
    made = rows_of(sample(make_view(histories), 100))
    assert all(sorted(items) == everything for items in made.values())


def test_who_has_everything_buys_again(make_view, rows_of):
    everything = [f"i{i}" for i in range(6)]
    histories = {f"u{n}": everything for n in range(10)} | {
        f"v{n}": ["i0", "i1"] * 6 for n in range(9)
    }
    made = rows_of(sample(make_view(histories), 300))
    full = [items for items in made.values() if len(items) == 12 and len(set(items[:7])) == 6]
    assert full
    assert {len(items) for items in made.values()} == {6, 12}


def test_an_event_carries_a_real_row_of_its_item(make_view):
    histories = ring()
    flat = [int(item[1:]) for items in histories.values() for item in items]
    view = make_view(
        histories,
        price=pl.Series([10.0 + item for item in flat]),
        event_type=pl.Series(["view_item" if item % 2 else "purchase" for item in flat]),
    )
    events = sample(view, 100).data.need("events")
    item = events["item_id"].str.slice(1).cast(pl.Int64)
    assert (events["price"] == 10.0 + item).all()
    assert ((events["event_type"] == "view_item") == (item % 2 == 1)).all()


def test_what_is_done_with_an_item_keeps_its_order(make_view):
    funnel = ["view_item", "add_to_cart", "purchase", "refund"]
    random = np.random.Generator(np.random.PCG64(3))
    histories, types = {}, []
    for user in range(200):
        items = [f"i{item}" for item in random.permutation(12)[:3]]
        depth = random.integers(1, 5, 3)
        histories[f"u{user}"] = [
            item for item, n in zip(items, depth, strict=True) for _ in range(n)
        ]
        types += [word for n in depth for word in funnel[:n]]
    made = sample(make_view(histories, event_type=pl.Series(types)), 500).data.ordered_events()
    stage = made.with_columns(stage=pl.col("event_type").replace_strict(funnel, range(4)))
    before = pl.col("stage").shift(1).over("user_id", "item_id").fill_null(-1)
    # Who did more with an item than anybody repeats the last thing done.
    assert stage.filter((pl.col("stage") - before > 1) | (pl.col("stage") < before)).is_empty()
    assert stage["event_type"].n_unique() == 4


def test_nothing_is_done_more_often_than_anybody_did_it(make_view):
    # Three things at a time are looked at, laid into the cart, bought and given back.
    funnel = ["view_item", "add_to_cart", "purchase", "refund"]
    random = np.random.Generator(np.random.PCG64(5))
    histories, types = {}, []
    for user in range(300):
        deeds = [
            (f"i{item}", at)
            for item, depth in zip(
                random.permutation(30)[:3], random.integers(1, 5, 3), strict=True
            )
            for at in range(depth)
        ]
        order = np.argsort([at + random.random() for _, at in deeds], kind="stable")
        histories[f"u{user}"] = [deeds[place][0] for place in order]
        types += [funnel[deeds[place][1]] for place in order]
    made = sample(make_view(histories, event_type=pl.Series(types)), 600).data.need("events")
    assert made.group_by("user_id", "item_id", "event_type").len()["len"].max() == 1
    for word in funnel:
        share = (made["event_type"] == word).mean()
        assert share == pytest.approx(types.count(word) / len(types), abs=0.05)


def test_exchanges_keep_a_history_to_its_taste(make_view, rows_of):
    # Two kinds of people share the items of a hub, which forgets who they are.
    random = np.random.Generator(np.random.PCG64(4))
    histories = {}
    for user in range(600):
        kind = "ab"[user % 2]
        own = [f"{kind}{i}" for i in random.permutation(10)[:6]]
        histories[f"u{user}"] = [*own[:3], "hub", *own[3:]]

    def faithful(rounds):
        made = rows_of(sample(make_view(histories), 600, rounds=rounds, back_off=0))
        kinds = [{item[0] for item in items} - {"h"} for items in made.values()]
        return np.mean([len(kind) == 1 for kind in kinds])

    assert faithful(0) < 0.7
    assert faithful(3) > faithful(0) + 0.1


def test_baskets_share_a_time_and_a_session(make_view):
    histories = {f"u{n}": [f"i{(n + i) % 9}" for i in range(6)] for n in range(30)}
    days = {user: [n, n, n, n + 5, n + 5, n + 5] for n, user in enumerate(histories)}
    session = [f"{user}-{i // 3}" for user in histories for i in range(6)]
    events = sample(make_view(histories, days=days, session_id=pl.Series(session)), 50).data.need(
        "events"
    )
    per_session = events.group_by("session_id").agg(pl.len(), pl.col("timestamp").n_unique())
    assert set(per_session["len"]) == {3}
    assert set(per_session["timestamp"]) == {1}
    assert events["session_id"].n_unique() == 100


def test_blocks_of_users_make_one_sample(make_view, rows_of, monkeypatch):
    monkeypatch.setattr(_growth, "_BLOCK_USERS", 7)
    method = make_synthesizer("markov", {}).fit(make_view(ring()), seed=0)
    made = method.sample(60, seed=1)
    assert sorted(map(len, rows_of(made).values())) == sorted(map(len, ring().values()))
    parts = [part.data.need("events") for part in sample_parts(method, 60, seed=1)]
    assert [part["user_id"].n_unique() for part in parts] == [7] * 8 + [4]
    assert pl.concat(parts).equals(made.data.need("events"))


def test_options_out_of_range_are_refused():
    with pytest.raises(RecipeError, match=r"generate\.markov\.options: order"):
        make_synthesizer("markov", {"order": 0})
