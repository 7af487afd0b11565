"""Slices: an item's and a user's place follows from training events alone."""

import polars as pl
import pytest

from shopsynth.schema import SLICE_COLUMNS
from shopsynth.split import (
    SplitSettings,
    count_items,
    count_users,
    fix_slices,
    merge_counts,
)

SETTINGS = SplitSettings(tail_max_events=2, short_max_events=1)


def members(slices: pl.DataFrame, kind: str) -> dict[str, set[str]]:
    found = slices.filter(pl.col("kind") == kind).group_by("slice").agg("id")
    return {name: set(ids) for name, ids in found.iter_rows()}


@pytest.fixture
def assigned() -> pl.DataFrame:
    rows = [
        ("u", "a", "train"), ("u", "a", "train"), ("u", "a", "train"), ("u", "b", "validation"),
        ("v", "b", "train"), ("v", "b", "train"), ("v", "c", "test"),
        ("w", "c", "test"), ("x", "b", "train"),
    ]  # fmt: skip
    return pl.DataFrame(rows, schema=["user_id", "item_id", "part"], orient="row")


def test_counts_are_of_train_alone(assigned: pl.DataFrame) -> None:
    train = assigned.filter(pl.col("part") == "train")
    assert count_items(train).rows() == [("a", 3), ("b", 3)]
    assert count_users(assigned).rows() == [("u", 3), ("v", 2), ("w", 0), ("x", 1)]
    assert count_users(train.drop("part")).rows() == [("u", 3), ("v", 2), ("x", 1)]


def test_counts_merge(assigned: pl.DataFrame) -> None:
    halves = [count_users(assigned.head(4)), count_users(assigned.tail(5))]
    assert merge_counts(halves).equals(count_users(assigned))


def test_each_id_is_where_its_count_puts_it() -> None:
    items = pl.DataFrame({"item_id": ["one", "two", "three"], "n": [1, 2, 3]})
    users = pl.DataFrame({"user_id": ["new", "short", "long"], "n": [0, 1, 2]})
    slices = fix_slices(pl.Series(["zero", "one", "two", "three"]), items, users, SETTINGS)
    assert dict(slices.schema) == SLICE_COLUMNS
    assert members(slices, "item") == {
        "cold": {"zero"},
        "tail": {"zero", "one", "two"},
        "warm": {"three"},
    }
    assert members(slices, "user") == {"new": {"new"}, "short": {"new", "short"}}


def test_every_item_cold() -> None:
    slices = fix_slices(pl.Series("item_id", ["a", "b"]), None, None, SETTINGS)
    assert dict(slices.schema) == SLICE_COLUMNS
    assert members(slices, "item") == {"cold": {"a", "b"}, "tail": {"a", "b"}}
    assert members(slices, "user") == {}


def test_counted_items_outside_the_catalogue_have_no_slice() -> None:
    items = pl.DataFrame({"item_id": ["ghost"], "n": [9]})
    assert set(fix_slices(pl.Series(["a"]), items, None, SETTINGS)["id"]) == {"a"}
