"""CSV and its relatives, and everything that can be wrong with them."""

import gzip
import io
import json
import os
import shutil
import tempfile
import zipfile
from pathlib import Path

import pytest
import zstandard

from shopsynth.ingest import TableSource, list_parts, read_part
from shopsynth.schema import SourceError

EVENTS = "user_id,item_id,timestamp,price\nann,a,2020-01-01,1.5\nbob,b,2020-01-02,2.5\n"
ROWS = [("ann", "a", 1.5), ("bob", "b", 2.5)]


def rows(cleaned):
    return cleaned.kept.select("user_id", "item_id", "price").rows()


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_found(write, read, delimiter):
    path = write("events.csv", EVENTS.replace(",", delimiter))
    assert rows(read("events", path)) == ROWS


@pytest.mark.parametrize("compress", [gzip.compress, zstandard.compress])
def test_compressed_files_are_read_whatever_their_name(write, read, compress):
    assert rows(read("events", write("events.csv", compress(EVENTS.encode())))) == ROWS


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "gb18030"])
def test_chinese_encodings_are_found(write, read, encoding):
    text = "用户ID,商品编号,时间\n" + "买家甲,红色连衣裙,2020-01-01\n" * 30
    path = write("events.csv", text.encode(encoding))
    columns = {"user_id": "用户ID", "item_id": "商品编号", "timestamp": "时间"}
    kept = read("events", path, columns=columns).kept
    assert kept.height == 30
    assert kept.row(0)[:2] == ("买家甲", "红色连衣裙")


@pytest.mark.parametrize(
    ("encoding", "word"), [("cp1252", "Café Münchner “Öl”"), ("latin-1", "Ö l\x81")]
)
def test_western_encodings_are_found(write, read, encoding, word):
    path = write("items.csv", f"item_id,title\na,{word}\n".encode(encoding))
    assert read("items", path).kept["title"].to_list() == [word]


def test_quotes_line_breaks_and_blank_lines(write, read):
    path = write("items.csv", 'item_id,title\na,"one, ""two""\nthree"\n\nb,\n')
    kept = read("items", path).kept
    assert kept["title"].to_list() == ['one, "two"\nthree', None]


def test_a_file_without_header_gets_counted_columns(write, read):
    path = write("log.txt", "11\t71\t20190616\n12\t72\t20190617\n")
    columns = {"user_id": "column_1", "item_id": "column_2", "timestamp": "column_3"}
    assert read("events", path, columns=columns).kept["user_id"].to_list() == ["11", "12"]


def test_header_can_be_told(write, read):
    path = write("items.csv", "a,shoe\nb,hat\n")
    columns = {"item_id": "column_1", "title": "column_2"}
    assert read("items", path, columns=columns, header=False).kept.height == 2


def test_mapping_attributes_and_defaults(write, read):
    path = write("orders.csv", "Customer,Code,When,Land,Note\n1,a,2020-01-01,UK,x\n")
    kept = read(
        "events",
        path,
        columns={"user_id": "Customer", "item_id": "Code", "timestamp": "When"},
        attributes=["Land"],
        defaults={"event_type": "purchase", "quantity": 2},
    ).kept
    assert kept.columns == ["user_id", "item_id", "timestamp", "event_type", "quantity", "Land"]
    assert kept.row(0)[3:] == ("purchase", 2.0, "UK")


def test_ragged_rows_are_rejected_with_their_text(write, read):
    cleaned = read("events", write("events.csv", EVENTS + "eve,c\nmal,d,2020-01-01,1,9\n"))
    assert rows(cleaned) == ROWS
    assert cleaned.rejects["reason"].to_list() == ["ragged_row", "ragged_row"]
    assert json.loads(cleaned.rejects["record"][0]) == {"row": "eve,c"}


def test_mostly_ragged_rows_are_an_error(write, read):
    path = write("events.csv", EVENTS + "a,b\n" * 5)
    with pytest.raises(SourceError, match=r"events\.csv.*expected 4 cells.*5 of 7 rows.*delimiter"):
        read("events", path)


def test_a_wrong_delimiter_is_named_with_the_right_one(write, read):
    path = write("events.csv", EVENTS)
    with pytest.raises(SourceError, match=r"a semicolon.*one column; a comma gives 4"):
        read("events", path, delimiter=";")


def test_a_quote_that_is_never_closed(write, read):
    path = write("events.csv", EVENTS + 'eve,"c,2020-01-01,1\n' + EVENTS * 4000)
    with pytest.raises(SourceError, match="never closed"):
        read("events", path)


