"""crop: one piece of each history and nothing else."""

from itertools import pairwise

import polars as pl

from shopsynth.generate import make_synthesizer


def sample(view, n, rows_of, seed=1, **options):
    made = make_synthesizer("crop", options).fit(view, seed=0).sample(n, seed=seed)
    return made, list(rows_of(made).values())


def long_histories(n_users=40, length=10):
    return {f"u{n:02d}": [f"u{n:02d}-i{i}" for i in range(length)] for n in range(n_users)}


def test_pieces_have_no_gap_and_the_wanted_size(make_view, rows_of):
    _, made = sample(make_view(long_histories()), 200, rows_of)
    assert len(made) == 200
    for items in made:
        places = [int(item.split("-i")[1]) for item in items]
        assert places == list(range(places[0], places[0] + 6))
        assert len({item.split("-")[0] for item in items}) == 1
    assert {items[0].split("-i")[1] for items in made} == set("01234")


def test_something_goes_and_two_stay(make_view, rows_of):
    histories = long_histories(20, 3) | {"pair": ["pair-i0", "pair-i1"], "one": ["one-i0"]}
    view = make_view(histories)
    for keep in (0.01, 1.0):
        _, made = sample(view, 100, rows_of, keep=keep)
        assert {len(items) for items in made} == {2}
        assert not any(items[0].startswith(("pair", "one")) for items in made)


def test_short_histories_are_better_than_none(make_view, rows_of):
    _, made = sample(make_view({"pair": ["a", "b"], "one": ["c"]}), 4, rows_of)
    assert sorted(made) == [["a", "b"], ["a", "b"], ["c"], ["c"]]


def test_times_and_sessions_stay(make_view, rows_of):
    histories = {"u": list("abcdef")}
    view = make_view(
        histories, days={"u": [0, 0, 5, 5, 9, 9]}, session_id=pl.Series(list("xxyyzz"))
    )
    made = make_synthesizer("crop", {}).fit(view, seed=0).sample(50, seed=1).data.ordered_events()
    real = dict(view.events().select("item_id", "timestamp").rows())
    assert all(real[item] == time for item, time in made.select("item_id", "timestamp").rows())
    by_user = made.group_by("user_id", maintain_order=True).agg("item_id", "session_id")
    for _, items, sessions in by_user.rows():
        visits = ["xxyyzz"["abcdef".index(item)] for item in items]
        assert [a == b for a, b in pairwise(visits)] == [a == b for a, b in pairwise(sessions)]
