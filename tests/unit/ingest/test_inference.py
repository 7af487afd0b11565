"""Shops that nobody described, with planted roles."""

import sqlite3
import tomllib

import pytest

from shopsynth.ingest import ShopSettings, infer_shop, read_shop
from shopsynth.schema import SourceError

DAYS = [f"2020-01-{day:02d}" for day in range(1, 29)]


def table(header, rows):
    return "\n".join([header, *(",".join(map(str, row)) for row in rows)]) + "\n"


def round_trip(found):
    """Parse the written recipe and check that it says what was found."""
    parsed = ShopSettings.parse(tomllib.loads(found.to_toml())["shop"], "test")
    assert parsed == found.shop
    return found


def test_an_order_file_feeds_items_and_events(write, tmp_path):
    rows = [
        (
            f"C{n % 9}",
            f"{20000 + n % 30}" if n % 40 else "POST",
            f"thing {n % 30}",
            n % 5 + 1,
            n / 4,
            day,
        )
        for n, day in enumerate(DAYS * 10)
    ]
    write(
        "orders.csv", table("CustomerID,StockCode,Description,Quantity,UnitPrice,InvoiceDate", rows)
    )
    found = round_trip(infer_shop(["orders.csv"], tmp_path))
    assert found.shop.events.columns == {
        "user_id": "CustomerID", "item_id": "StockCode", "timestamp": "InvoiceDate",
        "quantity": "Quantity", "price": "UnitPrice",
    }  # fmt: skip
    assert found.shop.items.columns["title"] == "Description"
    assert found.event_type == "purchase"
    assert found.item_id_pattern == r"^\d{5}"
    assert "# Why:" in found.to_toml()
    data, _ = read_shop(found.shop, tmp_path)
    assert data.counts()["events"] == 280


def test_chinese_column_names(write, tmp_path):
    rows = [(f"用户{n % 5}", f"商品{n % 7}", "红裙", 9.5, day) for n, day in enumerate(DAYS)]
    write("订单.csv", table("用户ID,商品编号,标题,价格,下单时间", rows))
    found = round_trip(infer_shop(["订单.csv"], tmp_path))
    assert found.shop.events.columns == {
        "user_id": "用户ID", "item_id": "商品编号", "timestamp": "下单时间", "price": "价格"
    }  # fmt: skip
    assert found.shop.items.columns["title"] == "标题"
    assert found.event_type == "purchase"


def test_a_folder_of_three_tables(write, tmp_path):
    write("shop/log.csv", table("uid,sku,ts,action", [
        (n % 6, n % 8, 1_577_836_800 + n, "view_item") for n in range(50)
    ]))  # fmt: skip
    write("shop/goods.csv", table("sku,name,brand,colour,rowguid", [
        (n, f"thing {n}", "acme", "red" if n % 2 else "blue", n) for n in range(8)
    ]))  # fmt: skip
    write("shop/people.csv", table("uid,city,email,phone", [
        (n, "Bath" if n % 2 else "Ulm", f"{n}@x.org", n) for n in range(6)
    ]))  # fmt: skip
    write("shop/notes.csv", "remark\nhello\nworld\n")
    found = round_trip(infer_shop(["shop"], tmp_path))
    assert found.shop.events.columns["event_type"] == "action"
    assert found.shop.events.path == "shop/log.csv"
    assert found.shop.items.attributes == ("colour",)
    assert found.shop.users.attributes == ("city",)
    assert found.event_type is None
    assert any("notes.csv is left out" in note for note in found.notes)
    assert any("email, phone" in note for note in found.notes)


