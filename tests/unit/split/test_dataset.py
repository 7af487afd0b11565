"""A whole shop is split: what belongs to a held-out event or query leaves train with it."""

from datetime import UTC, datetime
from typing import Any, Literal

import polars as pl
import pytest

from shopsynth.schema import TIMESTAMP, Dataset, EmptyDataError, SchemaError, Split
from shopsynth.split import (
    CUT_TABLE,
    SPLITTERS,
    SplitSettings,
    assign_texts,
    check_parts,
    follow_events,
    follow_queries,
    split_dataset,
)

N_DAYS = 10


def day(number: int) -> datetime:
    return datetime(2030, 1, number, tzinfo=UTC)


def shop(**tables: pl.DataFrame) -> Dataset:
    """Ten days, one event each; ``early`` shops on days 1-8, ``late`` on days 9 and 10."""
    events = pl.DataFrame(
        {
            "user_id": ["early"] * 8 + ["late"] * 2,
            "item_id": [f"i{n}" for n in range(N_DAYS)],
            "timestamp": pl.Series([day(n) for n in range(1, N_DAYS + 1)], dtype=TIMESTAMP),
        }
    )
    items = pl.DataFrame({"item_id": [f"i{n}" for n in range(12)]})
    return Dataset(**{"items": items, "events": events, **tables})


def by(way: Literal["time", "leave_one_out", "query"], **values: Any) -> SplitSettings:
    return SplitSettings(by=way, **values)


def ids(split: Split, table: str, column: str) -> list[list[str]]:
    parts = (split.train, split.validation, split.test)
    return [part.need(table)[column].to_list() for part in parts]


def test_events_are_cut_and_the_catalogue_is_whole() -> None:
    split = split_dataset(
        shop(images=pl.DataFrame({"item_id": ["i0"], "image": ["x"]})), by("time")
    )
    assert split.by == "time"
    assert ids(split, "events", "item_id") == [[f"i{n}" for n in range(8)], ["i8"], ["i9"]]
    for part in (split.train, split.validation, split.test):
        assert part.items.height == 12
        assert part.need("images").height == 1
        assert "part" not in part.need("events").columns


def test_slices_come_from_train() -> None:
    slices = split_dataset(shop(), by("time", tail_max_events=0)).slices
    cold = slices.filter(pl.col("slice") == "cold")["id"].to_list()
    assert cold == ["i8", "i9", "i10", "i11"]
    assert slices.filter(pl.col("slice") == "new")["id"].to_list() == ["late"]


def test_users_are_known_where_they_act() -> None:
    users = pl.DataFrame({"user_id": ["early", "late", "never"]})
    split = split_dataset(shop(users=users), by("time"))
    assert ids(split, "users", "user_id") == [["early", "never"], ["late"], ["late"]]


def test_reviews_follow_their_time_else_their_purchase() -> None:
    reviews = pl.DataFrame(
        {
            "review_id": ["old", "fresh", "undated", "unbought"],
            "item_id": ["i9", "i0", "i9", "i9"],
            "text": ["good"] * 4,
            "user_id": ["late", "early", "late", "early"],
            "timestamp": pl.Series([day(1), day(10), None, None], dtype=TIMESTAMP),
        }
    )
    split = split_dataset(shop(reviews=reviews), by("time"))
    assert ids(split, "reviews", "review_id") == [["old", "unbought"], [], ["fresh", "undated"]]
    # Leave-one-out has no cuts: dates tell nothing, purchases do. Only early has three events.
    split = split_dataset(shop(reviews=reviews), by("leave_one_out"))
    assert ids(split, "reviews", "review_id") == [["old", "fresh", "undated", "unbought"], [], []]


def test_a_review_of_an_item_bought_twice_follows_the_later_event() -> None:
    events = pl.DataFrame({"user_id": ["u"] * 2, "item_id": ["a"] * 2, "part": ["test", "train"]})
    reviews = pl.DataFrame({"review_id": ["1"], "item_id": ["a"], "text": ["x"], "user_id": ["u"]})
    assert follow_events(reviews, events)["part"].to_list() == ["test"]


def test_reviews_by_nobody_stay_in_train() -> None:
    reviews = pl.DataFrame({"review_id": ["1"], "item_id": ["i9"], "text": ["x"]})
    split = split_dataset(shop(reviews=reviews), by("time"))
    assert ids(split, "reviews", "review_id") == [["1"], [], []]


def test_tables_without_a_rule_stay_in_train() -> None:
    relations = pl.DataFrame({"head": ["i0"], "relation": ["also_bought"], "tail": ["i1"]})
    split = split_dataset(shop(relations=relations), by("time"))
    assert split.train.need("relations").height == 1
    assert split.validation.relations is None
    assert split.test.relations is None