def test_a_missing_file_names_its_neighbour(write, read):
    write("events.csv", EVENTS)
    write("notes.md", "not data\n")
    with pytest.raises(SourceError, match=r"no such file; its folder has events\.csv; correct"):
        read("events", "purchases.csv")
    with pytest.raises(SourceError, match=r"evnts\.csv: no such file.*did you mean 'events\.csv'"):
        read("events", "evnts.csv")
    with pytest.raises(SourceError, match="no such folder either"):
        read("events", "nowhere/events.csv")


@pytest.mark.parametrize(("content", "what"), [("", "empty"), ("\n\n", "only blank lines")])
def test_an_empty_file(write, read, content, what):
    with pytest.raises(SourceError, match=rf"events\.csv.*{what}"):
        read("events", write("events.csv", content))


def test_a_header_without_rows(write, read):
    with pytest.raises(SourceError, match="found only column names"):
        read("events", write("events.csv", "user_id,item_id,timestamp\n"))


def test_a_file_without_rows_among_others_is_fine(write, read):
    write("days/1.csv", EVENTS)
    write("days/2.csv", EVENTS.splitlines()[0] + "\n")
    assert rows(read("events", "days")) == ROWS


def test_damaged_utf8_is_located(write, read):
    path = write("items.csv", b"item_id,title\n" + "a,红色连衣裙\n".encode() * 20 + b"b,\xff\xfe\n")
    with pytest.raises(SourceError, match=r"expected UTF-8 throughout, byte 376 "):
        read("items", path)


def test_a_given_encoding_that_does_not_fit(write, read):
    path = write("items.csv", "item_id,title\na,Müller\n".encode("latin-1"))
    with pytest.raises(SourceError, match="expected utf-8 text, some bytes are not"):
        read("items", path, encoding="utf-8")
    with pytest.raises(SourceError, match="no encoding Python knows"):
        read("items", path, encoding="klingon")


def test_binary_junk(write, read):
    with pytest.raises(SourceError, match="found binary data"):
        read("events", write("events.csv", bytes(range(256)) * 10))


def test_double_column_names(write, read):
    path = write("items.csv", "item_id,note,note\na,x,y\n")
    with pytest.raises(SourceError, match=r"note in columns \[2, 3\]; rename"):
        read("items", path)


def test_a_mixed_column_is_text_where_text_is_wanted_and_rejected_where_a_number_is(write, read):
    path = write("items.csv", "item_id,title,price\n1,shoe,5\nA2,7,cheap\n3,hat,9\n")
    cleaned = read("items", path)
    assert cleaned.kept["title"].to_list() == ["shoe", "hat"]
    assert cleaned.rejects.rows() == [
        ("items", "unreadable_number", '{"item_id":"A2","title":"7","price":"cheap"}')
    ]


def test_a_column_that_is_not_what_the_recipe_says(write, read):
    path = write("items.csv", "item_id,title\na,shoe\nb,hat\n")
    with pytest.raises(
        SourceError, match="column title: 2 of 2 filled cells cannot be read for price"
    ):
        read("items", path, columns={"item_id": "item_id", "price": "title"})


def test_impossible_dates_are_rejected(write, read):
    cleaned = read("events", write("events.csv", EVENTS + "eve,c,2011-02-30,1\n"))
    assert rows(cleaned) == ROWS
    assert cleaned.rejects["reason"].to_list() == ["unreadable_timestamp"]


def test_nan_ids_are_empty_and_kept_for_clean(write, read):
    cleaned = read("events", write("events.csv", EVENTS.replace("ann", "NaN")))
    assert cleaned.kept["user_id"].to_list() == [None, "bob"]
    assert cleaned.rejects.height == 0


def test_negative_prices_are_kept_for_clean(write, read):
    cleaned = read("events", write("events.csv", EVENTS.replace("1.5", "-1.5")))
    assert cleaned.kept["price"].to_list() == [-1.5, 2.5]


def test_float_and_fractional_ids(write, read):
    lines = "1.0,a,2020-01-01\n2.0,b,2020-01-01\n2.5,c,2020-01-01\n"
    cleaned = read("events", write("events.csv", "user_id,item_id,timestamp\n" + lines))
    assert cleaned.kept["user_id"].to_list() == ["1", "2"]
    assert cleaned.rejects["reason"].to_list() == ["fractional_id"]


def test_ten_megabytes_in_a_cell(write, read):
    path = write("items.csv", "item_id,title\na,shoe\nb," + "x" * (10 << 20) + "\n")
    cleaned = read("items", path)
    assert cleaned.kept["item_id"].to_list() == ["a"]
    assert cleaned.rejects["reason"].to_list() == ["cell_too_large"]
    assert len(cleaned.rejects["record"][0]) < 1_000


