"""How a delimited file is written: encoding, delimiter, header.

In: a file and what the recipe says about it. Out: a :class:`Dialect`.
"""

import csv
import io
import re
from collections import Counter
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from shopsynth.ingest._encoding import detect_encoding
from shopsynth.ingest._files import open_bytes, reading
from shopsynth.ingest.settings import TableSource
from shopsynth.schema import TABLES, SourceError

_SAMPLE_BYTES = 256 << 10
_SAMPLE_ROWS = 200
_DELIMITERS = (",", "\t", ";", "|")
_SPOKEN = {",": "a comma", "\t": "a tab", ";": "a semicolon", "|": "a bar", " ": "a space"}
_VALUE_LIKE = re.compile(r"^\s*[-+]?[\d.,]+([-/: ][\d:./-]+)*\s*$")
_POSITIONAL = re.compile(r"^column_\d+$")
_STANDARD_NAMES = frozenset(column for spec in TABLES.values() for column in spec.columns)


@dataclass(frozen=True)
class Dialect:
    """How to read one delimited file.

    Attributes:
        encoding: Codec name.
        delimiter: The character between cells.
        has_header: Whether the first row holds the names.
        columns: Names, in order; ``column_1``, … where the file gives none.
        has_rows: Whether at least one row follows the header.
    """

    encoding: str
    delimiter: str
    has_header: bool
    columns: tuple[str, ...]
    has_rows: bool


def dialect_of(file: Path, source: TableSource) -> Dialect:
    """Find out how a file is written; what the recipe says is believed.

    Raises:
        SourceError: If the file is no text, the delimiter cannot be right, or a name is double.
    """
    with reading(file.name):
        facts = file.stat()
    hints = frozenset({*source.columns.values(), *source.attributes})
    return _dialect_at(
        file,
        (facts.st_size, facts.st_mtime_ns),
        (source.encoding, source.delimiter, source.header),
        hints,
    )


@lru_cache(maxsize=1024)
def _dialect_at(
    file: Path,
    stamp: tuple[int, int],
    told: tuple[str | None, str | None, bool | None],
    hints: frozenset[str],
) -> Dialect:
    del stamp  # part of the cache's key: a changed file is looked at again
    encoding, delimiter, header = told
    encoding = encoding or detect_encoding(file)
    lines = _sample_lines(file, encoding)
    found = _find_delimiter(lines)
    if delimiter is None:
        delimiter = found
    elif delimiter != found and _width(lines, delimiter) == 1 < _width(lines, found):
        raise SourceError(
            f"{file.name}: expected cells separated by {_spoken(delimiter)} as `delimiter` says, "
            f"but that gives one column; {_spoken(found)} gives {_width(lines, found)}: "
            "correct `delimiter` or leave it out"
        )
    rows = _rows(lines, delimiter)
    if not rows:
        raise SourceError(f"{file.name}: expected rows, found only blank lines; export it again")
    has_header = _has_header(rows, hints) if header is None else header
    columns = _names(rows[0], file) if has_header else _positional_names(rows)
    return Dialect(encoding, delimiter, has_header, columns, len(rows) > has_header)


def _sample_lines(file: Path, encoding: str) -> str:
    with reading(file.name), open_bytes(file) as stream:
        sample = bytes(stream.read(_SAMPLE_BYTES))
    try:
        text = sample.decode(encoding, errors="ignore")
    except LookupError as error:
        raise SourceError(
            f"{file.name}: `encoding` is no encoding Python knows; "
            "use for example utf-8, gb18030, cp1252 or utf-16"
        ) from error
    return text.removeprefix("\ufeff")


def _rows(text: str, delimiter: str) -> list[list[str]]:
    """Parse the first rows of a sample; blank lines do not count."""
    stream = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    rows: list[list[str]] = []
    try:
        for row in stream:
            if row:
                rows.append(row)
            if len(rows) == _SAMPLE_ROWS:
                break
    except csv.Error:
        # A cell beyond the parser's limit: the sample so far is enough to see the shape.
        return rows
    return rows


def _width(text: str, delimiter: str) -> int:
    widths = Counter(len(row) for row in _rows(text, delimiter))
    return max(widths, key=lambda width: (widths[width], width), default=1)


def _find_delimiter(text: str) -> str:
    """Choose the delimiter under which most rows have the same number of cells, above one."""

    def agreement(delimiter: str) -> tuple[float, int]:
        rows = _rows(text, delimiter)
        width = _width(text, delimiter)
        same = sum(len(row) == width for row in rows) / max(len(rows), 1)
        return (same if width > 1 else 0.0, width)

    best = max(_DELIMITERS, key=agreement)
    return best if agreement(best)[0] > 0 else ","


def _has_header(rows: list[list[str]], hints: frozenset[str]) -> bool:
    """Say whether the first row names the columns.

    It does if it holds a name the recipe uses or a standard name; it does not if the recipe counts
    columns, or if a cell of it looks like the values below: a number, a date.
    """
    first = [cell.strip() for cell in rows[0]]
    if hints & set(first) or _STANDARD_NAMES & set(first):
        return True
    if hints and all(_POSITIONAL.match(name) for name in hints):
        return False
    return not any(_VALUE_LIKE.match(cell) for cell in first)


def _names(row: list[str], file: Path) -> tuple[str, ...]:
    names = tuple(cell.strip() or f"column_{place}" for place, cell in enumerate(row, start=1))
    counts = Counter(names)
    double = {
        name: [place for place, other in enumerate(names, start=1) if other == name]
        for name in names
        if counts[name] > 1
    }
    if double:
        places = "; ".join(f"{name} in columns {at}" for name, at in double.items())
        raise SourceError(
            f"{file.name}: expected every column name once, found {places}; "
            "rename them in the first row"
        )
    return names


def _positional_names(rows: list[list[str]]) -> tuple[str, ...]:
    widths = Counter(len(row) for row in rows)
    width = max(widths, key=lambda w: (widths[w], w))
    return tuple(f"column_{place}" for place in range(1, width + 1))


def _spoken(delimiter: str) -> str:
    return _SPOKEN.get(delimiter, repr(delimiter))
