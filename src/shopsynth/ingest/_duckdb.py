"""DuckDB databases.

In: a database file. Out: its tables, typed as in the database. Needs the extra ``sql``.
"""

from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from shopsynth.schema import MissingExtraError, SourceError

if TYPE_CHECKING:
    import duckdb

_DEFAULT_SCHEMA = "main"
# A view in a database from elsewhere must not read other files, or fetch extensions.
_CONFINED = {
    "enable_external_access": "false",
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
}


@contextmanager
def open_duckdb(file: Path) -> Iterator["_DuckDb"]:
    """Open a database file read-only.

    Raises:
        MissingExtraError: If the library is not installed.
        SourceError: If the file is damaged, locked, or of a newer version.
    """
    try:
        import duckdb
    except ImportError as error:
        raise MissingExtraError(
            f"{file.name}: reading DuckDB needs a library; pip install 'shopsynth[sql]'"
        ) from error
    try:
        with closing(duckdb.connect(file, read_only=True, config=dict(_CONFINED))) as connection:
            yield _DuckDb(connection)
    except duckdb.Error as error:
        raise SourceError(
            f"{file.name}: expected a sound DuckDB database that nobody is writing to "
            f"({type(error).__name__}); close other programs, or export the table to Parquet"
        ) from error


class _DuckDb:
    keeps_order = True

    def __init__(self, connection: "duckdb.DuckDBPyConnection") -> None:
        self._connection = connection

    def tables(self) -> list[str]:
        rows = self._connection.execute(
            "SELECT table_schema, table_name FROM information_schema.tables ORDER BY ALL"
        ).fetchall()
        return [_joined(schema, name) for schema, name in rows]

    def columns(self, table: str) -> list[str]:
        rows = self._connection.execute(
            "SELECT table_schema, table_name, column_name FROM information_schema.columns "
            "ORDER BY table_schema, table_name, ordinal_position"
        ).fetchall()
        return [column for schema, name, column in rows if _joined(schema, name) == table]

    def has_rows(self, table: str) -> bool:
        query = f"SELECT 1 FROM {self._quoted(table)} LIMIT 1"  # noqa: S608 - a quoted, known name
        return self._connection.execute(query).fetchone() is not None

    def batches(self, table: str, columns: Sequence[str]) -> Iterator[pl.DataFrame]:
        listing = ", ".join(_quoted(column) for column in columns)
        query = f"SELECT {listing} FROM {self._quoted(table)}"  # noqa: S608 - quoted, known names
        yield self._connection.sql(query).pl()

    def texts(self, table: str, columns: Sequence[str]) -> Iterator[pl.DataFrame]:
        """Read as ever: the table's definition types its columns."""
        return self.batches(table, columns)

    def _quoted(self, table: str) -> str:
        """Quote a listed table; its schema is looked up, for names may hold dots themselves."""
        rows = self._connection.execute(
            "SELECT table_schema, table_name FROM information_schema.tables ORDER BY ALL"
        ).fetchall()
        schema, name = next(row for row in rows if _joined(*row) == table)
        return f"{_quoted(schema)}.{_quoted(name)}"


def _joined(schema: str, name: str) -> str:
    return name if schema == _DEFAULT_SCHEMA else f"{schema}.{name}"


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
