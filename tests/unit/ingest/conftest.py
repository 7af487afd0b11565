"""A folder to write shop files into, and one way to read a table back."""

from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from shopsynth.ingest import TableSource, list_parts, read_part
from shopsynth.schema import Cleaned

Write = Callable[[str, str | bytes], str]
Read = Callable[..., Cleaned]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def write_file(name: str, content: str | bytes) -> str:
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content if isinstance(content, bytes) else content.encode())
        return name

    return write_file


@pytest.fixture
def read(tmp_path: Path) -> Read:
    def read_table(name: str, path: str, **block: object) -> Cleaned:
        source = TableSource.parse({"path": path, **block}, "test")
        pieces = [read_part(name, source, part, tmp_path) for part in list_parts(source, tmp_path)]
        return Cleaned(
            pl.concat([piece.kept for piece in pieces]),
            pl.concat([piece.rejects for piece in pieces]),
        )

    return read_table
