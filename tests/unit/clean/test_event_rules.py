"""The rules for events: each planted fault goes with its own reason, and nothing else goes."""

from collections.abc import Callable
from math import inf, nan
from typing import Any

import polars as pl
import pytest

from shopsynth.clean import CleanSettings, clean_events

Make = Callable[..., pl.DataFrame]
CATALOGUE = pl.Series("item_id", ["10", "11", "12"])


def reasons(frame: pl.DataFrame, **settings: Any) -> list[str]:
    return clean_events(frame, CATALOGUE, CleanSettings(**settings)).rejects["reason"].to_list()


def kept_rows(frame: pl.DataFrame, **settings: Any) -> list[int]:
    numbered = frame.with_row_index("row")
    return clean_events(numbered, CATALOGUE, CleanSettings(**settings)).kept["row"].to_list()


def test_missing_cells_name_the_first_empty_column(make_events: Make) -> None:
    events = make_events(
        ["u", None, "u", "", None, "u"], ["10", "10", None, "10", None, "10"], [1, 2, 3, 4, 5, None]
    )
    # By reason in the order of the specification, then by row.
    assert reasons(events) == [
        "missing_user_id",
        "missing_user_id",
        "missing_user_id",
        "missing_item_id",
        "missing_timestamp",
    ]
    assert kept_rows(events) == [0]


def test_a_missing_position_is_missed_too() -> None:
    events = pl.DataFrame({"user_id": ["u"] * 2, "item_id": ["10"] * 2, "position": [1, None]})
    assert reasons(events) == ["missing_position"]


def test_nan_counts_as_missing() -> None:
    from shopsynth.clean import clean_table

    judgments = pl.DataFrame({"query_id": ["q", "r"], "item_id": ["10", "10"], "grade": [nan, 1.0]})
    cleaned = clean_table("judgments", judgments, CATALOGUE, CleanSettings())
    assert cleaned.rejects["reason"].to_list() == ["missing_grade"]
    assert cleaned.kept["query_id"].to_list() == ["r"]


def test_postage_is_not_a_product(make_events: Make) -> None:
    events = make_events(["u"] * 3, ["10", "POST", "11"], [1, 2, 3])
    assert reasons(events, item_id_pattern="^[0-9]+$") == ["not_a_product"]
    assert kept_rows(events, item_id_pattern="^[0-9]+$") == [0, 2]


def test_without_a_pattern_an_odd_code_is_only_unknown(make_events: Make) -> None:
    events = make_events(["u"] * 2, ["10", "POST"], [1, 2])
    assert reasons(events) == ["unknown_item"]


def test_returns_and_corrections_go(make_events: Make) -> None:
    events = make_events(
        ["u"] * 5,
        ["10"] * 5,
        [1, 2, 3, 4, 5],
        event_type=["purchase", "refund", "purchase", "purchase", "refund"],
        quantity=[1.0, 1.0, -1.0, 0.0, 0.0],
    )
    assert reasons(events) == ["return", "return", "return", "zero_quantity"]
    assert kept_rows(events) == [0]
    assert kept_rows(events, drop_returns=False) == [0, 1, 2]


def test_no_quantity_is_no_return(make_events: Make) -> None:
    events = make_events(["u"] * 2, ["10"] * 2, [1, 2], quantity=[None, 2.0])
    assert kept_rows(events) == [0, 1]


def test_impossible_prices_go_and_free_gifts_stay(make_events: Make) -> None:
    prices = [0.0, None, -1.0, nan, inf, -inf, 3.5]
    events = make_events(["u"] * 7, ["10"] * 7, range(7), price=prices)
    assert reasons(events) == ["invalid_price"] * 3 + ["negative_price"]
    assert kept_rows(events) == [0, 1, 6]


def test_a_repeat_is_the_same_user_item_time_and_type(make_events: Make) -> None:
    events = make_events(
        ["u", "u", "v", "u", "u", "u"],
        ["10", "10", "10", "11", "10", "10"],
        [1, 1, 1, 1, 2, 1],
        event_type=["purchase", "purchase", "purchase", "purchase", "purchase", "view_item"],
        quantity=[1.0, 7.0, 1.0, 1.0, 1.0, 1.0],
    )
    assert reasons(events) == ["repeat"]
    assert kept_rows(events) == [0, 2, 3, 4, 5]
    assert kept_rows(events, drop_repeats=False) == [0, 1, 2, 3, 4, 5]


def test_without_times_positions_tell_repeats() -> None:
    events = pl.DataFrame(
        {"user_id": ["u"] * 3, "item_id": ["10"] * 3, "position": [1, 1, 2], "row": [0, 1, 2]}
    )
    cleaned = clean_events(events, CATALOGUE, CleanSettings())
    assert cleaned.kept["row"].to_list() == [0, 2]


def test_users_are_counted_after_all_else_is_gone(make_events: Make) -> None:
    events = make_events(["u", "u", "u", "v", "v"], ["10", "11", "12", "10", "99"], [1, 2, 3, 1, 2])
    assert reasons(events, min_events_per_user=2) == ["unknown_item", "few_events"]
    assert kept_rows(events, min_events_per_user=2) == [0, 1, 2]


def test_a_reject_keeps_the_whole_row(make_events: Make) -> None:
    events = make_events(["u"], ["99"], [1], quantity=[2.0], colour=["red"])
    rejects = clean_events(events, CATALOGUE, CleanSettings()).rejects
    assert rejects["table"].to_list() == ["events"]
    record = rejects["record"].str.json_decode(
        pl.Struct({"item_id": pl.String, "quantity": pl.Float64, "colour": pl.String})
    )
    assert record.to_list() == [{"item_id": "99", "quantity": 2.0, "colour": "red"}]


def test_an_empty_part_stays_empty(make_events: Make) -> None:
    cleaned = clean_events(make_events([], [], []), CATALOGUE, CleanSettings())
    assert cleaned.kept.height == 0
    assert cleaned.rejects.height == 0


@pytest.mark.parametrize("left_out", ["returns", "price", "text"])
def test_a_cleaner_can_be_left_out(make_events: Make, left_out: str) -> None:
    events = make_events(["u"] * 2, ["10"] * 2, [1, 2], quantity=[1.0, -1.0], price=[-2.0, 1.0])
    names = tuple(name for name in CleanSettings().cleaners if name != left_out)
    expected = {"returns": ["negative_price"], "price": ["return"]}
    assert reasons(events, cleaners=names) == expected.get(left_out, ["return", "negative_price"])
