"""Literal reading: what one person's row says changes how no other row is read."""

import datetime as dt
import logging
import sqlite3
from decimal import Decimal
from typing import Any

import polars as pl
import pytest

from shopsynth.ingest import TableSource, list_parts, read_part
from shopsynth.ingest._cells import typed_counts, typed_ids, typed_numbers
from shopsynth.ingest._timestamps import typed_timestamps
from shopsynth.schema import PrivacyError, SourceError

TOLD: dict[str, Any] = {
    "encoding": "utf-8", "delimiter": ",", "header": True, "date_format": "%d/%m/%y %H:%M",
}  # fmt: skip
HEADER = "user_id,item_id,timestamp,price,quantity\n"
ANN = '17850.0,85123.0,01/02/10 08:26,"12,50",2\n'
EVES = {
    "a word among decimal ids": "eve,POST,01/02/10 08:26,1,1\n",
    "the month first": "17850.0,85123.0,02/28/10 08:26,1,1\n",
    "another way to write dates": "17850.0,85123.0,2010-02-01,1,1\n",
    "a decimal point": "17850.0,85123.0,01/02/10 08:26,1.25,1\n",
    "a thousand": '17850.0,85123.0,01/02/10 08:26,"1,250.00",1\n',
    "no number": "17850.0,85123.0,01/02/10 08:26,many,1\n",
    "half a piece": "17850.0,85123.0,01/02/10 08:26,1,0.5\n",
    "another delimiter": "a;b;c;d;e;f;g\n" * 3,
    "Chinese letters": "\u5f20\u4e09,POST,01/02/10 08:26,1,1\n",
}


@pytest.fixture
def literal(tmp_path):
    def read(name, path, **block):
        source = TableSource.parse({"path": path, **block}, "test")
        parts = list_parts(source, tmp_path)
        return pl.concat(
            read_part(name, source, part, tmp_path, literal=True).kept for part in parts
        )

    return read


@pytest.mark.parametrize("eve", EVES.values(), ids=EVES)
def test_anns_rows_are_the_same_with_and_without_eve(write, literal, eve):
    alone = literal("events", write("ann.csv", HEADER + ANN * 2), **TOLD)
    both = literal("events", write("both.csv", HEADER + ANN * 2 + eve), **TOLD)
    assert alone.to_dicts() == both.head(2).to_dicts()
    assert alone.row(0, named=True) == {
        "user_id": "17850.0",
        "item_id": "85123.0",
        "timestamp": dt.datetime(2010, 2, 1, 8, 26, tzinfo=dt.UTC),
        "quantity": 2.0,
        "price": 12.5,
    }


def test_a_cell_that_does_not_parse_takes_out_its_own_row(write, tmp_path, caplog):
    bad = EVES["the month first"]
    source = TableSource(path=write("e.csv", HEADER + ANN + bad * 3), **TOLD)
    (part,) = list_parts(source, tmp_path)
    with caplog.at_level(logging.WARNING):
        read = read_part("events", source, part, tmp_path, literal=True)
    assert read.kept.height == 1
    assert read.rejects["reason"].to_list() == ["unreadable_timestamp"] * 3
    assert "3 of 4 filled cells cannot be read for timestamp" in caplog.text
    with pytest.raises(SourceError, match="3 of 4 filled cells"):
        read_part("events", source, part, tmp_path)


def test_public_tables_keep_their_ways_but_for_ids(write, literal):
    items = 'item_id,price,available_at\n85123.0,"12,50",25/12/10\n1.0,"1.234",01/12/10\n'
    read = literal("items", write("items.csv", items))
    assert read["item_id"].to_list() == ["85123.0", "1.0"]
    assert read["price"].to_list() == [12.5, 1234.0]
    assert read["available_at"].dt.day().to_list() == [25, 1]


def test_what_only_the_content_shows_is_refused_when_it_is_read(write, literal):
    with pytest.raises(PrivacyError, match=r"shop\.events\.encoding.*"):
        literal("events", write("days/one.csv", HEADER + ANN).split("/")[0])
    with pytest.raises(PrivacyError, match=r"shop\.events\.columns"):
        literal("events", write("lines.csv", '{"user_id":"u","item_id":"i"}\n'), **TOLD)


