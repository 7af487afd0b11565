"""A scan reads every kind of file and tells columns, rows and places, never the words."""

import gzip
import json

import polars as pl
import pytest

from shopsynth.pipeline.scan import Scan, scan
from shopsynth.schema import SourceError

PHONE = "13812345678"
ROWS = [
    {"title": "李宁运动鞋 男款", "review": "不错"},
    {"title": "白色连衣裙", "review": f"打给{PHONE}，或 ann@mail.example"},
    {"title": "高腰牛仔裤", "review": None},
]


def told(result: Scan) -> list[tuple]:
    return result.found.select("column", "row", "kind", "start", "end").rows()


EXPECTED = [("review", 2, "PHONE", 2, 13), ("review", 2, "EMAIL", 16, 32)]


@pytest.mark.parametrize("suffix", [".csv", ".tsv", ".parquet", ".jsonl", ".csv.gz", ".jsonl.gz"])
def test_every_form_of_a_table_gives_the_same_findings(tmp_path, suffix):
    file = tmp_path / f"shop{suffix}"
    frame = pl.DataFrame(ROWS)
    plain = suffix.removesuffix(".gz")
    if plain == ".parquet":
        frame.write_parquet(file)
    elif plain == ".jsonl":
        content = "".join(json.dumps(row) + "\n" for row in ROWS).encode()
        file.write_bytes(gzip.compress(content) if suffix.endswith(".gz") else content)
    else:
        content = frame.write_csv(separator="\t" if plain == ".tsv" else ",").encode()
        file.write_bytes(gzip.compress(content) if suffix.endswith(".gz") else content)
    result = scan(file)
    assert told(result) == EXPECTED
    assert result.rows == 3
    assert set(result.columns) == {"title", "review"}


def test_a_text_file_is_read_line_by_line_in_any_encoding(tmp_path):
    file = tmp_path / "queries.txt"
    lines = ["白色连衣裙", f"我的电话是{PHONE}吗", *["黑色的连衣裙和白色的衬衫"] * 30]
    for encoding in ("utf-8", "gb18030", "utf-8-sig"):
        file.write_text("\r\n".join(lines), encoding=encoding, newline="")
        assert told(scan(file)) == [("text", 2, "PHONE", 5, 16)]
    file.write_bytes(gzip.compress("\n".join(lines).encode()))
    file.rename(tmp_path / "queries.txt.gz")
    assert told(scan(tmp_path / "queries.txt.gz"))[0][1] == 2


def test_nested_json_and_numbers_are_read_and_broken_lines_too(tmp_path):
    file = tmp_path / "dialogue.jsonl"
    records = [
        json.dumps({"turns": [{"say": "hi"}, {"say": f"call {PHONE}"}], "seen": True}),
        json.dumps({"late": int(PHONE)}),
        f"broken {PHONE}",
    ]
    file.write_text("\n".join(records))
    result = scan(file)
    assert [(column, row) for column, row, *_ in told(result)] == [
        ("turns[].say", 1),
        ("late", 2),
        ("text", 3),
    ]
    assert (result.rows, result.unreadable) == (3, 1)


def test_a_column_that_says_what_it_holds_is_a_cue(tmp_path):
    file = tmp_path / "orders.csv"
    pl.DataFrame(
        {
            "收件人": ["张伟", "李宁"],
            "customer_name": ["Olumide Bright", "Kim"],
            "product_name": ["Calvin Klein boxer", "Ralph Lauren polo"],
            "orderNo": ["20240131123456", "7731234567890"],
            "price": ["19.90", "5"],
        }
    ).write_csv(file)
    found = told(scan(file))
    assert {(column, row, start, end) for column, row, _, start, end in found} == {
        ("收件人", 1, 0, 2),
        ("收件人", 2, 0, 2),
        ("customer_name", 1, 0, 14),
        ("customer_name", 2, 0, 3),
        ("orderNo", 1, 0, 14),
        ("orderNo", 2, 0, 13),
    }


def test_columns_without_text_are_named_as_left_out(tmp_path):
    file = tmp_path / "shop.parquet"
    frame = pl.DataFrame({"n": [1], "tags": [["a"]], "text": ["ok"], "kind": ["x"]})
    frame.cast({"kind": pl.Categorical}).write_parquet(file)
    result = scan(file)
    assert result.left_out == ["n", "tags"]
    assert result.columns == ["text", "kind"]


def test_counts_tell_rows_and_the_list_can_be_cut(tmp_path):
    file = tmp_path / "a.txt"
    file.write_text(f"{PHONE} {PHONE}\n" * 15)
    result = scan(file)
    assert result.counts() == [
        {
            "column": "text",
            "kind": "PHONE",
            "findings": 30,
            "rows": 15,
            "first_rows": list(range(1, 11)),
        }
    ]
    assert len(result.to_json(4)["found"]) == 4
    assert PHONE not in json.dumps(result.to_json(100))


def test_brands_stay(tmp_path):
    file = tmp_path / "a.txt"
    file.write_text("shoes by Anna Field\n")
    assert scan(file, names="off").found.is_empty()
    assert not scan(file).found.is_empty()
    assert scan(file, allow=["Anna Field"]).found.is_empty()


def test_what_cannot_be_read_is_refused(tmp_path):
    with pytest.raises(SourceError, match="expected a file, found none"):
        scan(tmp_path / "none.csv")
    for name, content in (("a.txt", b"\x00\x01"), ("b.csv", b""), ("c.csv", b"PK\x03\x04...")):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(SourceError, match=name):
            scan(tmp_path / name)
