"""Tables and views of a database: SQLite, DuckDB, PostgreSQL, or any that SQLAlchemy can reach.

In: a URL (``sqlite:///shop.db``, ``duckdb:///shop.duckdb``, ``postgresql://host/name``) or a SQLite
or DuckDB file, and a table's name. Out: its rows, typed as far as the database types them.

Names go into SQL quoted, after they were found in the catalogue. Databases are opened read-only
where the engine can. A table is one part.
"""

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol

import polars as pl

from shopsynth.ingest._duckdb import open_duckdb
from shopsynth.ingest._files import file_head, part_path, reading, shown
from shopsynth.ingest._sqlalchemy import open_sqlalchemy
from shopsynth.ingest._sqlite import open_sqlite
from shopsynth.ingest.base import RawRows, SourcePart, register
from shopsynth.ingest.settings import TableSource
from shopsynth.schema import SourceError, nearest

_DIGEST_ROWS = 100_000
_FILE_SCHEMES = ("sqlite", "duckdb")


class Database(Protocol):
    """An open database.

    Attributes:
        keeps_order: Whether a scan gives the rows in the order they were written.
    """

    keeps_order: bool

    def tables(self) -> list[str]:
        """List tables and views, with their schema where it is not the default one."""

    def columns(self, table: str) -> list[str]:
        """Name the columns of a table, in order."""

    def has_rows(self, table: str) -> bool:
        """Say whether a table has any row."""

    def batches(self, table: str, columns: Sequence[str]) -> Iterator[pl.DataFrame]:
        """Read the wanted columns in bounded pieces of one schema, at least one piece."""

    def texts(self, table: str, columns: Sequence[str]) -> Iterator[pl.DataFrame]:
        """Read likewise, and as text what the engine types by its cells."""


@register("database")
class DatabaseReader:
    """Reads a table or view of a database."""

    def parts(self, path: str, source: TableSource, base: Path) -> list[SourcePart]:
        """Return the table as one part; see :meth:`Reader.parts`."""
        with _open(path, base) as database:
            n_rows = None if database.has_rows(_table(database, path, source)) else 0
        # A part is written to manifests, so it carries no user name and no password.
        name = shown(path) if "://" in path else part_path(base / path, base)
        return [SourcePart("database", name, n_rows=n_rows)]

    def columns(self, part: SourcePart, source: TableSource, base: Path) -> list[str]:
        """Name the columns; see :meth:`Reader.columns`."""
        location = _location(part, source)
        with _open(location, base) as database:
            return database.columns(_table(database, location, source))

    def fingerprint(self, part: SourcePart, source: TableSource, base: Path) -> str:
        """Hash all rows of the table; see :meth:`Reader.fingerprint`."""
        columns = self.columns(part, source, base)
        frame = self.read(part, source, base, columns).frame
        digest = hashlib.sha256()
        for batch in frame.iter_slices(_DIGEST_ROWS):
            digest.update(batch.write_csv().encode())
        return digest.hexdigest()

    def read(
        self, part: SourcePart, source: TableSource, base: Path, columns: Sequence[str]
    ) -> RawRows:
        """Read the wanted columns; see :meth:`Reader.read`.

        A server gives rows in any order, so they are sorted by all wanted columns; SQLite and
        DuckDB keep the order in which rows were written, and so do we.
        """
        return self._read(part, source, base, columns, literal=False)

    def read_literal(
        self, part: SourcePart, source: TableSource, base: Path, columns: Sequence[str]
    ) -> RawRows:
        """Read SQLite's cells as text, for it types cells; see :meth:`LiteralReader`."""
        return self._read(part, source, base, columns, literal=True)

    def _read(
        self,
        part: SourcePart,
        source: TableSource,
        base: Path,
        columns: Sequence[str],
        *,
        literal: bool,
    ) -> RawRows:
        location = _location(part, source)
        with _open(location, base) as database:
            read = database.texts if literal else database.batches
            batches = list(read(_table(database, location, source), columns))
            keeps_order = database.keeps_order
        frame = pl.concat(batches)
        return RawRows(frame if keeps_order else frame.sort(frame.columns, nulls_last=True))


def _location(part: SourcePart, source: TableSource) -> str:
    """Find where to connect: the recipe's URL has the login that the part leaves out."""
    return source.path if "://" in source.path else part.path


def _open(location: str, base: Path) -> AbstractContextManager[Database]:
    scheme, separator, rest = location.partition("://")
    if separator and scheme not in _FILE_SCHEMES:
        return open_sqlalchemy(location, shown(location))
    file = base / (rest.removeprefix("/") if separator else location)
    with reading(file.name):
        if not file.is_file():
            raise SourceError(
                f"{file.name}: no such database file; `{scheme}:///` takes a path from the "
                "recipe's folder, with four slashes one from the root"
                if separator
                else f"{file.name}: no such database file"
            )
    head = file_head(file)
    found = "duckdb" if head[8:12] == b"DUCK" else "sqlite" if head[:6] == b"SQLite" else None
    if found is None or (separator and found != scheme):
        raise SourceError(
            f"{file.name}: expected a {scheme if separator else 'SQLite or DuckDB'} file, the "
            f"content is {found or 'neither SQLite nor DuckDB'}; correct `path`"
        )
    return open_duckdb(file) if found == "duckdb" else open_sqlite(file)


def _table(database: Database, location: str, source: TableSource) -> str:
    tables = database.tables()
    where = shown(location)
    if source.table is None:
        if len(tables) != 1:
            raise SourceError(
                f"{where}: expected `table` to say which table to read; "
                f"there are {len(tables)}: {', '.join(tables) or 'none'}"
            )
        return tables[0]
    if source.table not in tables:
        raise SourceError(f"{where}: no table {source.table}; {nearest(source.table, tables)}")
    return source.table


def table_names(location: str, base: Path) -> list[str]:
    """List the tables and views of a database, by URL or file.

    Raises:
        SourceError: If it cannot be opened.
    """
    with _open(location, base) as database:
        return database.tables()
