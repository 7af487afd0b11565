"""CSV and its relatives: comma, tab, semicolon or bar, any usual encoding, plain or compressed.

In: a delimited text file. Out: its rows as text; rows with too few or too many cells are set aside.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.csv as arrow_csv

from shopsynth.ingest._dialect import Dialect, dialect_of
from shopsynth.ingest._files import file_sha256, open_bytes, part_path, reading
from shopsynth.ingest.base import RawRows, SourcePart, register
from shopsynth.ingest.settings import TableSource
from shopsynth.schema import SourceError, sha256_of

# Arrow wants a row to fit into two blocks; the larger size is tried only for a row that does not.
_BLOCK_BYTES = (16 << 20, 1 << 30)
_RECORD_CHARS = 2_000
_MAX_RAGGED_SHARE = 0.5
# So many line ends inside one row are no long text but a quote that was never closed.
_UNCLOSED_QUOTE_LINES = 5_000


@dataclass
class _RaggedRows:
    """Collects the rows whose number of cells is not that of the header."""

    texts: list[str] = field(default_factory=list)
    widths: set[int] = field(default_factory=set)
    longest_lines: int = 0

    def __call__(self, row: Any) -> str:
        self.texts.append(row.text[:_RECORD_CHARS])
        self.widths.add(row.actual_columns)
        self.longest_lines = max(self.longest_lines, row.text.count("\n"))
        return "skip"


@register("delimited")
class DelimitedReader:
    """Reads delimited text; one file is one part."""

    def parts(self, path: str, source: TableSource, base: Path) -> list[SourcePart]:
        """Return the file as one part; see :meth:`Reader.parts`."""
        dialect = dialect_of(base / path, source)
        n_rows = None if dialect.has_rows else 0
        return [SourcePart("delimited", part_path(base / path, base), n_rows=n_rows)]

    def columns(self, part: SourcePart, source: TableSource, base: Path) -> list[str]:
        """Name the columns; see :meth:`Reader.columns`."""
        return list(dialect_of(base / part.path, source).columns)

    def fingerprint(self, part: SourcePart, source: TableSource, base: Path) -> str:
        """Hash the file; see :meth:`Reader.fingerprint`."""
        return sha256_of([file_sha256(base / part.path), part.start, part.n_rows])

    def read(
        self, part: SourcePart, source: TableSource, base: Path, columns: Sequence[str]
    ) -> RawRows:
        """Read the wanted columns as text; see :meth:`Reader.read`."""
        file = base / part.path
        return read_delimited(file, dialect_of(file, source), columns)

    def read_literal(
        self, part: SourcePart, source: TableSource, base: Path, columns: Sequence[str]
    ) -> RawRows:
        """Read likewise, however many rows are ragged; see :class:`LiteralReader`."""
        file = base / part.path
        return read_delimited(file, dialect_of(file, source), columns, literal=True)


def read_delimited(
    file: Path, dialect: Dialect, columns: Sequence[str], *, literal: bool = False
) -> RawRows:
    """Read a delimited file of a known dialect.

    Args:
        file: The file, plain or compressed.
        dialect: How it is written.
        columns: Wanted columns.
        literal: Set ragged rows aside however many they are: one person's could tip the balance.

    Raises:
        SourceError: If most rows do not fit the header, a quote is never closed, a row does not
            end within a gigabyte, or the bytes are not of the encoding.
    """
    ragged = _RaggedRows()
    for block_bytes in _BLOCK_BYTES:
        try:
            with reading(file.name):
                table = _read_arrow(file, dialect, columns, block_bytes, ragged)
            break
        except SourceError as error:
            if "straddling" not in str(error.__cause__) or block_bytes == _BLOCK_BYTES[-1]:
                raise
            ragged = _RaggedRows()
    frame = pl.DataFrame(pl.from_arrow(table))
    _check_ragged(file, dialect, ragged, frame.height, literal=literal)
    records = pl.DataFrame({"row": ragged.texts}, schema={"row": pl.String}).select(
        pl.lit("ragged_row").alias("reason"),
        pl.struct("row").struct.json_encode().alias("record"),
    )
    return RawRows(frame, records)


def _read_arrow(
    file: Path, dialect: Dialect, columns: Sequence[str], block_bytes: int, ragged: _RaggedRows
) -> pa.Table:
    with open_bytes(file) as stream:
        try:
            return arrow_csv.read_csv(
                stream,
                # One thread, so that rows and their numbers come in the order of the file.
                read_options=arrow_csv.ReadOptions(
                    use_threads=False,
                    block_size=block_bytes,
                    column_names=list(dialect.columns),
                    skip_rows_after_names=int(dialect.has_header),
                    encoding="utf8" if dialect.encoding.startswith("utf-8") else dialect.encoding,
                ),
                parse_options=arrow_csv.ParseOptions(
                    delimiter=dialect.delimiter,
                    newlines_in_values=True,
                    invalid_row_handler=ragged,
                ),
                convert_options=arrow_csv.ConvertOptions(
                    column_types=dict.fromkeys(dialect.columns, pa.large_string()),
                    include_columns=list(columns),
                    null_values=[""],
                    strings_can_be_null=True,
                    quoted_strings_can_be_null=True,
                ),
            )
        except (UnicodeDecodeError, pa.ArrowInvalid) as error:
            if isinstance(error, pa.ArrowInvalid) and "UTF8" not in str(error):
                raise
            raise SourceError(
                f"{file.name}: expected {dialect.encoding} text, some bytes are not; "
                "set `encoding`, or save the file as UTF-8"
            ) from error


def _check_ragged(
    file: Path, dialect: Dialect, ragged: _RaggedRows, n_good: int, *, literal: bool
) -> None:
    width = len(dialect.columns)
    if ragged.longest_lines > _UNCLOSED_QUOTE_LINES:
        raise SourceError(
            f"{file.name}: one row spans {ragged.longest_lines:,} lines, so a quote is opened and "
            "never closed; repair it, or export with doubled quotes"
        )
    n_ragged = len(ragged.texts)
    if not literal and n_ragged > _MAX_RAGGED_SHARE * (n_ragged + n_good):
        widths = ", ".join(str(w) for w in sorted(ragged.widths)[:5])
        raise SourceError(
            f"{file.name}: expected {width} cells a row as in the first row, {n_ragged:,} of "
            f"{n_ragged + n_good:,} rows have another number ({widths}); "
            "set `delimiter` or `header`, or repair the file. Events are expected one a row, with "
            "user, item and time: a file with one basket a line has to be rewritten"
        )
