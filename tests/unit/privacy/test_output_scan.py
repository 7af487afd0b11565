"""scan_release: planted identifiers are counted where they stand, and never told."""

import polars as pl
import pytest

from shopsynth.privacy import scan_release

REAL = {
    "events": pl.DataFrame({"user_id": ["ann", "bob"], "session_id": ["s1", "s2"]}),
}


def test_a_clean_release_has_no_row():
    made = {"events": pl.DataFrame({"user_id": ["a1", "b2"], "item_id": ["ann", "x"]})}
    assert scan_release(made, REAL).height == 0


@pytest.mark.parametrize("column", ["user_id", "session_id"])
def test_an_identifier_of_the_input_is_counted(column):
    planted = REAL["events"][column][0]
    made = {"events": pl.DataFrame({column: [planted, "new", planted]})}
    assert scan_release(made, REAL).rows() == [("events", column, "input_identifier", 2)]


def test_equal_texts_count_as_often_as_they_stand_and_kinds_apart():
    text = "call 13812345678 or write to ann@shop.example"
    made = {"reviews": pl.DataFrame({"text": [text, text, "nice mug", None]})}
    found = scan_release(made, REAL)
    assert found.select("table", "column", "kind", "rows").rows() == [
        ("reviews", "text", "EMAIL", 2),
        ("reviews", "text", "PHONE", 2),
    ]
    assert "ann@" not in str(found.rows())


def test_numbers_and_codes_are_no_texts():
    made = {"events": pl.DataFrame({"quantity": [1.0], "event_type": ["13812345678"]})}
    assert scan_release(made, REAL).height == 0
