"""mask: items go with all of their events, and the likeliest tears are kept."""

import numpy as np
import polars as pl
import pytest

from shopsynth.generate import make_synthesizer


def sample(view, n, rows_of, seed=1, **options):
    made = make_synthesizer("mask", options).fit(view, seed=0).sample(n, seed=seed)
    return list(rows_of(made).values())


def test_items_go_as_a_whole_and_the_rest_stays_in_order(make_view, rows_of):
    view = make_view({f"u{n}": [f"{n}{item}" for item in "aabbbccdea"] for n in range(30)})
    made = sample(view, 100, rows_of, rate=0.4)
    assert len(made) == 100
    for items in made:
        left = [item[-1] for item in items]
        assert left == [item for item in "aabbbccdea" if item in left]
        assert len(set(left)) == 3


@pytest.mark.parametrize("rate", [0.2, 0.5])
def test_the_rate_is_the_share_of_items(make_view, rows_of, rate):
    view = make_view({f"u{n:02d}": [f"{n}-{item}" for item in range(9)] for n in range(60)})
    lengths = [len(items) for items in sample(view, 600, rows_of, rate=rate, confidence=1)]
    assert np.mean(lengths) == pytest.approx(9 * (1 - rate), abs=0.1)


def test_something_goes_and_two_items_stay(make_view, rows_of):
    histories = {f"u{n}": [f"{n}a", f"{n}b", f"{n}c"] for n in range(20)} | {"two": ["x", "y"]}
    for rate in (0.01, 0.99):
        made = sample(make_view(histories), 60, rows_of, rate=rate)
        assert {len(items) for items in made} == {2}
        assert ["x", "y"] not in made


def test_tears_that_nobody_else_knows_are_dropped(make_view, rows_of):
    """Others go from a to c and from d to f; nobody goes from b to d, nor from c to e."""
    histories = {f"u{n:02d}": list("abcdef") for n in range(30)}
    histories |= {f"v{n:02d}": ["a", "c"] for n in range(30)}
    histories |= {f"w{n:02d}": ["d", "f"] for n in range(30)}
    view = make_view(histories)

    def unknown(confidence):
        made = sample(view, 60, rows_of, rate=0.01, confidence=confidence)
        assert {len(items) for items in made} == {5}
        return sum("c" not in items or "d" not in items for items in made) / len(made)

    assert unknown(1) > 0.15
    assert unknown(0.5) == 0


def test_a_funnel_is_never_entered_in_the_middle(make_view):
    types = ["view_item", "add_to_cart", "purchase"]
    view = make_view(
        {f"u{n}": [f"{n}{item}" for item in "abcd" for _ in types] for n in range(20)},
        event_type=pl.Series(types * 80),
    )
    made = make_synthesizer("mask", {}).fit(view, seed=0).sample(40, seed=1)
    grouped = made.data.ordered_events().group_by("user_id", "item_id", maintain_order=True)
    assert all(row == types for row in grouped.agg("event_type")["event_type"].to_list())
