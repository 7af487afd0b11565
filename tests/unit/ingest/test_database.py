"""SQLite and DuckDB files, by URL and by name, and servers that do not answer."""

import sqlite3
import sys

import duckdb
import pytest

from shopsynth.ingest import TableSource, list_parts, part_fingerprint
from shopsynth.ingest.database import table_names
from shopsynth.schema import MissingExtraError, SourceError

COLUMNS = {"user_id": "u", "item_id": 'the "item"', "timestamp": "t"}


@pytest.fixture
def sqlite(tmp_path):
    with sqlite3.connect(tmp_path / "shop.db") as connection:
        connection.execute('CREATE TABLE "my ""orders""" (u, "the ""item""", t TEXT, price, note)')
        connection.executemany(
            'INSERT INTO "my ""orders""" VALUES (?, ?, ?, ?, ?)',
            [
                (2, 1.0, "2020-01-02", 1, b"x"),
                (1, 2.5, "2020-01-01", 2.5, None),
                (1, 3.0, None, None, 7),
            ],
        )
        connection.execute("CREATE TABLE empty (item_id TEXT)")
    connection.close()
    return tmp_path / "shop.db"


@pytest.fixture
def duck(tmp_path):
    connection = duckdb.connect(tmp_path / "shop.duckdb")
    connection.execute(
        "CREATE TABLE events AS SELECT range % 3 AS user_id, 'i' || range AS item_id, "
        "TIMESTAMPTZ '2020-01-01 00:00:00+00' + to_days(range::INT) AS timestamp FROM range(5)"
    )
    connection.execute("CREATE SCHEMA sales; CREATE VIEW sales.all_events AS FROM events")
    connection.close()
    return tmp_path / "shop.duckdb"


@pytest.mark.parametrize("path", ["sqlite:///shop.db", "shop.db"])
def test_sqlite_rows_keep_their_order_and_their_types(sqlite, read, path):
    table = 'my "orders"'
    cleaned = read("events", path, table=table, columns=COLUMNS, attributes=["note"])
    assert cleaned.kept["user_id"].to_list() == ["2", "1"]
    assert cleaned.kept["note"].to_list() == ["x", "7"]
    assert cleaned.rejects["reason"].to_list() == ["fractional_id"]


def test_an_absolute_url(sqlite, read):
    kept = read("items", f"sqlite:///{sqlite}", table='my "orders"', columns={"item_id": "u"}).kept
    assert kept["item_id"].to_list() == ["2", "1"]
    assert kept["n_rows"].to_list() == [1, 2]


@pytest.mark.parametrize(("path", "table"), [
    ("duckdb:///shop.duckdb", "events"), ("shop.duckdb", "sales.all_events"),
])  # fmt: skip
def test_duckdb_tables_and_views(duck, read, path, table):
    kept = read("events", path, table=table).kept
    assert kept["item_id"].to_list() == ["i0", "i1", "i2", "i3", "i4"]
    assert kept["timestamp"].dt.day().to_list() == [1, 2, 3, 4, 5]


def test_tables_are_listed(duck, sqlite, tmp_path):
    assert table_names("duckdb:///shop.duckdb", tmp_path) == ["events", "sales.all_events"]
    assert table_names("shop.db", tmp_path) == ["empty", 'my "orders"']


def test_the_same_rows_give_the_same_fingerprint(sqlite, tmp_path):
    source = TableSource(path="sqlite:///shop.db", table='my "orders"')

    def fingerprint():
        return part_fingerprint(list_parts(source, tmp_path)[0], source, tmp_path)

    before = fingerprint()
    connection = sqlite3.connect(sqlite)
    connection.execute("CREATE INDEX i ON empty (item_id)")
    connection.execute("VACUUM")
    connection.close()
    assert fingerprint() == before
    with sqlite3.connect(sqlite) as connection:
        connection.execute('UPDATE "my ""orders""" SET note = 8 WHERE u = 2')
    connection.close()
    assert fingerprint() != before


@pytest.mark.parametrize(("table", "what"), [
    (None, r"expected `table` to say which.*there are 2: empty, my \"orders\""),
    ("emty", "no table emty; did you mean 'empty'"),
    ("empty", "found only column names"),
])  # fmt: skip
def test_the_table_must_be_named_exist_and_have_rows(sqlite, read, table, what):
    with pytest.raises(SourceError, match=what):
        read("items", "sqlite:///shop.db", table=table)


def test_missing_wrong_and_damaged_files(duck, write, read, tmp_path):
    with pytest.raises(SourceError, match=r"no such database file.*four slashes"):
        read("items", "sqlite:///nowhere.db")
    with pytest.raises(SourceError, match="expected a sqlite file, the content is duckdb"):
        read("items", "sqlite:///shop.duckdb")
    with pytest.raises(SourceError, match="neither SQLite nor DuckDB"):
        read("items", write("no.db", "hello world, this is text"), format="database")
    with pytest.raises(SourceError, match="expected a sound SQLite database"):
        read("items", write("bad.db", b"SQLite format 3\x00" + bytes(range(256)) * 8))
    damaged = bytearray(duck.read_bytes())
    damaged[4096:12000] = bytes(7904)
    with pytest.raises(SourceError, match="expected a sound DuckDB database"):
        read("items", write("bad.duckdb", bytes(damaged)))


def test_messages_keep_the_login_to_themselves(read):
    with pytest.raises(
        SourceError, match=r"postgresql://127\.0\.0\.1:1/shop: expected an ans"
    ) as info:
        read("items", "postgresql://ann:secret@127.0.0.1:1/shop", table="items")
    assert "secret" not in str(info.value)
    assert "ann" not in str(info.value)


def test_urls_that_nobody_can_read(read):
    with pytest.raises(SourceError, match="that SQLAlchemy knows"):
        read("items", "s3://bucket/items.csv")


@pytest.mark.parametrize(("module", "path"), [
    ("duckdb", "duckdb:///shop.duckdb"), ("sqlalchemy", "postgresql://127.0.0.1/shop"),
    ("psycopg", "postgresql://127.0.0.1/shop"),
])  # fmt: skip
def test_a_missing_library_names_the_extra(duck, read, monkeypatch, module, path):
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(MissingExtraError, match=r"pip install 'shopsynth\[sql\]'"):
        read("items", path, table="events")
