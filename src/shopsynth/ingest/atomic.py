"""RecBole atomic files: tab-separated, with the type of each column in the header.

In: ``.inter``, ``.item`` or ``.user`` files, whose header reads ``user_id:token``, ``price:float``.
Out: their rows as text, under the column names without types.

Source: https://recbole.io/docs/user_guide/data/atomic_files.html
"""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from shopsynth.ingest._dialect import Dialect, dialect_of
from shopsynth.ingest._files import file_sha256, part_path
from shopsynth.ingest.base import RawRows, SourcePart, register
from shopsynth.ingest.delimited import read_delimited
from shopsynth.ingest.settings import TableSource
from shopsynth.schema import SourceError, sha256_of

_TYPES = ("token", "token_seq", "float", "float_seq")


@register("atomic")
class AtomicReader:
    """Reads one atomic file as one part."""

    def parts(self, path: str, source: TableSource, base: Path) -> list[SourcePart]:
        """Return the file as one part; see :meth:`Reader.parts`."""
        n_rows = None if _dialect(base / path, source).has_rows else 0
        return [SourcePart("atomic", part_path(base / path, base), n_rows=n_rows)]

    def columns(self, part: SourcePart, source: TableSource, base: Path) -> list[str]:
        """Name the columns, without types; see :meth:`Reader.columns`."""
        return list(_dialect(base / part.path, source).columns)

    def fingerprint(self, part: SourcePart, source: TableSource, base: Path) -> str:
        """Hash the file; see :meth:`Reader.fingerprint`."""
        return sha256_of([file_sha256(base / part.path), part.start, part.n_rows])

    def read(
        self, part: SourcePart, source: TableSource, base: Path, columns: Sequence[str]
    ) -> RawRows:
        """Read the wanted columns as text; see :meth:`Reader.read`."""
        file = base / part.path
        return read_delimited(file, _dialect(file, source), columns)

    def read_literal(
        self, part: SourcePart, source: TableSource, base: Path, columns: Sequence[str]
    ) -> RawRows:
        """Read likewise, however many rows are ragged; see :class:`LiteralReader`."""
        file = base / part.path
        return read_delimited(file, _dialect(file, source), columns, literal=True)


def _dialect(file: Path, source: TableSource) -> Dialect:
    """Find out how the file is written, and take the types off the names."""
    told = source.model_copy(update={"header": True, "delimiter": source.delimiter or "\t"})
    dialect = dialect_of(file, told)
    names = []
    for column in dialect.columns:
        name, _, kind = column.rpartition(":")
        if kind not in _TYPES:
            raise SourceError(
                f"{file.name}: expected `name:type` in every column of the first row, as in "
                f"RecBole's atomic files (types: {', '.join(_TYPES)}); set `format` to csv if it "
                "is an ordinary table"
            )
        names.append(name)
    return replace(dialect, columns=tuple(names))
