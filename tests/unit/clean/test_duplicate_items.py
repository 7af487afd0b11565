"""duplicate_items: the source's lines vote on each item's title and price."""

from collections import Counter
from typing import Any

import polars as pl
import pytest

from shopsynth.clean import CleanSettings, clean_items
from shopsynth.schema import EmptyDataError


def items(rows: list[tuple[Any, ...]]) -> pl.DataFrame:
    return pl.DataFrame(
        rows,
        schema={
            "item_id": pl.String,
            "title": pl.String,
            "price": pl.Float64,
            "n_rows": pl.Int64,
        },
        orient="row",
    )


def clean(rows: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    return clean_items(items(rows), CleanSettings()).kept.rows()


def test_the_title_with_the_most_lines_wins_over_all_its_rows() -> None:
    rows = [("a", "Mug", 1.0, 3), ("a", "Red mug", 2.0, 2), ("a", "Red mug", 3.0, 2)]
    assert clean(rows) == [("a", "Red mug", 2.0)]


def test_ties_go_to_the_longest_title_then_to_the_first() -> None:
    assert clean([("a", "Mug", 1.0, 2), ("a", "Big mug", 1.0, 2)]) == [("a", "Big mug", 1.0)]
    assert clean([("a", "Mug", 1.0, 2), ("a", "Cup", 1.0, 2)]) == [("a", "Mug", 1.0)]


def test_an_empty_title_wins_only_alone() -> None:
    assert clean([("a", None, 1.0, 9), ("a", "Mug", 1.0, 1)]) == [("a", "Mug", 1.0)]
    assert clean([("a", None, 1.0, 9), ("a", None, 2.0, 1)]) == [("a", None, 1.0)]


def test_the_price_is_the_lower_median_of_all_lines() -> None:
    rows = [("a", "Mug", 9.0, 1), ("a", "Mug", 2.0, 2), ("a", "Cup", 1.0, 2), ("a", "M", None, 50)]
    assert clean(rows) == [("a", "M", 2.0)]
    assert clean([("a", "Mug", 3.0, 1), ("a", "Mug", 1.0, 1)]) == [("a", "Mug", 1.0)]


def test_spellings_of_one_title_vote_together() -> None:
    rows = [("a", "Cup", 1.0, 3), ("a", "Red mug ", 1.0, 2), ("a", "Red  mug", 1.0, 2)]
    assert clean(rows) == [("a", "Red mug", 1.0)]


def test_each_lost_row_is_told_with_its_reason() -> None:
    frame = items(
        [("b", "X", 1.0, 1), ("a", "Mug", 1.0, 3), ("a", "Cup", 1.0, 1), ("a", "Mug", 2.0, 1)]
    )
    cleaned = clean_items(frame, CleanSettings())
    assert cleaned.kept["item_id"].to_list() == ["b", "a"]
    assert Counter(cleaned.rejects["reason"]) == {"duplicate_description": 1, "duplicate_item": 1}
    assert '"n_rows":1' in cleaned.rejects["record"][0]


def test_without_counts_titles_or_prices_the_first_row_stays() -> None:
    frame = pl.DataFrame({"item_id": ["a", "b", "a"], "colour": ["red", "blue", "green"]})
    cleaned = clean_items(frame, CleanSettings())
    assert cleaned.kept.rows() == [("a", "red"), ("b", "blue")]
    assert cleaned.rejects["reason"].to_list() == ["duplicate_item"]


def test_a_catalogue_without_duplicates_only_loses_the_counts() -> None:
    frame = items([("b", "X", 1.0, 4), ("a", "Y", None, 1)])
    assert clean_items(frame, CleanSettings()).kept.equals(frame.drop("n_rows"))


def test_a_negative_price_has_no_vote() -> None:
    assert clean([("a", "Mug", -5.0, 9), ("a", "Mug", 2.0, 1)]) == [("a", "Mug", 2.0)]


def test_no_item_left_is_an_error_with_counts() -> None:
    with pytest.raises(EmptyDataError, match=r"2 read, 0 kept.*not_a_product 2.*item_id_pattern"):
        clean_items(
            items([("a", "X", 1.0, 1), ("b", "Y", 1.0, 1)]), CleanSettings(item_id_pattern="^[0-9]")
        )