def test_leave_one_out_holds_out_two_events_of_each_longer_history() -> None:
    split = split_dataset(shop(), by("leave_one_out"))
    assert ids(split, "events", "item_id") == [
        ["i0", "i1", "i2", "i3", "i4", "i5", "i8", "i9"], ["i6"], ["i7"],
    ]  # fmt: skip


def test_one_user_only_can_be_split() -> None:
    one = shop().need("events").head(5)
    for way in ("time", "leave_one_out"):
        split = split_dataset(shop(events=one), SplitSettings.parse({"by": way}, "split"))
        assert ids(split, "events", "item_id") == [["i0", "i1", "i2"], ["i3"], ["i4"]]


def query_shop(**tables: pl.DataFrame) -> Dataset:
    n = 200
    queries = pl.DataFrame(
        {"query_id": [f"q{i}" for i in range(n)], "text": [f"mug {i}" for i in range(n)]}
    )
    judgments = pl.DataFrame(
        {"query_id": queries["query_id"], "item_id": ["i1"] * n, "grade": [1.0] * n}
    )
    items = pl.DataFrame({"item_id": ["i1", "i2"]})
    return Dataset(items=items, queries=queries, judgments=judgments, **tables)


def test_judgments_and_events_follow_their_query() -> None:
    shop = query_shop()
    events = pl.DataFrame(
        {
            "user_id": ["u"] * 202,
            "item_id": ["i2"] * 202,
            "query_id": [*shop.need("queries")["query_id"], None, "gone"],
            "position": range(202),
        }
    )
    settings = by("query")
    split = split_dataset(query_shop(events=events), settings)
    assigned = assign_texts(shop.need("queries"), settings)
    for name, part in (
        ("train", split.train),
        ("validation", split.validation),
        ("test", split.test),
    ):
        expected = assigned.filter(pl.col("part") == name)["query_id"].to_list()
        assert expected
        assert part.need("queries")["query_id"].to_list() == expected
        assert part.need("judgments")["query_id"].to_list() == expected
        others = [None, "gone"] if name == "train" else []
        assert part.need("events")["query_id"].to_list() == expected + others


def test_without_events_judged_items_are_the_seen_ones() -> None:
    slices = split_dataset(query_shop(), by("query")).slices
    assert slices.filter(pl.col("kind") == "item").select("id", "slice").rows() == [
        ("i2", "cold"), ("i2", "tail"), ("i1", "warm"),
    ]  # fmt: skip
    assert slices.filter(pl.col("kind") == "user").is_empty()


def test_rows_without_query_ids_are_train() -> None:
    rows = pl.DataFrame({"item_id": ["a"]})
    queries = pl.DataFrame({"query_id": ["q"], "part": ["test"]})
    assert follow_queries(rows, queries)["part"].to_list() == ["train"]


@pytest.mark.parametrize(
    ("dataset", "settings", "advice"),
    [
        (shop(events=shop().need("events").head(2)), by("time"), "three different minutes"),
        (shop(events=shop().need("events").tail(2)), by("leave_one_out"), "with three events"),
        (
            Dataset(
                items=pl.DataFrame({"item_id": ["a"]}),
                queries=pl.DataFrame({"query_id": ["q"], "text": ["mug"]}),
            ),
            by("query"),
            "more distinct queries",
        ),
    ],
)
def test_an_empty_part_is_refused(dataset: Dataset, settings: SplitSettings, advice: str) -> None:
    with pytest.raises(
        EmptyDataError, match=f"(?s)expected rows in every part, got train.*{advice}"
    ):
        split_dataset(dataset, settings)


def test_a_full_split_passes_the_check() -> None:
    full = {"train": 3, "validation": 1, "test": 1}
    check_parts(full, by("time"))
    with pytest.raises(EmptyDataError, match="train 3, validation 0, test 1"):
        check_parts({**full, "validation": 0}, by("time"))


def test_a_missing_table_is_named() -> None:
    catalogue = Dataset(items=pl.DataFrame({"item_id": ["a"]}))
    with pytest.raises(SchemaError, match="needs the table events"):
        split_dataset(catalogue, by("time"))
    with pytest.raises(SchemaError, match="needs the table queries"):
        split_dataset(catalogue, by("query"))


def test_every_way_in_the_recipe_is_registered() -> None:
    assert SPLITTERS.names() == ["leave_one_out", "query", "review", "time"]
    cut = {SPLITTERS.get(name).table for name in SPLITTERS.names()}
    assert cut == {"events", "queries", "reviews"} == set(CUT_TABLE.values())
