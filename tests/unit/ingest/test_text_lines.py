"""Lines come in batches that fit memory, and a line that fits none is refused."""

import gzip

import pytest

from shopsynth.ingest import _text_lines, text_lines
from shopsynth.schema import SourceError


def test_a_batch_ends_after_so_many_lines(tmp_path):
    file = tmp_path / "queries.txt"
    file.write_text("a\n\nb\r\nc")
    assert list(text_lines(file, 3)) == [["a", "", "b"], ["c"]]


def test_a_batch_of_long_lines_ends_earlier(tmp_path, monkeypatch):
    monkeypatch.setattr(_text_lines, "_BATCH_CHARACTERS", 100)
    file = tmp_path / "reviews.txt"
    file.write_text("".join("x" * 59 + "\n" for _ in range(5)))
    assert [len(batch) for batch in text_lines(file, 1_000)] == [2, 2, 1]


def test_a_file_that_unpacks_to_one_endless_line_is_refused_before_it_fills_memory(tmp_path):
    file = tmp_path / "bomb.txt.gz"
    with gzip.open(file, "wb", compresslevel=1) as stream:
        stream.write(b"fine\n")
        for _ in range(20):
            stream.write(b"0" * 1_000_000)
    with pytest.raises(SourceError, match=r"bomb\.txt\.gz: line 2: .*16,777,216") as caught:
        list(text_lines(file, 10))
    assert "000000" not in str(caught.value)


def test_the_longest_line_is_read(tmp_path, monkeypatch):
    monkeypatch.setattr(_text_lines, "_LONGEST_LINE", 5)
    file = tmp_path / "short.txt"
    file.write_text("12345\n12345")
    assert list(text_lines(file, 9)) == [["12345", "12345"]]
    file.write_text("123456\n")
    with pytest.raises(SourceError, match="line 1"):
        list(text_lines(file, 9))
