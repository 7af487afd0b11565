"""JSON lines: any mix of types, lines that are no objects, files that are none."""

import gzip
import json

import pytest
import zstandard

from shopsynth.schema import SourceError

LINES = (
    '{"user_id": 7, "item_id": "a", "timestamp": 1560715509, "tags": ["x", "y"], "price": null}\n'
    '{"user_id": "ann", "item_id": 2.0, "timestamp": "2019-06-16", "price": "3.5"}\n'
)


@pytest.mark.parametrize("compress", [bytes, gzip.compress, zstandard.compress])
def test_mixed_types_are_read_by_the_type_that_is_wanted(write, read, compress):
    kept = read("events", write("events.jsonl", compress(LINES.encode()))).kept
    assert kept["user_id"].to_list() == ["7", "ann"]
    assert kept["price"].to_list() == [None, 3.5]
    assert json.loads(kept["tags"][0]) == ["x", "y"]
    assert kept["timestamp"].dt.year().to_list() == [2019, 2019]


def test_content_tells_the_format_where_the_name_does_not(write, read):
    assert read("events", write("events.txt", LINES)).kept.height == 2


def test_a_rare_key_is_found_when_the_recipe_names_it(write, read):
    lines = '{"id": "a"}\n' * 1500 + '{"id": "b", "name": "hat"}\n'
    kept = read(
        "items", write("items.jsonl", lines), columns={"item_id": "id", "title": "name"}
    ).kept
    assert kept["title"].to_list() == [None, "hat"]
    assert kept["n_rows"].to_list() == [1500, 1]


def test_lines_that_are_no_objects_are_rejected(write, read):
    cleaned = read("events", write("events.jsonl", LINES + "junk\n[1]\n\n" + LINES + LINES))
    assert cleaned.kept.height == 6
    assert cleaned.rejects.rows() == [
        ("events", "unreadable_json", '{"line":"junk"}'),
        ("events", "unreadable_json", '{"line":"[1]"}'),
    ]


def test_mostly_junk_is_an_error(write, read):
    with pytest.raises(SourceError, match="4 of 6 lines are none"):
        read("events", write("events.jsonl", LINES + "junk\n" * 4))


@pytest.mark.parametrize(
    ("content", "what"), [("[{}]", "one JSON array.*jq"), ("hello", "the first line is none")]
)
def test_other_text_is_refused(write, read, content, what):
    with pytest.raises(SourceError, match=what):
        read("events", write("events.jsonl", content))
