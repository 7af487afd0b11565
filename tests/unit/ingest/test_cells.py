"""Ids, numbers and text: what a cell means, and what cannot be typed."""

import datetime as dt
from decimal import Decimal

import polars as pl
import pytest

from shopsynth.ingest._cells import (
    as_attribute,
    typed_counts,
    typed_ids,
    typed_numbers,
    typed_text,
)


def test_float_ids_become_whole_and_nan_becomes_empty() -> None:
    typed = typed_ids(pl.Series([17850.0, float("nan"), None, 2.5, float("inf")]))
    assert typed.values.to_list() == ["17850", None, None, None, None]
    assert typed.bad.to_list() == [False, False, False, True, True]
    assert typed.reason == "fractional_id"


def test_text_ids_that_passed_through_a_float_column_lose_the_fraction() -> None:
    typed = typed_ids(pl.Series(["17850.0", "12345.0", "", "nan", "7.5", "9"]))
    assert typed.values.to_list() == ["17850", "12345", None, None, None, "9"]
    assert typed.bad.to_list() == [False, False, False, False, True, False]


def test_text_ids_with_letters_stay_as_they_are() -> None:
    typed = typed_ids(pl.Series(["85123A", "71053.0", "007"]))
    assert typed.values.to_list() == ["85123A", "71053.0", "007"]
    assert not typed.bad.any()


def test_version_like_ids_stay_as_they_are() -> None:
    assert typed_ids(pl.Series(["1.5", "2.25", "3.0"])).values.to_list() == ["1.5", "2.25", "3.0"]


def test_integer_boolean_and_decimal_ids_become_text() -> None:
    assert typed_ids(pl.Series([7, None])).values.to_list() == ["7", None]
    assert typed_ids(pl.Series([True])).values.to_list() == ["true"]
    assert typed_ids(pl.Series([Decimal("3.00")])).values.to_list() == ["3"]


def test_an_empty_column_of_ids_is_empty() -> None:
    assert typed_ids(pl.Series([None], dtype=pl.String)).values.to_list() == [None]


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        (["1", " 2.5 ", "-3", "1e3"], [1.0, 2.5, -3.0, 1000.0]),
        (["$1,250.00", "£3.50", "2 €"], [1250.0, 3.5, 2.0]),
        (["USD 12.00", "12.00 EUR"], [12.0, 12.0]),
        (["2,55", "1.234,00", "1.234"], [2.55, 1234.0, 1234.0]),
        (["1,234", "12"], [1234.0, 12.0]),
        (["¥12元"], [12.0]),
        (["NaN", "", "N/A", "-"], [None] * 4),
    ],
)
def test_numbers_are_read_however_they_are_written(
    cells: list[str], expected: list[float | None]
) -> None:
    typed = typed_numbers(pl.Series(cells))
    assert typed.values.to_list() == expected
    assert not typed.bad.any()


def test_words_and_infinity_are_unreadable_numbers() -> None:
    typed = typed_numbers(pl.Series(["many", "inf", "1", None]))
    assert typed.bad.to_list() == [True, True, False, False]
    assert typed.values.to_list() == [None, None, 1.0, None]
    assert typed_numbers(pl.Series([float("inf"), float("nan")])).bad.to_list() == [True, False]


def test_counts_are_whole() -> None:
    typed = typed_counts(pl.Series(["3", "2.5", "4.0", None]))
    assert typed.values.to_list() == [3, None, 4, None]
    assert typed.bad.to_list() == [False, True, False, False]
    assert typed_counts(pl.Series([1, 2], dtype=pl.UInt8)).values.dtype == pl.Int64


def test_text_of_every_kind() -> None:
    assert typed_text(pl.Series(["", "a", None])).values.to_list() == [None, "a", None]
    assert typed_text(pl.Series([["a", "b"], None])).values.to_list() == ["a > b", None]
    assert typed_text(pl.Series([{"a": 1}, None])).values.to_list() == ['{"a":1}', None]
    assert typed_text(pl.Series([[1, 2]])).values.to_list() == ["[1,2]"]
    assert typed_text(pl.Series([b"abc"])).values.to_list() == ["abc"]
    assert typed_text(pl.Series([5])).values.to_list() == ["5"]
    assert typed_text(pl.Series(["x"], dtype=pl.Categorical)).values.dtype == pl.String


def test_attributes_get_one_of_a_few_types() -> None:
    assert as_attribute(pl.Series([1], dtype=pl.UInt16)).dtype == pl.Int64
    assert as_attribute(pl.Series([1], dtype=pl.Float32)).dtype == pl.Float64
    assert as_attribute(pl.Series([Decimal("1.5")])).dtype == pl.Float64
    assert as_attribute(pl.Series([True])).dtype == pl.Boolean
    assert as_attribute(pl.Series([dt.date(2020, 1, 1)])).dtype == pl.Date
    assert as_attribute(pl.Series([["a"]])).to_list() == ["a"]