def test_json_lines_are_read_one_by_one(write, literal):
    columns = {"user_id": "u", "item_id": "i", "timestamp": "t"}
    told = {"columns": columns, "date_format": "%Y-%m-%d"}
    ann = '{"u": 7, "i": "85123.0", "t": "2020-01-02"}\n'
    eve = '{"u": "eve", "i": {"x": 1}, "t": "02.01.2020", "more": 1}\n' + "no json\n" * 9
    alone = literal("events", write("a.jsonl", ann), **told)
    both = literal("events", write("b.jsonl", ann * 3 + eve), **told)
    assert alone.row(0) == both.row(0) == ("7", "85123.0", dt.datetime(2020, 1, 2, tzinfo=dt.UTC))
    assert both.columns == alone.columns


def test_typed_times_need_nothing_and_texts_a_format(tmp_path, literal):
    rows = pl.DataFrame({"user_id": ["u"], "item_id": ["i"], "timestamp": [dt.date(2020, 1, 2)]})
    rows.write_parquet(tmp_path / "typed.parquet")
    assert literal("events", "typed.parquet")["timestamp"].dt.year().to_list() == [2020]
    rows.cast({"timestamp": pl.String}).write_parquet(tmp_path / "texts.parquet")
    with pytest.raises(PrivacyError, match=r"column timestamp: .*set `date_format`"):
        literal("events", "texts.parquet")
    told = {"date_format": "%Y-%m-%d"}
    assert literal("events", "texts.parquet", **told)["timestamp"].dt.day().to_list() == [2]


@pytest.mark.parametrize("eve", [("POST", 1.5), (2.5, "many"), (1.0, 2.0), (b"x", None)])
def test_sqlite_types_each_cell_by_itself(tmp_path, literal, eve):
    def shop(name, rows):
        with sqlite3.connect(tmp_path / name) as connection:
            connection.execute("CREATE TABLE e (user_id, item_id, price, timestamp)")
            connection.executemany("INSERT INTO e VALUES (?, ?, ?, 1600000000)", rows)
        connection.close()
        return literal("events", name, date_format="%s").to_dicts()

    ann = [("ann", 85123, 3), ("ann", 71053.0, 0.1)]
    alone = shop("a.db", ann)
    assert shop("b.db", [*ann, ("eve", *eve)])[:2] == alone
    assert [(row["item_id"], row["price"]) for row in alone] == [("85123", 3.0), ("71053", 0.1)]
    assert alone[0]["timestamp"].year == 2020


def test_duckdb_types_its_columns(tmp_path, literal):
    duckdb = pytest.importorskip("duckdb")
    with duckdb.connect(tmp_path / "shop.duckdb") as connection:
        connection.execute(
            "CREATE TABLE e AS SELECT 7 user_id, 'i' item_id, TIMESTAMP '2020-01-02' AS timestamp"
        )
    read = literal("events", "shop.duckdb")
    assert read.row(0) == ("7", "i", dt.datetime(2020, 1, 2, tzinfo=dt.UTC))


def test_joined_keys_and_cells_are_literal(write, literal):
    lines = write("lines.csv", "o,sku\n1.0,85123.0\n2.0,85123.0\n")
    orders = write("orders.csv", "o,who,at\n1.0,ann,01/02/10 08:26\n1,eve,01/02/10 08:26\n")
    columns = {"user_id": "who", "item_id": "sku", "timestamp": "at"}
    told = {**TOLD, "columns": columns, "joins": [{"path": orders, "on": "o"}]}
    read = literal("events", lines, **told)
    assert read["user_id"].to_list() == ["ann", None]


def test_cells_speak_for_themselves():
    ids = typed_ids(pl.Series([Decimal("3.00"), Decimal("2.50")]), literal=True)
    assert (ids.values.to_list(), ids.bad.to_list()) == (["3", None], [False, True])
    alone = typed_ids(pl.Series([Decimal("2.50")]), literal=True)
    assert alone.bad.to_list() == [True]
    numbers = typed_numbers(pl.Series(["1.234", "12,50", "$1,250.00", "1e3", ""]), literal=True)
    assert numbers.values.to_list() == [1.234, 12.5, 1250.0, 1000.0, None]
    assert typed_counts(pl.Series(["3", "2,5"]), literal=True).values.to_list() == [3, None]


def test_fractional_numbers_are_times_since_1970_whoever_else_is_there():
    def read(cells):
        made = typed_timestamps(
            pl.Series(cells), date_format=None, timezone="UTC", where="test", literal=True
        )
        return made.values.to_list()

    assert read([20101201.0, 1.6e9]) == read([20101201.0, 1.6e9, 1.5])[:2]
    assert read([1.6e9])[0] == dt.datetime(2020, 9, 13, 12, 26, 40, tzinfo=dt.UTC)