def test_order_lines_are_joined_to_orders_and_customers(write, tmp_path):
    write(
        "lines.csv",
        table("order_id,product_id,price", [(n // 2, f"p{n % 5}", 2.5) for n in range(40)]),
    )
    write("orders.csv", table("order_id,customer_id,order_purchase_timestamp", [
        (n, f"c{n}", DAYS[n]) for n in range(20)
    ]))  # fmt: skip
    write("customers.csv", table("customer_id,customer_unique_id,city", [
        (f"c{n}", f"u{n % 4}", "Bath") for n in range(20)
    ]))  # fmt: skip
    found = round_trip(infer_shop(["lines.csv", "orders.csv", "customers.csv"], tmp_path))
    assert [(join.path, join.on) for join in found.shop.events.joins] == [
        ("orders.csv", "order_id"), ("customers.csv", "customer_id")
    ]  # fmt: skip
    data, _ = read_shop(found.shop, tmp_path)
    assert data.need("events")["user_id"].n_unique() == 4
    assert data.need("events")["timestamp"].null_count() == 0


def test_files_without_names_are_told_apart_by_their_values(write, tmp_path):
    rows = [
        (9000 + n % 30, 700_000 + n % 45, n % 4 + 1, f"202001{n % 28 + 1:02d}") for n in range(400)
    ]
    write("raw/log.txt", "\n".join("\t".join(map(str, row)) for row in rows))
    write("raw/goods.txt", "\n".join(f"{700_000 + n}\t{n % 3}\t{n / 8}" for n in range(60)))
    write("raw/people.txt", "\n".join(f"{9000 + n}\t{n % 2}" for n in range(30)))
    found = round_trip(infer_shop(["raw"], tmp_path))
    assert found.shop.events.columns == {
        "user_id": "column_1", "item_id": "column_2",
        "timestamp": "column_4", "event_type": "column_3",
    }  # fmt: skip
    assert found.shop.items.path == "raw/goods.txt"
    assert found.shop.users.path == "raw/people.txt"
    assert any("guessed" in note for note in found.notes)


def test_search_pairs_feed_queries_judgments_and_items(write, tmp_path):
    rows = [(n, f"p{n % 9}", f"thing {n % 9}", f"word {n % 6}", n % 3 + 1) for n in range(60)]
    write("pairs.csv", table("id,product_uid,product_title,search_term,relevance", rows))
    found = round_trip(infer_shop(["pairs.csv"], tmp_path))
    assert found.shop.queries.columns == {"query_id": "search_term", "text": "search_term"}
    assert found.shop.judgments.columns["grade"] == "relevance"
    data, _ = read_shop(found.shop, tmp_path)
    assert data.counts() == {"items": 9, "queries": 6, "judgments": 60}


def test_reviews_take_an_unnamed_row_number_for_their_id(write, tmp_path):
    rows = [(n, n % 5, f"Title {n}", f"long text {n}", n % 5 + 1, "Dresses") for n in range(40)]
    write("reviews.csv", table(",Clothing ID,Title,Review Text,Rating,Class Name", rows))
    found = round_trip(infer_shop(["reviews.csv"], tmp_path))
    assert found.shop.reviews.columns == {
        "review_id": "column_1", "item_id": "Clothing ID", "text": "Review Text",
        "title": "Title", "rating": "Rating",
    }  # fmt: skip
    assert "title" not in found.shop.items.columns


def test_a_database_is_searched_table_by_table(tmp_path):
    with sqlite3.connect(tmp_path / "shop.db") as connection:
        connection.execute("CREATE TABLE sales (customer_id, product_id, order_date)")
        connection.executemany(
            "INSERT INTO sales VALUES (?, ?, ?)", [(n % 3, n % 4, DAYS[n]) for n in range(20)]
        )
    connection.close()
    for path in ("sqlite:///shop.db", "shop.db"):
        found = round_trip(infer_shop([path], tmp_path))
        assert (found.shop.events.path, found.shop.events.table) == (path, "sales")


def test_monthly_files_are_one_source(write, tmp_path):
    for month in (1, 2):
        rows = [(n % 3, f"p{n % 4}", f"2020-0{month}-01") for n in range(9)]
        write(f"months/{month}.csv", table("user_id,item_id,date", rows))
    found = round_trip(infer_shop(["months"], tmp_path))
    assert found.shop.events.path == "months"
    data, _ = read_shop(found.shop, tmp_path)
    assert data.counts()["events"] == 18


def test_open_dates_are_a_doubt_not_an_end(write, tmp_path):
    write("log.csv", table("user_id,item_id,date", [(n, n % 3, "1/2/20") for n in range(5)]))
    found = infer_shop(["log.csv"], tmp_path)
    assert (
        "# Check: in date, day and month cannot be told apart; set date_format." in found.to_toml()
    )


def orders(when):
    return table("customer_id,sku,title,order_date", [
        (n % 6, n % 8, f"thing {n % 8}", when(n)) for n in range(40)
    ])  # fmt: skip


def test_a_column_named_like_a_time_is_believed_and_doubted(write, tmp_path):
    write("orders.csv", orders(lambda n: f"week {n}"))
    found = round_trip(infer_shop(["orders.csv"], tmp_path))
    assert found.shop.events.columns["timestamp"] == "order_date"
    doubt = next(note for note in found.notes if note.startswith("events: order_date"))
    assert "0% of its filled cells" in doubt
    assert "set date_format" in doubt
    assert "week" not in doubt
    with pytest.raises(SourceError, match="order_date: 40 of 40 filled cells cannot be read"):
        read_shop(found.shop, tmp_path)


def test_some_unreadable_times_are_a_doubt_and_cost_only_their_rows(write, tmp_path):
    write("orders.csv", orders(lambda n: DAYS[n % 28] if n % 5 else "unknown"))
    found = round_trip(infer_shop(["orders.csv"], tmp_path))
    assert any("20% of the filled cells in order_date" in note for note in found.notes)
    data, _ = read_shop(found.shop, tmp_path)
    assert data.counts()["events"] == 32


def test_a_placeholder_of_another_age_does_not_hide_a_time(write, tmp_path):
    write("orders.csv", orders(lambda n: DAYS[n % 28] if n else "1900-01-01"))
    found = round_trip(infer_shop(["orders.csv"], tmp_path))
    assert found.shop.events.columns["timestamp"] == "order_date"
    assert not any(note.startswith("events: ") and "cells" in note for note in found.notes)


def test_readable_times_go_before_believed_ones(write, tmp_path):
    write("long.csv", orders(lambda n: f"week {n}"))
    write("short.csv", table("uid,item,ts", [(n % 3, n % 4, DAYS[n]) for n in range(9)]))
    found = infer_shop(["long.csv", "short.csv"], tmp_path)
    assert found.shop.sources()["events"].path == "short.csv"


def test_a_number_orders_the_events_where_there_are_no_times(write, tmp_path):
    write("log.csv", table("user,pos,item", [(n // 5, n % 5, n % 7) for n in range(40)]))
    found = round_trip(infer_shop(["log.csv"], tmp_path))
    assert found.shop.events.columns == {"user_id": "user", "item_id": "item", "position": "pos"}
    assert read_shop(found.shop, tmp_path)[0].counts()["events"] == 40


def test_a_number_that_repeats_within_a_user_orders_nothing(write, tmp_path):
    rows = [(n // 5, n % 2, n % 7, f"thing {n % 7}") for n in range(40)]
    write("log.csv", table("user,pos,item,title", rows))
    assert infer_shop(["log.csv"], tmp_path).shop.events is None


def test_orders_of_one_line_each_are_joined_too(write, tmp_path):
    write("lines.csv", table("order_id,product_id", [(n, f"p{n % 5}") for n in range(20)]))
    write("orders.csv", table("order_id,customer_id,created_at", [
        (n, f"c{n % 4}", f"{n % 12 + 1}/{n % 9 + 1}/20") for n in range(20)
    ]))  # fmt: skip
    found = round_trip(infer_shop(["lines.csv", "orders.csv"], tmp_path))
    assert [(join.path, join.on) for join in found.shop.events.joins] == [
        ("orders.csv", "order_id")
    ]
    assert any("in created_at, day and month cannot be told apart" in n for n in found.notes)


def test_what_is_left_out_says_why(write, tmp_path):
    write("shop/log.csv", table("uid,sku,ts", [(n % 6, n % 8, DAYS[n % 28]) for n in range(50)]))
    write("shop/old_log.csv", table("uid,sku,ts,x", [(n, n, DAYS[n], 1) for n in range(5)]))
    write("shop/likes.csv", table("uid,sku", [(n % 6, n % 8) for n in range(48)]))
    write("shop/goods.csv", table("sku,title", [(n, f"thing {n}") for n in range(8)]))
    write("shop/goods2.csv", table("sku,mpn", [(n, n) for n in range(4)]))
    write("shop/people.csv", table("uid,email", [(n, f"{n}@x.org") for n in range(6)]))
    write("shop/rates.csv", table("from,to,rate", [("EUR", "USD", 1.1), ("EUR", "GBP", 0.9)]))
    notes = infer_shop(["shop"], tmp_path).notes
    why = {note.split(" is left out: ")[0]: note for note in notes if " is left out: " in note}
    assert set(why) == {"old_log.csv", "likes.csv", "goods2.csv", "people.csv", "rates.csv"}
    assert "the events come from log.csv" in why["old_log.csv"]
    assert "no column holds their times" in why["likes.csv"]
    assert "the items come from goods.csv" in why["goods2.csv"]
    assert "nothing of users" in why["people.csv"]
    assert "fit no table" in why["rates.csv"]


def test_names_and_contacts_are_not_recommended(write, tmp_path):
    write("orders.csv", table("uid,sku,ts,email,brandname,colour", [
        (n % 6, n % 8, DAYS[n % 28], f"{n % 6}@x.org", "acme", "red") for n in range(50)
    ]))  # fmt: skip
    write("goods.csv", table("sku,title,department name", [(n, "thing", "a") for n in range(8)]))
    notes = infer_shop(["orders.csv", "goods.csv"], tmp_path).notes
    assert "orders.csv: left out email, which may name or reach people." in notes
    assert "orders.csv: left out brandname, colour; add them to attributes to keep them." in notes
    assert "goods.csv: left out department name; add them to attributes to keep them." in notes


def test_the_embedded_shop_and_paths_elsewhere(write, tmp_path):
    assert infer_shop(["embedded:online-retail"]).item_id_pattern == r"^\d{5}"
    write("here/items.csv", "item_id,title\na,shoe\n")
    elsewhere = infer_shop([str(tmp_path / "here/items.csv")], tmp_path / "there")
    assert elsewhere.findings[0].source.path == (tmp_path / "here/items.csv").as_posix()


def test_nothing_that_looks_like_a_shop(write, tmp_path):
    names = ",".join(f"secret value {n}" for n in range(40))
    write("diary.csv", names + "\n" + names + "\n")
    with pytest.raises(SourceError, match=r"names items.*and 28 more") as info:
        infer_shop(["diary.csv"], tmp_path)
    assert "secret value 30" not in str(info.value)


def test_an_unreadable_file_is_a_note_in_a_folder_and_an_error_alone(write, tmp_path):
    write("shop/items.csv", "item_id,title\na,shoe\nb,hat\n")
    write("shop/junk.csv", bytes(range(256)))
    found = infer_shop(["shop"], tmp_path)
    assert any("junk.csv" in note and "binary" in note for note in found.notes)
    with pytest.raises(SourceError, match="binary"):
        infer_shop(["shop/junk.csv"], tmp_path)


PRODUCTS = table("sku,name", [(f"p{n}", f"thing {n}") for n in range(9)])
ASKED = [(f"q{n}", f"word {n}") for n in range(6)]
GRADED = [(f"q{n % 6}", f"p{n % 9}", n % 3) for n in range(18)]


@pytest.mark.parametrize(
    ("queries", "judgments"),
    [
        (("asked.csv", "query_id,text"), "query_id,sku,grade"),
        (("asked.csv", "qid,search_term"), "qid,product_id,relevance"),
        (("queries.csv", "_id,text"), "query-id,corpus-id,score"),
        (("搜索.csv", "搜索编号,搜索词"), "搜索编号,商品编号,相关性"),
    ],
)
def test_items_queries_and_judgments_in_three_files(write, tmp_path, queries, judgments):
    name, header = queries
    write("goods.csv", PRODUCTS)
    write(name, table(header, ASKED))
    write("judged.csv", table(judgments, GRADED))
    found = round_trip(infer_shop(["goods.csv", name, "judged.csv"], tmp_path))
    paths = {table: source.path for table, source in found.shop.sources().items()}
    assert paths == {"items": "goods.csv", "queries": name, "judgments": "judged.csv"}
    data, _ = read_shop(found.shop, tmp_path)
    assert data.counts() == {"items": 9, "queries": 6, "judgments": 18}
    assert data.need("judgments")["grade"].sum() == 18
    assert set(data.need("judgments")["query_id"]) == set(data.need("queries")["query_id"])


def test_words_for_grades_are_told(write, tmp_path):
    write("goods.csv", PRODUCTS)
    write("asked.csv", table("query_id,query", ASKED))
    write("judged.csv", table("query_id,sku,label", [(q, p, "Exact") for q, p, _ in GRADED]))
    found = infer_shop(["goods.csv", "asked.csv", "judged.csv"], tmp_path)
    assert found.shop.judgments is None
    assert any("judged.csv is left out" in n and "0 to 3" in n for n in found.notes)


def told(n):
    return f"{'good' if n % 2 else 'bad'} thing number {n}"


def test_texts_with_a_class_and_nothing_else_are_reviews(write, tmp_path):
    rows = [("pos" if n % 2 else "neg", told(n % 30)) for n in range(40)]
    write("texts.csv", table("sentiment,text", rows))
    found = round_trip(infer_shop(["texts.csv"], tmp_path))
    assert found.shop.sources().keys() == {"reviews"}
    assert found.shop.reviews.columns == {"text": "text", "label": "sentiment"}
    assert found.shop.reviews.defaults == {"item_id": "unknown"}
    assert any("sentiment is taken for the class" in note for note in found.notes)
    data, _ = read_shop(found.shop, tmp_path)
    assert data.items["item_id"].to_list() == ["unknown"]
    # Without an id a review is named by all it says, so only equal rows share a name.
    assert data.need("reviews").group_by("review_id").len().height == 30


def test_chinese_texts_with_a_topic(write, tmp_path):
    write("评论.csv", table("类别,标签,评论", [("书", n % 2, f"很好{n}") for n in range(20)]))
    found = round_trip(infer_shop(["评论.csv"], tmp_path))
    assert found.shop.reviews.columns == {"text": "评论", "label": "标签"}
    write("topics.csv", table("text,topic", [(told(n), f"t{n % 3}") for n in range(20)]))
    found = round_trip(infer_shop(["topics.csv"], tmp_path))
    assert found.shop.reviews.columns["label"] == "topic"


def test_one_review_of_each_user_is_no_history(write, tmp_path):
    rows = [(f"u{n}", f"p{n % 5}", DAYS[n % 28], told(n), n % 5 + 1, "Fine") for n in range(40)]
    write("told.csv", table("user_id,sku,date,content,rating,title", rows))
    found = round_trip(infer_shop(["told.csv"], tmp_path))
    assert found.shop.events is None
    assert found.shop.reviews.columns == {
        "item_id": "sku", "text": "content", "user_id": "user_id", "title": "title",
        "rating": "rating", "timestamp": "date",
    }  # fmt: skip
    again = [(f"u{n % 9}", *row[1:]) for n, row in enumerate(rows)]
    write("told.csv", table("user_id,sku,date,content,rating,title", again))
    found = round_trip(infer_shop(["told.csv"], tmp_path))
    # Histories say more, and without an id the texts of the same rows are left alone.
    assert found.shop.events is not None
    assert found.shop.reviews is None


def test_a_catalogue_with_ratings_holds_no_reviews(write, tmp_path):
    rows = [(f"p{n}", f"thing {n}", f"all about {n}", n % 5 + 1) for n in range(9)]
    write("goods.csv", table("sku,name,text,rating", rows))
    found = infer_shop(["goods.csv"], tmp_path)
    assert found.shop.sources().keys() == {"items"}
    assert found.shop.sources()["items"].columns["description"] == "text"
    unlabelled = table("text,label", [(told(n), n) for n in range(9)])
    write("free.csv", unlabelled)
    with pytest.raises(SourceError, match="expected a column that names items"):
        infer_shop(["free.csv"], tmp_path)
