"""Histories that know the future are dropped; variants of the past stay."""

import json

import numpy as np
import polars as pl
import pytest

from shopsynth.combine import drop_near_duplicates
from shopsynth.schema import REJECT_COLUMNS, Dataset, SyntheticDataset

TRAIN = {"ann": "a b c d", "bob": "e f g h i", "cat": "j k"}


@pytest.fixture
def train(make_events):
    return make_events(TRAIN)


@pytest.fixture
def heldout(make_events):
    events = make_events({"ann": "x y", "bob": "z", "dan": "p q r s"})
    return events.with_columns(pl.col("timestamp").dt.offset_by("60d"))


def reasons(rejects: pl.DataFrame) -> dict[str, str]:
    return {
        json.loads(record)["user_id"]: reason
        for reason, record in rejects.select("reason", "record").iter_rows()
    }


def test_every_kind_of_leak_is_dropped_and_nothing_else(make_synthetic, heldout, train):
    synthetic = make_synthetic(
        {
            "full-history": "a b c d x y",
            "held-out-part": "x y",
            "near-full": "a b c x y",
            "near-part": "q p s r",
            "variant-of-train": "a b c d",
            "near-variant-of-train": "e f g h",
            "past-of-another": "j k",
            "one-item": "z",
            "far": "a x m n o",
        }
    )
    kept, rejects = drop_near_duplicates(synthetic, heldout, train, 0.8)
    assert reasons(rejects) == {
        "full-history": "exact_duplicate_of_test",
        "held-out-part": "exact_duplicate_of_test",
        "near-full": "near_duplicate_of_test",
        "near-part": "near_duplicate_of_test",
    }
    assert kept.data.need("events")["user_id"].unique(maintain_order=True).to_list() == [
        "variant-of-train",
        "near-variant-of-train",
        "past-of-another",
        "one-item",
        "far",
    ]
    assert dict(rejects.schema) == REJECT_COLUMNS
    assert rejects["table"].unique().to_list() == ["events"]


def test_a_near_history_needs_an_item_that_only_the_future_holds(
    make_synthetic, make_events, train
):
    """Bob buys again what he had: near his full history, yet nothing in it is news."""
    heldout = make_events({"bob": "e f"}).with_columns(pl.col("timestamp").dt.offset_by("60d"))
    kept, rejects = drop_near_duplicates(
        make_synthetic({"rebuy": "e f g h i"}), heldout, train, 0.8
    )
    assert rejects.is_empty()
    assert kept.data.counts()["events"] == 5


def test_a_reject_tells_the_user_and_its_number_of_events(make_synthetic, heldout, train):
    _, rejects = drop_near_duplicates(make_synthetic({"s": "x y"}), heldout, train, 0.8)
    assert json.loads(rejects["record"][0]) == {"user_id": "s", "n_events": 2}


def test_a_dropped_user_leaves_every_table(make_synthetic, make_events, heldout, train, items):
    events = make_events({"leak": "x y", "fine": "a b"})
    users = pl.DataFrame({"user_id": ["leak", "fine"]})
    synthetic = SyntheticDataset(
        Dataset(items=items, users=users, events=events), "markov", "", 0, ""
    )
    kept, _ = drop_near_duplicates(synthetic, heldout, train, 0.8)
    assert kept.data.need("users")["user_id"].to_list() == ["fine"]
    assert kept.data.items.height == items.height


def test_order_may_be_a_position(make_synthetic):
    def by_position(history: dict[str, list[str]], start: int) -> pl.DataFrame:
        return pl.DataFrame(
            [
                {"user_id": user, "item_id": item, "position": start + place}
                for user, row in history.items()
                for place, item in enumerate(row)
            ]
        )

    synthetic = make_synthetic(by_position({"s": ["a", "b", "x"], "t": ["b", "a", "m"]}, 0))
    train = by_position({"ann": ["a", "b"]}, 0)
    heldout = by_position({"ann": ["x"]}, 2)
    _, rejects = drop_near_duplicates(synthetic, heldout, train, 1.0)
    assert reasons(rejects) == {"s": "exact_duplicate_of_test"}


def test_pairs_agree_with_a_slow_obvious_comparison(make_synthetic, monkeypatch):
    """Random sets, blocks of a few pairs: the same users fall as by comparing everybody."""
    monkeypatch.setattr("shopsynth.combine.near_duplicates._BLOCK_CELLS", 40)
    generator = np.random.Generator(np.random.PCG64(3))

    def draw(prefix: str, n: int, start: int) -> pl.DataFrame:
        rows = [
            {"user_id": f"{prefix}{user:02d}", "item_id": chr(97 + item), "position": start + place}
            for user in range(n)
            for place, item in enumerate(generator.integers(0, 9, generator.integers(1, 8)))
        ]
        return pl.DataFrame(rows)

    train, heldout, made = draw("r", 30, 0), draw("r", 40, 100), draw("s", 60, 0)
    _, rejects = drop_near_duplicates(make_synthetic(made), heldout, train, 0.6)

    def sets(events: pl.DataFrame) -> dict[str, list[str]]:
        return dict(events.sort("position").group_by("user_id").agg("item_id").iter_rows())

    past, future = sets(train), sets(heldout)
    expected = {}
    for user, items in sets(made).items():
        for other, later in future.items():
            full = past.get(other, []) + later
            novel = set(later) - set(past.get(other, []))
            if len(items) >= 2 and items in (full, later):
                expected[user] = "exact_duplicate_of_test"
                break
            if (jaccard(items, full) >= 0.6 and novel & set(items)) or (
                len(set(later)) >= 3 and jaccard(items, later) >= 0.6
            ):
                expected[user] = "near_duplicate_of_test"
    assert len(expected) > 5
    assert reasons(rejects) == expected


def jaccard(a: list[str], b: list[str]) -> float:
    return len(set(a) & set(b)) / len(set(a) | set(b))
