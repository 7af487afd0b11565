"""JSON lines: one object a line, plain or compressed.

In: a JSON lines file. Out: its rows as text (numbers and nested values by their JSON text); lines
that are no JSON object are set aside.
"""

import io
import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import polars as pl

from shopsynth.ingest._files import file_head, file_sha256, open_bytes, part_path, reading
from shopsynth.ingest.base import RawRows, SourcePart, no_unreadable_rows, register
from shopsynth.ingest.settings import TableSource
from shopsynth.schema import SourceError, sha256_of

_RECORD_CHARS = 2_000
_MAX_UNREADABLE_SHARE = 0.5
_SAMPLE_LINES = 1_000


@register("json_lines")
class JsonLinesReader:
    """Reads JSON lines; one file is one part."""

    def parts(self, path: str, source: TableSource, base: Path) -> list[SourcePart]:
        """Return the file as one part; see :meth:`Reader.parts`."""
        file = base / path
        head = file_head(file).removeprefix(b"\xef\xbb\xbf").lstrip()
        if head.startswith(b"["):
            raise SourceError(
                f"{file.name}: expected one JSON object a line, found one JSON array; "
                "convert it, for example with `jq -c '.[]'`"
            )
        if not head.startswith(b"{"):
            raise SourceError(
                f"{file.name}: expected one JSON object a line, the first line is none; "
                "correct `format`"
            )
        return [SourcePart("json_lines", part_path(file, base))]

    def columns(self, part: SourcePart, source: TableSource, base: Path) -> list[str]:
        """Name the keys in first-seen order; see :meth:`Reader.columns`.

        A sample is enough unless the recipe names a key it lacks: keys may be rare.
        """
        wanted = {*source.columns.values(), *source.attributes}
        names: dict[str, None] = {}
        for number, line in enumerate(_lines(base / part.path)):
            if number >= _SAMPLE_LINES and wanted <= names.keys():
                break
            names |= dict.fromkeys(_object(line) or ())
        return list(names)

    def fingerprint(self, part: SourcePart, source: TableSource, base: Path) -> str:
        """Hash the file; see :meth:`Reader.fingerprint`."""
        return sha256_of([file_sha256(base / part.path), part.start, part.n_rows])

    def read(
        self, part: SourcePart, source: TableSource, base: Path, columns: Sequence[str]
    ) -> RawRows:
        """Read the wanted keys as text; see :meth:`Reader.read`."""
        return _read(base / part.path, columns, literal=False)

    def read_literal(
        self, part: SourcePart, source: TableSource, base: Path, columns: Sequence[str]
    ) -> RawRows:
        """Read likewise, however many lines are no objects; see :class:`LiteralReader`."""
        return _read(base / part.path, columns, literal=True)


def _read(file: Path, columns: Sequence[str], *, literal: bool) -> RawRows:
    schema = dict.fromkeys(columns, pl.String())
    with reading(file.name), open_bytes(file) as stream:
        content = bytes(stream.read()).removeprefix(b"\xef\xbb\xbf")
    try:
        return RawRows(pl.read_ndjson(io.BytesIO(content), schema=schema))
    except pl.exceptions.PolarsError:
        return _read_line_by_line(file, content, schema, literal=literal)


def _read_line_by_line(
    file: Path, content: bytes, schema: dict[str, pl.String], *, literal: bool
) -> RawRows:
    """Find the lines that are no objects; only a file that has some pays for the search."""
    good: list[bytes] = []
    bad: list[str] = []
    for line in content.splitlines():
        if not line.strip():
            continue
        if _object(line) is None:
            bad.append(line[:_RECORD_CHARS].decode(errors="replace"))
        else:
            good.append(line)
    if not literal and len(bad) > _MAX_UNREADABLE_SHARE * (len(good) + len(bad)):
        raise SourceError(
            f"{file.name}: expected one JSON object a line, {len(bad):,} of "
            f"{len(good) + len(bad):,} lines are none; export it again or correct `format`"
        )
    with reading(file.name):
        frame = pl.read_ndjson(io.BytesIO(b"\n".join(good)), schema=schema)
    if not bad:
        return RawRows(frame, no_unreadable_rows())
    lines = pl.DataFrame({"line": bad})
    return RawRows(
        frame,
        lines.select(
            pl.lit("unreadable_json").alias("reason"),
            pl.struct("line").struct.json_encode().alias("record"),
        ),
    )


def _lines(file: Path) -> Iterator[bytes]:
    with reading(file.name), open_bytes(file) as stream:
        yield from io.BufferedReader(stream)


def _object(line: bytes) -> dict[str, object] | None:
    """Parse one line; ``None`` if it is no JSON object."""
    try:
        value = json.loads(line)
    except ValueError:
        return None
    return value if isinstance(value, dict) else None
