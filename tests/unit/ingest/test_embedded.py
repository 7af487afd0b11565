"""The shop that ships with the package."""

import pytest

from shopsynth.ingest import SourcePart, TableSource, list_parts, part_fingerprint
from shopsynth.schema import SourceError

ORDERS = {"user_id": "CustomerID", "item_id": "StockCode", "timestamp": "InvoiceDate"}


def test_the_embedded_shop_is_whole(read):
    cleaned = read("events", "embedded:online-retail", columns=ORDERS, attributes=["Country"])
    assert cleaned.kept.height == 240_007
    assert cleaned.rejects.height == 0
    assert cleaned.kept["user_id"].null_count() == 67_225
    assert str(cleaned.kept["timestamp"].max()) == "2011-06-26 10:59:00+00:00"


def test_its_part_names_no_place_on_this_machine(tmp_path):
    source = TableSource(path="embedded:online-retail")
    [part] = list_parts(source, tmp_path)
    assert part == SourcePart("embedded", "embedded:online-retail")
    assert len(part_fingerprint(part, source, tmp_path)) == 64


def test_an_unknown_shop_names_the_known_one(read):
    with pytest.raises(SourceError, match="did you mean 'online-retail'"):
        read("events", "embedded:online-retal")
