"""Dates however they are written, and the dates that are none."""

import datetime as dt
import logging

import polars as pl
import pytest

from shopsynth.ingest._cells import TypedCells
from shopsynth.ingest._timestamps import DayOrderEvidence, day_order_evidence, typed_timestamps
from shopsynth.schema import TIMESTAMP, SourceError

JUNE = dt.datetime(2019, 6, 16, tzinfo=dt.UTC)
EVENING = dt.datetime(2019, 6, 16, 20, 5, 9, tzinfo=dt.UTC)


def typed(cells: list[object], date_format: str | None = None, timezone: str = "UTC") -> TypedCells:
    return typed_timestamps(
        pl.Series(cells, strict=False), date_format=date_format, timezone=timezone, where="t.csv"
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2019-06-16", JUNE),
        ("2019/6/16", JUNE),
        ("20190616", JUNE),
        ("20190616200509", EVENING),
        ("2019-06-16 20:05:09", EVENING),
        ("2019-06-16T20:05:09Z", EVENING),
        ("2019-06-16T20:05:09.000", EVENING),
        ("2019-06-16 22:05:09+02:00", EVENING),
        ("2019-06-16 14:35:09-0530", EVENING),
        ("16.06.2019 20:05:09", EVENING),
        ("6/16/19 8:05:09 PM", EVENING),
        ("06 16, 2019", JUNE),
        ("Jun 16, 2019", JUNE),
        ("June 16, 2019 20:05:09", EVENING),
        ("Sun, 16 Jun 2019 20:05:09 GMT", EVENING),
        ("16-Jun-19", JUNE),
        ("2019年6月16日", JUNE),
        ("2019年06月16日 20时05分09秒", EVENING),
        ("1560715509", EVENING),
        ("1560715509.0", EVENING),
        ("1560715509000", EVENING),
    ],
)
def test_a_date_is_read_however_it_is_written(text: str, expected: dt.datetime) -> None:
    result = typed([text])
    assert result.values.to_list() == [expected]
    assert result.values.dtype == TIMESTAMP


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        ([20190616], JUNE),
        ([1560715509], EVENING),
        ([1560715509000], EVENING),
        ([1560715509000000], EVENING),
        ([1560715509000000000], EVENING),
        ([1560715509.0], EVENING),
        ([dt.date(2019, 6, 16)], JUNE),
        ([dt.datetime(2019, 6, 16, 20, 5, 9)], EVENING),  # noqa: DTZ001 - naive on purpose
        ([EVENING.astimezone(dt.timezone(dt.timedelta(hours=3)))], EVENING),
    ],
)
def test_typed_columns_are_read(cells: list[object], expected: dt.datetime) -> None:
    assert typed(cells).values.to_list() == [expected]


def test_fractions_of_an_epoch_second_count() -> None:
    assert typed([1560715509.25]).values.to_list() == [EVENING.replace(microsecond=250_000)]
    assert typed(["1560715509.25"]).values.to_list() == [EVENING.replace(microsecond=250_000)]


def test_impossible_dates_are_bad_and_empty_ones_are_not() -> None:
    result = typed(["2011-02-30", "2011-02-28", "", "NaN", None, "soon", "25:61"])
    assert result.bad.to_list() == [True, False, False, False, False, True, True]
    assert result.reason == "unreadable_timestamp"
    assert typed([20110230, 20110228]).bad.to_list() == [True, False]
    assert typed([3, 4]).bad.all()


def test_times_without_zone_are_taken_in_the_given_zone() -> None:
    assert typed(["2019-06-16 21:05:09"], timezone="Europe/London").values.to_list() == [EVENING]
    skipped = typed(["2011-03-27 01:30:00"], timezone="Europe/London")
    assert skipped.bad.to_list() == [True]


def test_one_row_decides_the_order_of_day_and_month_for_the_column() -> None:
    month_first = typed(["1/2/19 10:00", "6/16/19 0:00"]).values.to_list()
    assert month_first == [dt.datetime(2019, 1, 2, 10, tzinfo=dt.UTC), JUNE]
    day_first = typed(["1/2/19 10:00", "16/6/19 0:00"]).values.to_list()
    assert day_first == [dt.datetime(2019, 2, 1, 10, tzinfo=dt.UTC), JUNE]


def test_an_open_order_of_day_and_month_is_asked_for() -> None:
    with pytest.raises(SourceError, match=r"t\.csv.*all 2 rows could be either.*date_format"):
        typed(["1/2/10", "3/4/10"])


def test_contradictory_orders_are_asked_for() -> None:
    with pytest.raises(SourceError, match="1 rows prove the day first and 1 the month"):
        typed(["25/12/10", "12/25/10", "1/2/10"])


def test_other_parts_can_settle_the_order() -> None:
    result = typed_timestamps(
        pl.Series(["1/2/10"]),
        date_format=None,
        timezone="UTC",
        where="t.csv",
        elsewhere=lambda: DayOrderEvidence(day_first=4),
    )
    assert result.values.to_list() == [dt.datetime(2010, 2, 1, tzinfo=dt.UTC)]


def test_a_given_format_is_obeyed() -> None:
    expected = [dt.datetime(2010, 7, 6, tzinfo=dt.UTC)]
    assert typed(["06/07/10"], "%d/%m/%y").values.to_list() == expected
    assert typed(["06/07/10 00:00"], "%d/%m/%y %H:%M").values.to_list() == expected
    zoned = typed(["2019-06-16 22:05:09 +0200"], "%Y-%m-%d %H:%M:%S %z")
    assert zoned.values.to_list() == [EVENING]


def test_two_formats_in_one_column_are_read_and_told(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, logger="shopsynth"):
        result = typed(["2019-06-16", "6/16/19 20:05:09"])
    assert result.values.to_list() == [JUNE, EVENING]
    assert "2 date formats" in caplog.text


def test_evidence_counts_rows() -> None:
    cells = pl.Series(["12/31/10", "31/12/10", "1/2/10", "2010-01-01", None])
    assert day_order_evidence(cells) == DayOrderEvidence(1, 1, 1)
    assert day_order_evidence(pl.Series([1, 2])) == DayOrderEvidence()
