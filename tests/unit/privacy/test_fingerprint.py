"""The source fingerprint depends on every cell and on nothing else."""

from datetime import UTC, date, datetime
from decimal import Decimal

import polars as pl
import pytest

from shopsynth.privacy import PrivacySettings, open_view, source_fingerprint
from shopsynth.privacy.fingerprint import keyed_fingerprint
from shopsynth.schema import Dataset


def shop(**changes):
    events = pl.DataFrame(
        {
            "user_id": ["u1", "u1", "u2", "u2"],
            "item_id": ["a", "b", "a", "c"],
            "timestamp": [datetime(2024, 1, day, tzinfo=UTC) for day in (1, 2, 3, 4)],
            "quantity": [1.0, None, 2.0, 3.0],
            "gift": [True, False, None, True],
        },
        schema_overrides={"timestamp": pl.Datetime("us", "UTC")},
    )
    return Dataset(
        items=pl.DataFrame({"item_id": ["a", "b", "c"], "title": ["x", "", None]}),
        events=events.with_columns(**changes),
    )


BASE = source_fingerprint(shop())


def test_the_order_of_rows_and_attributes_does_not_count():
    data = shop()
    shuffled = Dataset(
        items=data.items.reverse(),
        events=data.events.sample(fraction=1.0, shuffle=True, seed=3).select(
            "gift", "quantity", "timestamp", "item_id", "user_id"
        ),
    )
    assert source_fingerprint(shuffled) == BASE


@pytest.mark.parametrize(
    "changes",
    [
        {"item_id": pl.Series(["a", "b", "a", "b"])},
        {"quantity": pl.Series([1.0, 0.0, 2.0, 3.0])},
        {"gift": pl.Series([True, False, False, True])},
        {"timestamp": pl.col("timestamp") + pl.duration(microseconds=1)},
        {"colour": pl.lit("red")},
    ],
)
def test_any_change_of_a_cell_counts(changes):
    assert source_fingerprint(shop(**changes)) != BASE


def test_an_empty_text_is_not_a_missing_one():
    items = pl.DataFrame({"item_id": ["a", "b"], "title": ["", None]})
    swapped = items.with_columns(title=pl.Series([None, ""]))
    assert source_fingerprint(Dataset(items=items)) != source_fingerprint(Dataset(items=swapped))


def test_letters_do_not_move_between_cells():
    one = Dataset(items=pl.DataFrame({"item_id": ["a", "b"], "title": ["xy", "z"]}))
    other = Dataset(items=pl.DataFrame({"item_id": ["a", "b"], "title": ["x", "yz"]}))
    assert source_fingerprint(one) != source_fingerprint(other)


@pytest.mark.parametrize(
    ("values", "others"),
    [
        ([[1, 2], [3]], [[1], [2, 3]]),
        ([{"a": 1}, {"a": 2}], [{"a": 1}, {"a": 3}]),
        ([date(2024, 1, 1), None], [date(2024, 1, 2), None]),
        ([b"\xff", b"x"], [b"\xfe", b"x"]),
        ([Decimal("1.10"), Decimal("2.00")], [Decimal("1.11"), Decimal("2.00")]),
    ],
)
def test_attributes_of_any_type_count(values, others):
    made = [
        source_fingerprint(
            Dataset(items=pl.DataFrame({"item_id": ["a", "b"], "attribute": pl.Series(cells)}))
        )
        for cells in (values, values, others)
    ]
    assert made[0] == made[1]
    assert made[0] != made[2]


def test_zero_has_no_sign_and_nan_one_pattern():
    made = {
        source_fingerprint(Dataset(items=pl.DataFrame({"item_id": ["a"], "price": [price]})))
        for price in (0.0, -0.0)
    }
    assert len(made) == 1


def test_the_digest_is_pinned():
    """A stored fingerprint must be found again by every later version."""
    data = Dataset(items=pl.DataFrame({"item_id": ["a", "b"], "price": [1.5, None]}))
    assert source_fingerprint(data) == (
        "22136f86400241de49967c31512633525502464245f50ee8dfd48740c9ae5f3e"
    )


def test_only_who_has_the_key_can_check_a_guess_of_the_rows():
    keys = b"one key that nobody has", b"another key that nobody has"
    told = {keyed_fingerprint(shop(), key) for key in keys} | {BASE}
    assert len(told) == 3
    view, _ = open_view(shop(), PrivacySettings(mode="deidentify"), keys[0])
    assert view.fingerprint == keyed_fingerprint(shop(), keys[0])
    view, _ = open_view(shop(), PrivacySettings(mode="public"), keys[0])
    assert view.fingerprint == BASE
