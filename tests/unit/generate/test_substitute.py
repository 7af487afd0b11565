"""substitute: only similar items move in, and the rest of a history stays."""

import polars as pl
import pytest

from shopsynth.generate import make_synthesizer


def sample(view, n, seed=1, **options):
    return make_synthesizer("substitute", options).fit(view, seed=0).sample(n, seed=seed)


def clusters(n_users=40):
    """Items a0-a5 are bought by some people, b0-b5 by others; nobody has all six."""
    return {
        f"u{n:02d}": [f"{'ab'[n % 2]}{(n + step) % 6}" for step in range(3)] for n in range(n_users)
    }


def own_times(histories):
    """Give every user times that nobody else has, so that a copy tells whose it is."""
    return {
        user: [number + 0.001 * number * place for place in range(len(items))]
        for number, (user, items) in enumerate(histories.items(), start=1)
    }


def by_original(view, made):
    """Pair each real history with the synthetic one of the same times."""

    def by_times(events):
        grouped = events.group_by("user_id", maintain_order=True).agg("timestamp", "item_id")
        return [(tuple(times), items) for _, times, items in grouped.rows()]

    real = dict(by_times(view.events()))
    return [(real[times], items) for times, items in by_times(made.data.ordered_events())]


@pytest.fixture
def view(make_view):
    histories = clusters()
    days = own_times(histories)
    return make_view(histories, days=days)


def test_every_history_changes_in_items_like_its_own(view):
    pairs = by_original(view, sample(view, 40, insert_rate=0))
    assert len(pairs) == 40
    for real, made in pairs:
        changed = [(a, b) for a, b in zip(real, made, strict=True) if a != b]
        assert changed
        assert all(a[0] == b[0] for a, b in changed)
        assert len(set(made)) == 3


@pytest.mark.parametrize("rate", [0.2, 0.6])
def test_the_rate_is_the_share_of_items_swapped(make_view, rate):
    histories = {f"u{n:03d}": [f"i{(n * 7 + step) % 50}" for step in range(10)] for n in range(100)}
    view = make_view(histories, days=own_times(histories))
    synthetic = sample(view, 100, substitute_rate=rate, insert_rate=0, neighbours=40)
    pairs = by_original(view, synthetic)
    n_changed = sum(a != b for real, made in pairs for a, b in zip(real, made, strict=True))
    assert n_changed / 1000 == pytest.approx(rate, abs=0.03)


def test_rates_of_zero_leave_copies(view):
    copies = by_original(view, sample(view, 40, substitute_rate=0, insert_rate=0))
    assert len(copies) == 40
    assert all(real == made for real, made in copies)


def test_a_category_is_kept_unless_told_otherwise(make_view):
    histories = clusters()
    kinds = {f"{c}{i}": f"kind {i % 2}" for c in "ab" for i in range(6)}
    items = pl.DataFrame({"item_id": list(kinds), "category": list(kinds.values())})
    days = own_times(histories)
    view = make_view(histories, items=items, days=days)

    def crossings(**options):
        pairs = by_original(view, sample(view, 40, insert_rate=0, substitute_rate=1, **options))
        moves = [(a, b) for real, made in pairs for a, b in zip(real, made, strict=True) if a != b]
        assert len(moves) > 20
        return sum(kinds[a] != kinds[b] for a, b in moves)

    assert crossings() == 0
    assert crossings(same_category=False) > 0


def test_inserts_follow_an_item_like_themselves(view, rows_of):
    made = rows_of(sample(view, 40, substitute_rate=0, insert_rate=1))
    assert all(len({item[0] for item in items}) == 1 for items in made.values())
    assert sum(map(len, made.values())) > 120 * 1.3
    assert all(len(set(items)) == len(items) for items in made.values())


def test_a_habit_moves_to_the_new_item_as_a_whole(make_view, rows_of):
    histories = {
        f"u{n}": ["a", "b", "a", "b", "a"] if n % 2 else ["c", "a", "d", "b"] for n in range(20)
    }
    made = rows_of(sample(make_view(histories), 20, insert_rate=0))
    habitual = [items for items in made.values() if len(items) == 5]
    assert len(habitual) == 10
    for items in habitual:
        assert items[0] == items[2] == items[4]
        assert items[1] == items[3]


def test_more_users_than_the_shop_has_differ_from_each_other(view, rows_of):
    made = rows_of(sample(view, 200))
    assert len(made) == 200
    assert len({tuple(items) for items in made.values()}) > 60
