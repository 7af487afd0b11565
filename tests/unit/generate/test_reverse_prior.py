"""reverse_prior: short histories get a past that leads to them, within the shop's period."""

from itertools import pairwise

import numpy as np
import polars as pl
import pytest

from shopsynth.generate import make_synthesizer

LINE = "abcdefgh"


def sample(view, n, seed=1, **options):
    return make_synthesizer("reverse_prior", options).fit(view, seed=0).sample(n, seed=seed)


@pytest.fixture
def line(make_view):
    """Many walk the whole line, a few have only its end; those have a late day of their own."""
    histories = {f"long{n:02d}": list(LINE) for n in range(30)}
    histories |= {f"short{n}": ["g", "h"] for n in range(6)}
    days = {
        user: [place * 2 for place in range(8)] if len(items) == 8 else [100, 101]
        for user, items in histories.items()
    }
    return make_view(histories, days=days)


def test_the_past_leads_to_the_history(line, rows_of):
    made = list(rows_of(sample(line, 100)).values())
    assert len(made) == 100
    assert all(items[-2:] == ["g", "h"] for items in made)
    assert all(len(set(items)) == len(items) == 5 for items in made)
    # Back-off to what is bought together gives other items; the filter keeps the way people went.
    assert made.count(list("defgh")) > 60


@pytest.mark.parametrize("prior_items", [1, 4])
def test_as_many_items_as_wanted_come_before(line, rows_of, prior_items):
    made = rows_of(sample(line, 30, prior_items=prior_items)).values()
    assert {len(items) for items in made} == {2 + prior_items}


def test_times_go_back_by_real_gaps_and_the_history_keeps_its_own(line):
    made = sample(line, 40).data.ordered_events()
    first = line.events()["timestamp"].min()
    for _, times in made.group_by("user_id").agg("timestamp").rows():
        days = [(time - first).total_seconds() / 86_400 for time in times]
        assert days[-2:] == [100, 101]
        assert set(np.diff(days[:-1])) <= {1.0, 2.0}


def test_no_past_begins_before_the_shop(make_view):
    histories = {f"long{n:02d}": list(LINE) for n in range(30)}
    histories |= {"early": ["g", "h"], "first": ["h"]}
    days = {user: [place * 2 for place in range(8)] for user in histories if user[0] == "l"}
    view = make_view(histories, days=days | {"early": [1, 2], "first": [0]})
    made = sample(view, 20, short=2).data.ordered_events()
    start = view.events()["timestamp"].min()
    assert made["timestamp"].min() == start
    by_user = made.group_by("user_id", maintain_order=True).agg("item_id", "timestamp").rows()
    for _, items, times in by_user:
        assert times == sorted(times)
        if len(items) == 5:
            assert len(set(times)) == 5, "a past moves closer, it does not fall onto one moment"
        else:
            assert set(times) == {start}


def test_sessions_are_those_of_the_steps(make_view):
    """Everybody has two events a visit, so a past has visits of more than one event too."""
    histories = {f"u{n:02d}": list(LINE) for n in range(30)} | {"short": ["g", "h"]}
    visits = [f"{n}-{place // 2}" for n in range(30) for place in range(8)] + ["s", "s"]
    days = {user: [place // 2 * 3 for place in range(8)] for user in histories}
    days["short"] = [50, 50]
    view = make_view(histories, days=days, session_id=pl.Series(visits))
    made = sample(view, 60, short=2).data.ordered_events()
    by_user = made.group_by("user_id", maintain_order=True).agg("timestamp", "session_id").rows()
    sizes = [len(set(visits)) for _, _, visits in by_user]
    assert {2, 3} <= set(sizes)
    for _, times, visits in by_user:
        same_time = [a == b for a, b in pairwise(times)]
        assert same_time == [a == b for a, b in pairwise(visits)]


def test_only_short_histories_are_taken_if_there_are_any(line, make_view, rows_of):
    assert {items[-1] for items in rows_of(sample(line, 40, short=7)).values()} == {"h"}
    everyone_long = make_view({"x": list("abcdefg"), "y": list("abcdefghi")})
    made = rows_of(sample(everyone_long, 4, short=3)).values()
    assert {items[-1] for items in made} == {"g"}


def test_where_nothing_is_known_a_history_stays(make_view, rows_of):
    view = make_view({"x": ["a"], "y": ["b"]})
    assert sorted(rows_of(sample(view, 2)).values()) == [["a"], ["b"]]
