"""Scan a file for personal data.

In: a text, CSV, TSV, JSON lines or Parquet file, plain or compressed. Out: what kinds stand in
which columns and rows, and where in the cell; never the words.
"""

import json
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import polars as pl

from shopsynth import ingest
from shopsynth.privacy.pii import Names, find_pii
from shopsynth.schema import SILENT, Progress, SourceError

_BATCH = 20_000
"""Rows read by the finder at once; a batch of long reviews is some 20 MB."""

_LINE_COLUMN = "text"

_ENGLISH_HEADS = (
    "name fullname firstname lastname surname customer recipient consignee contact buyer receiver"
    " phone mobile tel telephone cell fax address street wechat weixin qq passport ssn order"
    " tracking waybill shipping billing delivery full first last no number id card zip postcode e"
    " mail email"
)
_CHINESE_HEADS = (
    "姓名|收件人|收货人|联系人|寄件人|真实姓名|电话|手机|手机号|联系电话|地址|收货地址|微信|微信号|QQ号|身份证|身份证号"
    "|护照|护照号|订单号|运单号|快递单号|银行卡号|卡号|车牌|车牌号|邮编"
)
_SPEAKING = frozenset(_ENGLISH_HEADS.split()) | frozenset(_CHINESE_HEADS.split("|"))
"""Words of column names that say what is below, so that a bare "张伟" below 收件人 is a name."""

_FOUND = pl.Schema(
    {
        "column": pl.String,
        "row": pl.Int64,
        "kind": pl.String,
        "start": pl.Int64,
        "end": pl.Int64,
        "rule": pl.String,
    }
)


@dataclass
class Scan:
    """What was found in one file.

    Attributes:
        file: Its name.
        rows: Rows read.
        columns: Columns with text.
        left_out: Columns that hold no text (numbers, dates, lists).
        unreadable: Rows that are no rows of the table and were not looked at.
        found: Rows of ``column``, ``row`` (from 1, a header not counted), ``kind``, ``start``,
            ``end`` (characters of the cell, from 0) and ``rule``.
    """

    file: str
    rows: int = 0
    columns: list[str] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)
    unreadable: int = 0
    found: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=_FOUND))

    def counts(self) -> list[dict[str, Any]]:
        """Count: ``column``, ``kind``, ``findings``, ``rows``, and ten ``first_rows``."""
        counted = self.found.group_by("column", "kind", maintain_order=True).agg(
            findings=pl.len(),
            rows=pl.col("row").n_unique(),
            first_rows=pl.col("row").unique().sort().head(10),
        )
        return counted.sort("column", "kind").to_dicts()

    def to_json(self, most: int) -> dict[str, Any]:
        """Return everything as JSON-ready values, the list of findings cut after ``most``."""
        return {
            "file": self.file,
            "rows": self.rows,
            "columns": self.columns,
            "left_out": self.left_out,
            "unreadable": self.unreadable,
            "findings": self.found.height,
            "counts": self.counts(),
            "found": self.found.head(most).to_dicts(),
        }


@dataclass(frozen=True)
class _Cells:
    """Some cells of one column, with the numbers of their rows."""

    column: str
    rows: pl.Series
    texts: pl.Series


def scan(
    file: Path,
    *,
    allow: Collection[str] = (),
    brands: Path | None = None,
    names: Names = "rules",
    progress: Progress = SILENT,
) -> Scan:
    """Look for personal data in all text of a file, batch by batch.

    Args:
        file: A ``.txt`` file (a text a line), or a table in any form a shop's files may have.
        allow: Brands that stay, as for ``find_pii``.
        brands: A text file of more of them, one a line.
        names: How names are looked for.
        progress: Listener; one step a batch of a column.

    Returns:
        The findings. They can be none though somebody is named: no finder finds everything.

    Raises:
        SourceError: If a file is missing, cannot be read, or is binary.
        MissingExtraError: If ``names`` is ``"models"`` and the extra ``pii`` is not installed.
    """
    for each in (file, brands):
        if each is not None and not each.is_file():
            raise SourceError(f"{each}: expected a file, found none; check the path")
    if brands is not None:
        allow = [*allow, *(line for batch in ingest.text_lines(brands, _BATCH) for line in batch)]
    result = Scan(file.name)
    frames = [result.found]
    progress.start(f"scan {file.name}", None)
    for cells in _cells(file, result):
        if cells.column not in result.columns:
            result.columns.append(cells.column)
        frames.append(_findings(cells, allow, names))
        progress.advance()
    result.found = pl.concat(frames).sort("row", "column", "start", maintain_order=True)
    return result


