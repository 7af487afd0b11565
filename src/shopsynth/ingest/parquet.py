"""Parquet: typed columns, cut into ranges of rows that one machine can hold.

In: a Parquet file. Out: its rows, typed as in the file.
"""

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import polars as pl
import pyarrow.parquet as arrow_parquet

from shopsynth.ingest._files import file_head, file_sha256, part_path, reading
from shopsynth.ingest.base import RawRows, SourcePart, register
from shopsynth.ingest.settings import TableSource
from shopsynth.schema import SourceError, sha256_of

_MAX_PART_ROWS = 1_500_000


@register("parquet")
class ParquetReader:
    """Reads Parquet; a part is a range of whole row groups, or of one group that is too large."""

    def parts(self, path: str, source: TableSource, base: Path) -> list[SourcePart]:
        """Cut a file at its row groups; see :meth:`Reader.parts`."""
        return [
            SourcePart("parquet", part_path(base / path, base), start, n_rows)
            for start, n_rows in _row_ranges(_group_heights(base / path))
        ]

    def columns(self, part: SourcePart, source: TableSource, base: Path) -> list[str]:
        """Name the columns; see :meth:`Reader.columns`."""
        with reading(part.path):
            return list(arrow_parquet.read_schema(base / part.path).names)

    def fingerprint(self, part: SourcePart, source: TableSource, base: Path) -> str:
        """Hash the file and the range; see :meth:`Reader.fingerprint`."""
        return sha256_of([file_sha256(base / part.path), part.start, part.n_rows])

    def read(
        self, part: SourcePart, source: TableSource, base: Path, columns: Sequence[str]
    ) -> RawRows:
        """Read the wanted columns of the range; see :meth:`Reader.read`."""
        with reading(Path(part.path).name):
            rows = pl.scan_parquet(base / part.path, glob=False).select(columns)
            return RawRows(rows.slice(part.start, part.n_rows).collect())


def _group_heights(file: Path) -> list[int]:
    head = file_head(file)
    if not head.startswith(b"PAR1"):
        raise SourceError(
            f"{file.name}: expected a Parquet file, it does not begin like one; correct `format`"
        )
    with reading(file.name), file.open("rb") as stream:
        stream.seek(-4, 2)
        if stream.read() != b"PAR1":
            raise SourceError(
                f"{file.name}: expected a complete Parquet file, its end is missing (the copy was "
                "cut off); copy or export it again"
            )
        facts = arrow_parquet.ParquetFile(file).metadata
        return [facts.row_group(place).num_rows for place in range(facts.num_row_groups)]


def _row_ranges(group_heights: list[int]) -> list[tuple[int, int]]:
    """Join row groups to ranges of at most the part size; cut groups that are larger.

    Returns:
        ``(start, n_rows)`` of each range, in order; one empty range for a file without rows.

    Example:
        >>> _row_ranges([1_000_000, 400_000, 2_000_000])
        [(0, 1400000), (1400000, 1000000), (2400000, 1000000)]
    """
    ranges: list[tuple[int, int]] = []
    start = height = 0
    for group in group_heights:
        if height and height + group > _MAX_PART_ROWS:
            ranges.append((start, height))
            start, height = start + height, 0
        n_pieces = -(-group // _MAX_PART_ROWS)
        if n_pieces > 1:
            size = -(-group // n_pieces)
            ends = [min(size * piece, group) for piece in range(n_pieces + 1)]
            ranges += [(start + a, b - a) for a, b in pairwise(ends)]
            start += group
        else:
            height += group
    if height or not ranges:
        ranges.append((start, height))
    return ranges
