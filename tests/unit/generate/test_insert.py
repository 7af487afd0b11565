"""insert: what moves in goes with its neighbour, and everything else stays."""

import numpy as np
import polars as pl
import pytest

from shopsynth.generate import make_synthesizer


def sample(view, n, seed=1, **options):
    return make_synthesizer("insert", options).fit(view, seed=0).sample(n, seed=seed)


def clusters(n_users=40):
    """Items a0-a5 are bought by some people, b0-b5 by others; nobody has all six."""
    return {
        f"u{n:02d}": [f"{'ab'[n % 2]}{(n // 2 + step) % 6}" for step in range(3)]
        for n in range(n_users)
    }


def test_what_moves_in_is_new_and_of_its_kind(make_view, rows_of):
    view = make_view(clusters())
    made = list(rows_of(sample(view, 200)).values())
    assert len(made) == 200
    for items in made:
        assert len(items) == 4
        assert len({item[0] for item in items}) == 1
        assert len(set(items)) == 4


def test_the_history_is_still_in_it(make_view, rows_of):
    histories = clusters()
    real = {tuple(items) for items in histories.values()}
    for items in rows_of(sample(make_view(histories), 100, confidence=1)).values():
        rest = [tuple(items[:place] + items[place + 1 :]) for place in range(4)]
        assert real & set(rest)


@pytest.mark.parametrize("rate", [0.1, 0.5])
def test_the_rate_is_a_share_of_the_events(make_view, rows_of, rate):
    histories = {f"u{n:03d}": [f"i{(n * 7 + step) % 50}" for step in range(20)] for n in range(100)}
    made = rows_of(sample(make_view(histories), 100, rate=rate, neighbours=40)).values()
    assert np.mean([len(items) for items in made]) == pytest.approx(20 * (1 + rate), rel=0.02)


def test_times_lie_between_and_sessions_stay(make_view):
    histories = {f"u{n:02d}": [f"i{(n + step) % 9}" for step in range(4)] for n in range(40)}
    days = {user: [0, 0.5, 7, 8] for user in histories}
    view = make_view(histories, days=days, session_id=pl.Series(["x", "x", "y", "y"] * 40))
    made = sample(view, 40).data.ordered_events()
    first = made["timestamp"].min()
    by_user = made.group_by("user_id", maintain_order=True).agg("timestamp", "session_id")
    for _, times, sessions in by_user.rows():
        passed = [(time - first).total_seconds() / 86_400 for time in times]
        assert passed == sorted(passed)
        assert {0, 0.5, 7, 8} <= set(passed) <= {0, 0.25, 0.5, 7, 7.5, 8}
        assert len(set(sessions)) == 2
        assert [day < 1 for day in passed] == [visit == sessions[0] for visit in sessions]


def test_content_joins_what_nobody_bought_together(make_view, rows_of):
    histories = {f"u{n:02d}": [f"cup{n % 3}"] for n in range(30)}
    histories |= {f"v{n:02d}": [f"pan{n % 3}"] for n in range(30)}
    titles = {f"cup{n}": "white porcelain" for n in range(3)} | {"cold": "white porcelain"}
    titles |= {f"pan{n}": "black iron" for n in range(3)}
    items = pl.DataFrame({"item_id": list(titles), "title": list(titles.values())})
    view = make_view(histories, items=items)
    made = list(rows_of(sample(view, 300, confidence=1)).values())
    assert {len(items) for items in made} == {2}
    assert all(a[:3] == b[:3] and a != b for a, b in made)
    assert "cold" not in {item for items in made for item in items}
    assert {len(items) for items in rows_of(sample(view, 30, content=0)).values()} == {1}


def test_what_moves_in_begins_as_it_does_for_people(make_view):
    histories = {f"u{n:02d}": [f"i{(n + step // 2) % 9}" for step in range(6)] for n in range(40)}
    view = make_view(histories, event_type=pl.Series(["view_item", "purchase"] * 120))
    made = sample(view, 80).data.ordered_events()
    firsts = made.group_by("user_id", "item_id", maintain_order=True).first()
    assert set(firsts["event_type"]) == {"view_item"}


def test_bad_insertions_are_dropped(make_view, rows_of):
    """A bridge item is bought with both kinds; only beside its own kind others go on to it."""
    histories = {f"u{n:02d}": ["a", "b", "c", "d"][n % 2 :][:3] for n in range(40)}
    histories |= {f"v{n:02d}": ["a", "x", "b"] for n in range(30)}
    histories |= {f"w{n:02d}": ["b", "c", "d", "y"] for n in range(4)}
    view = make_view(histories)

    def between(confidence):
        made = rows_of(sample(view, 300, confidence=confidence)).values()
        taken = [items for items in made if set(items) == {"a", "b", "c", "x"}]
        assert len(taken) > 10
        return np.mean([items[:2] == ["a", "x"] for items in taken])

    assert between(0.3) > between(1)