def _findings(cells: _Cells, allow: Collection[str], names: Names) -> pl.DataFrame:
    """Read the cells, behind their column's name if that name says what they are."""
    lead = f"{_words(cells.column)}: " if _speaks(cells.column) else ""
    texts = (lead + cells.texts) if lead else cells.texts
    found = find_pii(texts, allow=allow, names=names).filter(pl.col("end") > len(lead))
    placed = found.with_columns(
        column=pl.lit(cells.column, pl.String),
        row=cells.rows.cast(pl.Int64).gather(found["text_index"]),
        start=(pl.col("start") - len(lead)).clip(lower_bound=0),
        end=pl.col("end") - len(lead),
    )
    return placed.select(_FOUND.names())


def _words(column: str) -> str:
    return re.sub(r"[_\-. ]+", " ", re.sub(r"(?<=[a-z])(?=[A-Z])", " ", column)).strip()


def _speaks(column: str) -> bool:
    words = _words(column).lower().split()
    return bool(words) and (all(word in _SPEAKING for word in words) or column in _SPEAKING)


def _cells(file: Path, result: Scan) -> Iterator[_Cells]:
    suffixes = [suffix.lower() for suffix in file.suffixes]
    if ".txt" in suffixes[-2:]:
        yield from _lines(file, result)
        return
    reader = ingest.reader_of(file.resolve(), "auto")
    if reader == "json_lines":
        yield from _objects(file, result)
    else:
        yield from _table(file, reader, result)


def _lines(file: Path, result: Scan) -> Iterator[_Cells]:
    for batch in ingest.text_lines(file, _BATCH):
        rows = pl.int_range(result.rows + 1, result.rows + 1 + len(batch), eager=True)
        result.rows += len(batch)
        yield _Cells(_LINE_COLUMN, rows, pl.Series(batch, dtype=pl.String))


def _objects(file: Path, result: Scan) -> Iterator[_Cells]:
    """Read JSON lines; a nested text's column is its path, such as ``turns[].say``."""
    for batch in ingest.text_lines(file, _BATCH):
        columns: dict[str, tuple[list[int], list[str]]] = {}
        for line in batch:
            result.rows += 1
            try:
                value = json.loads(line) if line.strip() else {}
            except (ValueError, RecursionError):
                # No JSON, but text all the same, and what it holds may be personal.
                result.unreadable += 1
                value = line
            for path, text in _leaves(value):
                rows, texts = columns.setdefault(path or _LINE_COLUMN, ([], []))
                rows.append(result.rows)
                texts.append(text)
        for column, (rows, texts) in columns.items():
            yield _Cells(column, pl.Series(rows, dtype=pl.Int64), pl.Series(texts, dtype=pl.String))


def _leaves(value: Any) -> Iterator[tuple[str, str]]:
    """Yield path and text of every text and number inside a JSON value."""
    waiting: list[tuple[str, Any]] = [("", value)]
    while waiting:
        path, inner = waiting.pop()
        if isinstance(inner, dict):
            waiting += [
                (f"{path}.{key}" if path else str(key), each) for key, each in inner.items()
            ]
        elif isinstance(inner, list):
            waiting += [(f"{path}[]", each) for each in inner]
        elif isinstance(inner, str | int | float) and not isinstance(inner, bool):
            yield path, str(inner)


def _table(file: Path, reader: str, result: Scan) -> Iterator[_Cells]:
    source = ingest.TableSource(path=file.name)
    base = file.resolve().parent
    method = ingest.READERS.get(reader)()
    for part in ingest.list_parts(source, base):
        raw = method.read(part, source, base, method.columns(part, source, base))
        result.unreadable += raw.unreadable.height
        texts = [name for name, kind in raw.frame.schema.items() if _is_text(kind)]
        result.left_out = [name for name in raw.frame.columns if name not in texts]
        result.columns = texts
        for batch in raw.frame.iter_slices(_BATCH):
            rows = pl.int_range(result.rows + 1, result.rows + 1 + batch.height, eager=True)
            result.rows += batch.height
            for name in texts:
                yield _Cells(name, rows, batch[name].cast(pl.String))


def _is_text(kind: pl.DataType) -> bool:
    return kind == pl.String or isinstance(kind, pl.Categorical | pl.Enum)
