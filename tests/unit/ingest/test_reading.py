"""Whole shops: settings, distinct things, joins, the catalogue of events."""

import polars as pl
import pytest

from shopsynth.ingest import (
    READERS,
    ShopSettings,
    SourcePart,
    TableSource,
    items_named_by,
    list_parts,
    part_fingerprint,
    read_part,
    read_shop,
)
from shopsynth.schema import RecipeError, SourceError, UnknownNameError

ORDERS = (
    "order,customer,code,name,when\n"
    "1,ann,a,shoe,2020-01-01\n1,ann,b,hat,2020-01-01\n2,bob,a,shoe,2020-01-02\n2,bob,a,boot,2020-01-03\n"
)
ITEMS = {"item_id": "code", "title": "name"}
EVENTS = {"user_id": "customer", "item_id": "code", "timestamp": "when"}


class CountingProgress:
    """Remembers what it was told."""

    def __init__(self):
        self.told = []

    def start(self, label, total):
        self.told.append((label, total))

    def advance(self, steps=1):
        self.told.append(steps)


def shop_of(**blocks):
    return ShopSettings.parse(blocks, "test")


def test_one_order_file_feeds_items_and_events(write, tmp_path):
    path = write("orders.csv", ORDERS)
    shop = shop_of(items={"path": path, "columns": ITEMS}, events={"path": path, "columns": EVENTS})
    progress = CountingProgress()
    data, rejects = read_shop(shop, tmp_path, progress)
    assert data.items.rows() == [("a", "shoe", 2), ("b", "hat", 1), ("a", "boot", 1)]
    assert data.items.columns == ["item_id", "title", "n_rows"]
    assert data.need("events").height == 4
    assert rejects.height == 0
    assert progress.told == [("ingest", 2), 1, 1]


def test_counts_of_items_add_up_over_parts(write, tmp_path):
    write("days/1.csv", "item_id,title\na,shoe\na,shoe\n")
    write("days/2.csv", "item_id,title\na,shoe\nb,hat\n")
    data, _ = read_shop(shop_of(items={"path": "days"}), tmp_path)
    assert data.items.rows() == [("a", "shoe", 3), ("b", "hat", 1)]


def test_without_a_catalogue_the_items_are_those_of_the_events(write, tmp_path):
    path = write("orders.csv", ORDERS)
    data, _ = read_shop(shop_of(events={"path": path, "columns": EVENTS}), tmp_path)
    assert data.items["item_id"].to_list() == ["a", "b"]
    assert items_named_by(data.need("events")).columns == ["item_id"]


def test_users_and_queries_are_kept_once(write, tmp_path):
    path = write("pairs.csv", "term,sku,grade,who\nhat,a,3,ann\nhat,b,1,ann\n")
    query = {"query_id": "term", "text": "term"}
    data, _ = read_shop(
        shop_of(
            items={"path": path, "columns": {"item_id": "sku"}},
            users={"path": path, "columns": {"user_id": "who"}},
            queries={"path": path, "columns": query},
            judgments={
                "path": path,
                "columns": {"query_id": "term", "item_id": "sku", "grade": "grade"},
            },
        ),
        tmp_path,
    )
    assert data.counts() == {"items": 2, "users": 1, "queries": 1, "judgments": 2}
    assert data.need("queries").row(0) == ("hat", "hat")


def test_attributes_of_a_default_shop_travel_along(write, tmp_path):
    data, _ = read_shop(
        shop_of(items={"path": write("i.csv", "item_id,colour\na,red\n")}), tmp_path
    )
    assert data.items.to_dict(as_series=False) == {"item_id": ["a"], "colour": ["red"]}


JOINED = {
    "path": "lines.csv",
    "columns": {"user_id": "person", "item_id": "sku", "timestamp": "at"},
    "joins": [{"path": "orders.csv", "on": "order"}, {"path": "people.csv", "on": "account"}],
}


@pytest.fixture
def joined(write):
    write("lines.csv", "order,sku\n2.0,a\n1.0,b\n1.0,c\n9.0,d\n")
    write("orders.csv", "order,account,at\n1,x,2020-01-01\n2,y,2020-01-02\n")
    write("people.csv", "account,person\nx,ann\ny,bob\n")
    return write


def test_order_lines_get_who_and_when_by_joins(joined, read):
    kept = read("events", **JOINED).kept
    assert kept.select("user_id", "item_id").rows() == [
        ("bob", "a"), ("ann", "b"), ("ann", "c"), (None, "d")
    ]  # fmt: skip


def test_a_joined_table_counts_in_the_fingerprint(joined, tmp_path):
    source = TableSource.parse(JOINED, "test")
    [part] = list_parts(source, tmp_path)
    before = part_fingerprint(part, source, tmp_path)
    joined("people.csv", "account,person\nx,ann\ny,eve\n")
    assert part_fingerprint(part, source, tmp_path) != before


def test_a_join_may_not_multiply_rows_and_needs_its_key(joined, read):
    joined("people.csv", "account,person\nx,ann\nx,eve\n")
    with pytest.raises(
        SourceError, match=r"people\.csv: expected every value of account once.*2 rows"
    ):
        read("events", **JOINED)
    joined("people.csv", "id,person\nx,ann\n")
    with pytest.raises(SourceError, match=r"people\.csv: expected the key column account"):
        read("events", **JOINED)


def test_constants_are_typed_like_columns(write, read):
    path = write("log.csv", "user_id,item_id\nann,a\n")
    kept = read("events", path, defaults={"timestamp": "2020-01-01", "position": 3}).kept
    assert kept["timestamp"].dt.year().to_list() == [2020]
    assert kept["position"].to_list() == [3]
    with pytest.raises(SourceError, match="default of timestamp: 1 of 1"):
        read("events", path, defaults={"timestamp": "yesterday"})


def test_a_part_survives_json(tmp_path, write):
    source = TableSource(path=write("items.csv", "item_id\na\n"))
    [part] = list_parts(source, tmp_path)
    copy = SourcePart.from_json(part.to_json())
    assert copy == part
    assert read_part("items", source, copy, tmp_path).kept["n_rows"].dtype == pl.Int64


@pytest.mark.parametrize(("blocks", "what"), [
    ({"users": {"path": "u.csv"}}, "needs \\[shop.items\\], \\[shop.events\\] or"),
    ({"items": {"path": "i.csv", "colums": {}}}, "colums.*did you mean 'columns'"),
    (
        {"events": {"path": "e.csv", "columns": {"price": "p"}, "defaults": {"price": 1}}},
        "price: in both columns and defaults",
    ),
])  # fmt: skip
def test_settings_that_cannot_be_obeyed(blocks, what):
    with pytest.raises(RecipeError, match=what):
        shop_of(**blocks)


def test_readers_are_registered_under_their_files_names(write, read):
    assert {"atomic", "database", "delimited", "embedded", "json_lines", "parquet"} == set(
        READERS.names()
    )
    with pytest.raises(UnknownNameError, match="did you mean 'parquet'"):
        read("items", write("items.csv", "item_id\na\n"), format="parket")
