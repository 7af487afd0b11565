"""ReportContext: refuses frames that the page could not print."""

from dataclasses import replace

import polars as pl
import pytest

from shopsynth.schema import SchemaError


def test_missing_columns_are_named_all_at_once(context):
    with pytest.raises(SchemaError) as caught:
        replace(context, rejects=pl.DataFrame({"reason": ["x"]}), samples=pl.DataFrame())
    assert "table, n" in str(caught.value)
    assert "user_id, item_id, title" in str(caught.value)


def test_times_must_be_utc_microseconds(context):
    naive = context.samples.with_columns(pl.col("timestamp").dt.replace_time_zone(None))
    with pytest.raises(SchemaError, match="timestamp"):
        replace(context, samples=naive)


def test_samples_need_no_time(context):
    kept = replace(context, samples=context.samples.drop("timestamp"))
    assert kept.samples.width == context.samples.width - 1
