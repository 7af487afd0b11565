"""A table written as CSV, JSON lines or Parquet reads back as the same Dataset."""

import datetime as dt
import tempfile
from pathlib import Path

import polars as pl
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from shopsynth.ingest import ShopSettings, TableSource, read_shop
from shopsynth.schema import TIMESTAMP, Dataset

IDS = st.from_regex(r"[a-z][a-z0-9 ,;\"'é红]{0,8}", fullmatch=True).filter(
    lambda text: text.lower() not in {"nan", "null", "none"}
)
TEXTS = st.none() | st.text(
    st.characters(exclude_categories=["Cs", "Cc"], include_characters="\n"), min_size=1, max_size=20
).filter(str.strip)
TIMES = st.datetimes(dt.datetime(1990, 1, 1), dt.datetime(2035, 1, 1))  # noqa: DTZ001
NUMBERS = st.none() | st.floats(-1e6, 1e6, allow_nan=False)
ROWS = st.lists(st.tuples(IDS, IDS, TIMES, NUMBERS, TEXTS), min_size=1, max_size=12)


@given(ROWS)
@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
def test_every_format_reads_back_the_same_shop(rows):
    frame = (
        pl.DataFrame(
            rows, schema=["user_id", "item_id", "timestamp", "price", "note"], orient="row"
        )
        .cast({"timestamp": pl.Datetime("us"), "price": pl.Float64, "note": pl.String})
        .with_columns(pl.col("timestamp").dt.replace_time_zone("UTC").cast(TIMESTAMP))
    )
    items = frame.select("item_id").unique(maintain_order=True)
    expected = Dataset(items=items, events=frame)
    with tempfile.TemporaryDirectory() as name:
        base = Path(name)
        as_text = frame.with_columns(pl.col("timestamp").dt.strftime("%Y-%m-%dT%H:%M:%S%.6fZ"))
        as_text.write_csv(base / "events.csv")
        as_text.write_ndjson(base / "events.jsonl")
        frame.write_parquet(base / "events.parquet")
        for file in ("events.csv", "events.jsonl", "events.parquet"):
            shop = ShopSettings(events=TableSource(path=file))
            data, rejects = read_shop(shop, base)
            assert rejects.height == 0
            for table, wanted in expected.tables().items():
                assert_frame_equal(data.need(table), wanted)
