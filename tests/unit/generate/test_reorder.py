"""reorder: a few items change places, and nothing else does."""

import polars as pl

from shopsynth.generate import make_synthesizer

LENGTH = 12


def sample(view, n, seed=1, **options):
    return make_synthesizer("reorder", options).fit(view, seed=0).sample(n, seed=seed)


def own_items(n_users=40):
    return {f"u{n:02d}": [f"{n:02d}-{place}" for place in range(LENGTH)] for n in range(n_users)}


def test_only_a_window_changes_and_something_always_does(make_view, rows_of):
    view = make_view(own_items())
    firsts = set()
    for window in (2, 4):
        made = rows_of(sample(view, 200, window=window, confidence=1)).values()
        for items in made:
            places = [int(item.split("-")[1]) for item in items]
            assert sorted(places) == list(range(LENGTH))
            moved = [place for place, was in enumerate(places) if place != was]
            assert moved
            assert moved[-1] - moved[0] < window
            firsts.add(moved[0])
    assert firsts == set(range(LENGTH - 1))


def test_times_stay_and_what_an_item_carries_goes_along(make_view):
    view = make_view(own_items(), quantity=pl.Series(range(480)).cast(pl.Float64))
    carried = dict(view.events().select("item_id", "quantity").rows())
    real = view.events().group_by("user_id").agg("timestamp")["timestamp"].to_list()
    made = sample(view, 40).data.ordered_events()
    assert all(
        carried[item] == number for item, number in made.select("item_id", "quantity").rows()
    )
    for times in made.group_by("user_id").agg("timestamp")["timestamp"].to_list():
        assert times in real


def test_an_items_own_events_keep_their_order(make_view):
    types = ["view_item", "add_to_cart", "purchase"]
    view = make_view(
        {f"u{n}": [f"{n}{item}" for item in "abab" for _ in range(3)] for n in range(20)},
        event_type=pl.Series([*types * 2, *["view_item"] * 6] * 20),
    )
    made = sample(view, 60, window=8).data.ordered_events()
    grouped = made.group_by("user_id", "item_id", maintain_order=True).agg("event_type")
    assert grouped.height == 120
    assert all(row == [*types, *["view_item"] * 3] for row in grouped["event_type"].to_list())
    items = made.group_by("user_id").agg(pl.col("item_id").str.tail(1))["item_id"].to_list()
    assert list("aaabbbaaabbb") not in items


def test_histories_of_one_item_are_the_last_resort(make_view, rows_of):
    assert list(rows_of(sample(make_view({"u": ["a", "a"]}), 3)).values()) == [["a", "a"]] * 3
    mixed = make_view({"u": ["a", "a"], "v": ["b", "c"]})
    assert list(rows_of(sample(mixed, 3)).values()) == [["c", "b"]] * 3


def test_orders_that_others_took_are_kept(make_view, rows_of):
    """Half of the users go from c to b, the others from b to c: that swap is the likely one."""
    histories = {f"u{n:02d}": list("abcdefgh") for n in range(20)}
    histories |= {f"v{n:02d}": ["c", "b"] for n in range(60)}
    view = make_view(histories)

    def swapped(confidence):
        made = [
            items
            for items in rows_of(sample(view, 400, window=2, confidence=confidence)).values()
            if len(items) == 8
        ]
        assert len(made) > 50
        return sum(items[1:3] == ["c", "b"] for items in made) / len(made)

    assert swapped(0.3) > swapped(1) + 0.2
