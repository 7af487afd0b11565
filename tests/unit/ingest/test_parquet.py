"""Parquet: types of the file, ranges of rows, broken files."""

import datetime as dt

import polars as pl
import pytest

from shopsynth.ingest import SourcePart, TableSource, list_parts, part_fingerprint, read_part
from shopsynth.ingest.parquet import _row_ranges
from shopsynth.schema import SourceError

EVENTS = pl.DataFrame(
    {
        "user_id": [1.0, float("nan"), 3.0, 4.0],
        "item_id": ["a", "b", "c", "d"],
        "timestamp": [dt.datetime(2020, 1, day, tzinfo=dt.UTC) for day in (1, 2, 3, 4)],
        "channel": pl.Series(["app", "web", "app", "web"], dtype=pl.Categorical),
    }
)


@pytest.fixture
def path(tmp_path):
    EVENTS.write_parquet(tmp_path / "events.parquet", row_group_size=1)
    return "events.parquet"


def test_typed_columns_are_kept_or_brought_to_the_standard(path, read):
    kept = read("events", path).kept
    assert kept["user_id"].to_list() == ["1", None, "3", "4"]
    assert kept["timestamp"].to_list() == EVENTS["timestamp"].to_list()
    assert kept["channel"].to_list() == ["app", "web", "app", "web"]


def test_parts_are_ranges_that_can_be_read_alone(path, tmp_path, monkeypatch):
    monkeypatch.setattr("shopsynth.ingest.parquet._MAX_PART_ROWS", 3)
    source = TableSource(path=path)
    parts = list_parts(source, tmp_path)
    assert [(part.start, part.n_rows) for part in parts] == [(0, 3), (3, 1)]
    last = read_part("events", source, SourcePart.from_json(parts[1].to_json()), tmp_path)
    assert last.kept["item_id"].to_list() == ["d"]
    prints = {part_fingerprint(part, source, tmp_path) for part in parts}
    assert len(prints) == 2
    assert all("/" not in part.path for part in parts)


def test_a_large_row_group_is_cut():
    assert _row_ranges([4_000_000]) == [
        (0, 1_333_334), (1_333_334, 1_333_334), (2_666_668, 1_333_332)
    ]  # fmt: skip
    assert _row_ranges([10, 4_000_000, 5])[0] == (0, 10)
    assert _row_ranges([10, 4_000_000, 5])[-1] == (4_000_010, 5)
    assert _row_ranges([]) == [(0, 0)]


def test_the_fingerprint_follows_the_content(path, tmp_path):
    source = TableSource(path=path)
    before = part_fingerprint(list_parts(source, tmp_path)[0], source, tmp_path)
    EVENTS.head(2).write_parquet(tmp_path / path)
    assert part_fingerprint(list_parts(source, tmp_path)[0], source, tmp_path) != before


def test_a_file_that_was_cut_off(path, tmp_path, write, read):
    whole = (tmp_path / path).read_bytes()
    with pytest.raises(SourceError, match="its end is missing"):
        read("events", write("cut.parquet", whole[: len(whole) // 2]))


def test_damage_inside(path, tmp_path, write, read):
    whole = bytearray((tmp_path / path).read_bytes())
    whole[-200:-8] = bytes(192)
    with pytest.raises(SourceError, match=r"hurt\.parquet.*damaged"):
        read("events", write("hurt.parquet", bytes(whole)))


def test_no_parquet_at_all_and_no_rows(write, read, tmp_path):
    with pytest.raises(SourceError, match="does not begin like one"):
        read("events", write("fake.parquet", "user_id,item_id\n"), format="parquet")
    EVENTS.clear().write_parquet(tmp_path / "none.parquet")
    with pytest.raises(SourceError, match="only column names"):
        read("events", "none.parquet")


def test_ten_megabytes_in_a_cell(tmp_path, read):
    frame = pl.DataFrame({"item_id": ["a", "b"], "title": ["shoe", "x" * (10 << 20)]})
    frame.write_parquet(tmp_path / "items.parquet")
    cleaned = read("items", "items.parquet")
    assert cleaned.kept["item_id"].to_list() == ["a"]
    assert cleaned.rejects["reason"].to_list() == ["cell_too_large"]