def test_a_row_larger_than_a_block_is_read_with_larger_blocks(write, read, monkeypatch):
    monkeypatch.setattr("shopsynth.ingest.delimited._BLOCK_BYTES", (1 << 10, 1 << 20))
    path = write("items.csv", "item_id,title\na,shoe\nb," + "x" * (10 << 10) + "\nc\n")
    cleaned = read("items", path)
    assert cleaned.kept["item_id"].to_list() == ["a", "b"]
    assert cleaned.rejects.height == 1


def test_a_zip_that_calls_itself_csv(write, read):
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as target:
        target.writestr("events.csv", EVENTS)
    with pytest.raises(SourceError, match=r"events\.csv.*this is a ZIP archive.*unpack it"):
        read("events", write("events.csv", archive.getvalue()))


@pytest.mark.parametrize("compress", [gzip.compress, zstandard.compress])
def test_a_compressed_file_that_was_cut_off(write, read, compress):
    whole = compress((EVENTS + "eve,c,2020-01-01,1\n" * 5000).encode())
    with pytest.raises(SourceError, match="ends too early"):
        read("events", write("events.csv.gz", whole[: len(whole) // 2]))


def test_a_missing_column_lists_those_present_and_the_nearest(write, read):
    path = write("items.csv", "StockCode,Description\na,shoe\n")
    with pytest.raises(
        SourceError, match=r"StokCode.*did you mean 'StockCode'.*Description"
    ) as info:
        read("items", path, columns={"item_id": "StokCode"})
    assert "shoe" not in str(info.value)


def test_every_fault_of_a_mapping_is_told_at_once(write, read):
    path = write("orders.csv", "a,b,c\n1,2,3\n")
    with pytest.raises(SourceError) as info:
        read("events", path, columns={"user_id": "x", "titel": "b"}, attributes=["price"])
    message = str(info.value)
    for part in (
        "no standard column titel",
        "column x",
        "column price",
        "item_id",
        "timestamp, pos",
    ):
        assert part in message


def test_an_attribute_may_not_have_a_standard_name(write, read):
    path = write("items.csv", "item_id,title,name\na,b,c\n")
    with pytest.raises(SourceError, match="title is a standard column"):
        read("items", path, columns={"item_id": "item_id"}, attributes=["title"])


def test_a_folder_without_readable_files(write, read):
    write("docs/readme.md", "hello")
    with pytest.raises(SourceError, match=r"docs: expected data files.*found \.md"):
        read("events", "docs")


def test_a_glob_that_matches_nothing(write, read):
    with pytest.raises(SourceError, match="at least one file to match"):
        read("events", "*.parquet")


def test_a_glob_reads_its_files_in_order(write, read):
    write("d2.csv", EVENTS.splitlines()[0] + "\nzoe,z,2020-01-03,3\n")
    write("d1.csv", EVENTS)
    assert read("events", "d*.csv").kept["user_id"].to_list() == ["ann", "bob", "zoe"]


def test_files_of_one_source_with_different_columns(write, read):
    write("days/1.csv", EVENTS)
    write("days/2.csv", EVENTS.replace("price", "cost"))
    with pytest.raises(SourceError, match=r"2\.csv.*missing: price; extra: cost"):
        read("events", "days")


def test_a_file_that_may_not_be_read(tmp_path):
    if not hasattr(os, "geteuid"):
        pytest.skip("this system has no file permissions to take away")
    folder = Path(tempfile.mkdtemp())
    file = folder / "events.csv"
    file.write_text(EVENTS)
    folder.chmod(0o755)
    file.chmod(0)
    was_root = os.geteuid() == 0
    if was_root:
        os.seteuid(65534)
    try:
        with pytest.raises(SourceError, match=r"events\.csv: expected a readable file"):
            list_parts(TableSource(path="events.csv"), folder)
    finally:
        if was_root:
            os.seteuid(0)
        shutil.rmtree(folder)


def test_atomic_files(write, read):
    path = write("shop.inter", "user_id:token\titem_id:token\ttimestamp:float\n1\t2\t964982703\n")
    assert read("events", path).kept["item_id"].to_list() == ["2"]
    path = write("bad.inter", "user_id\titem_id\n1\t2\n")
    with pytest.raises(SourceError, match="expected `name:type`"):
        read("events", path)


def test_other_parts_settle_the_order_of_day_and_month(write, tmp_path):
    header = "user_id,item_id,timestamp\n"
    write("days/1.csv", header + "ann,a,1/2/10\n")
    write("days/2.csv", header + "ann,a,2/13/10\n")
    source = TableSource(path="days")
    first = read_part("events", source, list_parts(source, tmp_path)[0], tmp_path)
    assert first.kept["timestamp"].dt.month().to_list() == [1]


def test_a_changed_file_is_looked_at_again(write, read):
    assert read("items", write("items.csv", "item_id\na\n")).kept.columns[0] == "item_id"
    assert read("items", write("items.csv", "item_id;title\na;shoe\n")).kept.columns[1] == "title"
