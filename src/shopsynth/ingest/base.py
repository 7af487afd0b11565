"""What a reader is, where readers are found, and the pieces they read.

In: a :class:`TableSource`. Out: its independently readable parts and their untyped rows.

To add a format: a file in this folder named after it, holding a class decorated with
``@register("<the file's name>")``; recipes then name it in ``format``.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Protocol, Self, runtime_checkable

import polars as pl

from shopsynth.ingest.settings import TableSource
from shopsynth.schema import Registry

UNREADABLE_COLUMNS = {"reason": pl.String(), "record": pl.String()}

_ALIASES = {"csv": "delimited", "tsv": "delimited", "jsonl": "json_lines", "ndjson": "json_lines"}


@dataclass(frozen=True)
class SourcePart:
    """One independently readable piece of a source.

    Attributes:
        reader: Registered name of the reader.
        path: File relative to the recipe's folder (absolute if it lies elsewhere), or the URL.
        start: First row, for files that can be read from the middle.
        n_rows: Number of rows; ``None`` means all.
    """

    reader: str
    path: str
    start: int = 0
    n_rows: int | None = None

    def to_json(self) -> dict[str, Any]:
        """Return the part as JSON-ready values."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Self:
        """Rebuild a part from :meth:`to_json`."""
        return cls(**values)


def no_unreadable_rows() -> pl.DataFrame:
    """Make an empty table of unreadable rows: ``reason``, ``record``."""
    return pl.DataFrame(schema=UNREADABLE_COLUMNS)


@dataclass(frozen=True)
class RawRows:
    """Rows as the source holds them, before any typing.

    Attributes:
        frame: The wanted columns under their source names. Text formats give text.
        unreadable: Columns ``reason``, ``record``: rows that are no rows at all, for example
            with too few cells.
    """

    frame: pl.DataFrame
    unreadable: pl.DataFrame = field(default_factory=no_unreadable_rows)


class Reader(Protocol):
    """One format. Readers hold no state; everything they need is in the source and the part."""

    def parts(self, path: str, source: TableSource, base: Path) -> list[SourcePart]:
        """Cut one file or database table into parts that can be read on their own.

        Args:
            path: One file, relative to ``base`` where it lies below it, or a URL.
            source: The recipe's block.
            base: Folder that relative paths start from.

        Raises:
            SourceError: If it is missing, empty or not what it claims to be.
        """

    def columns(self, part: SourcePart, source: TableSource, base: Path) -> list[str]:
        """Name the columns of a part, in order."""

    def fingerprint(self, part: SourcePart, source: TableSource, base: Path) -> str:
        """Hash the content the part is read from: equal content, equal hash."""

    def read(
        self, part: SourcePart, source: TableSource, base: Path, columns: Sequence[str]
    ) -> RawRows:
        """Read the wanted columns of a part, rows in a fixed order.

        Raises:
            SourceError: If the part cannot be read as what it claims to be.
        """


@runtime_checkable
class LiteralReader(Protocol):
    """A format that looks at many rows to read one or to give up, and can do without."""

    def read_literal(
        self, part: SourcePart, source: TableSource, base: Path, columns: Sequence[str]
    ) -> RawRows:
        """Read the wanted columns so that no cell depends on another; see :meth:`Reader.read`."""


READERS: Registry[Reader] = Registry("ingest", support=frozenset({"inference", "reading"}))
"""All formats of the room."""

register = READERS.register


def make_reader(name: str) -> Reader:
    """Find a reader by its registered name or a usual alias (``csv``, ``jsonl``).

    Raises:
        UnknownNameError: If no format has the name.
    """
    return READERS.get(_ALIASES.get(name, name))()


def read_cells(
    part: SourcePart, source: TableSource, base: Path, columns: Sequence[str], *, literal: bool
) -> RawRows:
    """Read the wanted columns of a part; ``literal``: so that no cell depends on another.

    Raises:
        SourceError: If the part cannot be read as what it claims to be.
    """
    reader = make_reader(part.reader)
    if literal and isinstance(reader, LiteralReader):
        return reader.read_literal(part, source, base, columns)
    return reader.read(part, source, base, columns)


def reader_name(format_name: str) -> str:
    """Translate a recipe's ``format`` to a registered name.

    Example:
        >>> reader_name("csv")
        'delimited'
    """
    return _ALIASES.get(format_name, format_name)
