"""SQLite databases, through the standard library.

In: a database file. Out: its tables; a column's type is what its cells are, not what it declares.
"""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.parse import quote

import polars as pl

from shopsynth.schema import SourceError

_BATCH_ROWS = 100_000


@contextmanager
def open_sqlite(file: Path) -> Iterator["_Sqlite"]:
    """Open a database file read-only.

    Raises:
        SourceError: If the file is damaged or locked.
    """
    try:
        uri = f"file:{quote(str(file))}?mode=ro"
        with closing(sqlite3.connect(uri, uri=True)) as connection:
            yield _Sqlite(connection)
    except sqlite3.Error as error:
        raise SourceError(
            f"{file.name}: expected a sound SQLite database ({type(error).__name__}); "
            "check it with `PRAGMA integrity_check`"
        ) from error


class _Sqlite:
    keeps_order = True

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def tables(self) -> list[str]:
        rows = self._connection.execute(
            "SELECT name FROM sqlite_master WHERE type IN ('table', 'view') "
            "AND name NOT LIKE 'sqlite_%' ORDER BY name"
        )
        return [name for (name,) in rows]

    def columns(self, table: str) -> list[str]:
        rows = self._connection.execute("SELECT name FROM pragma_table_info(?)", (table,))
        return [name for (name,) in rows]

    def has_rows(self, table: str) -> bool:
        query = f"SELECT 1 FROM {_quoted(table)} LIMIT 1"  # noqa: S608 - a quoted, known name
        return self._connection.execute(query).fetchone() is not None

    def batches(self, table: str, columns: Sequence[str]) -> Iterator[pl.DataFrame]:
        return self._batches(table, {column: self._dtype(table, column) for column in columns})

    def texts(self, table: str, columns: Sequence[str]) -> Iterator[pl.DataFrame]:
        """Read every cell as its own text; a whole float is a whole number, as in ``batches``."""
        return self._batches(table, dict.fromkeys(columns, pl.String()), literal=True)

    def _batches(
        self, table: str, schema: dict[str, pl.DataType], *, literal: bool = False
    ) -> Iterator[pl.DataFrame]:
        columns = list(schema)
        listing = ", ".join(_quoted(column) for column in columns)
        query = f"SELECT {listing} FROM {_quoted(table)}"  # noqa: S608 - quoted, known names
        cursor = self._connection.execute(query)
        yield pl.DataFrame(schema=schema)
        while rows := cursor.fetchmany(_BATCH_ROWS):
            cells = zip(*rows, strict=True)
            yield pl.DataFrame(
                {c: _series(v, schema[c], literal) for c, v in zip(columns, cells, strict=True)}
            )

    def _dtype(self, table: str, column: str) -> pl.DataType:
        """Choose the type that holds every cell: SQLite types cells, not columns."""
        query = f"SELECT DISTINCT typeof({_quoted(column)}) FROM {_quoted(table)}"  # noqa: S608
        kinds = {kind for (kind,) in self._connection.execute(query)} - {"null"}
        if kinds == {"integer"}:
            return pl.Int64()
        return pl.Float64() if kinds and kinds <= {"integer", "real"} else pl.String()


def _series(values: Sequence[object], dtype: pl.DataType, literal: bool) -> pl.Series:
    if literal:
        values = [int(v) if isinstance(v, float) and v.is_integer() else v for v in values]
    if dtype == pl.String:
        values = [None if value is None else _text(value) for value in values]
    return pl.Series(values, dtype=dtype)


def _text(value: object) -> str:
    return value.decode(errors="replace") if isinstance(value, bytes) else str(value)


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
