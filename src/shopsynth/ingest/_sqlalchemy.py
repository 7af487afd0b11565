"""PostgreSQL, and any other server that SQLAlchemy has a driver for.

In: a URL. Out: tables and views, read through a server-side cursor. Needs the extra ``sql``.
"""

import datetime as dt
import decimal
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import polars as pl

from shopsynth.schema import MissingExtraError, SourceError

if TYPE_CHECKING:
    import sqlalchemy

_BATCH_ROWS = 50_000
_DTYPES: dict[type, pl.DataType] = {
    bool: pl.Boolean(),
    int: pl.Int64(),
    float: pl.Float64(),
    decimal.Decimal: pl.Float64(),
    dt.date: pl.Date(),
}


@contextmanager
def open_sqlalchemy(url: str, where: str) -> Iterator["_Server"]:
    """Connect to a database server.

    Args:
        url: The URL, with what is needed to log in.
        where: The URL for messages, without it.

    Raises:
        MissingExtraError: If SQLAlchemy or the driver is not installed.
        SourceError: If the URL is none, or the server refuses or drops the connection.
    """
    try:
        import sqlalchemy
        from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError
    except ImportError as error:
        raise _missing(where) from error
    try:
        engine = sqlalchemy.create_engine(_with_driver(url), poolclass=sqlalchemy.NullPool)
    except (ArgumentError, NoSuchModuleError) as error:
        raise SourceError(
            f"{where}: expected a database URL that SQLAlchemy knows ({type(error).__name__}); "
            "write for example postgresql://host:5432/database, sqlite:///shop.db"
        ) from error
    except ImportError as error:
        raise _missing(where) from error
    try:
        with engine.connect() as connection:
            yield _Server(connection)
    except SQLAlchemyError as error:
        raise SourceError(
            f"{where}: expected an answer from the database ({type(error).__name__}); check that "
            "it runs, host, port and database name, and PGUSER and PGPASSWORD where it asks"
        ) from error
    finally:
        engine.dispose()


def _missing(where: str) -> MissingExtraError:
    return MissingExtraError(
        f"{where}: reading a database server needs SQLAlchemy and a driver; "
        "pip install 'shopsynth[sql]'"
    )


def _with_driver(url: str) -> str:
    scheme, separator, rest = url.partition("://")
    return f"postgresql+psycopg{separator}{rest}" if scheme.startswith("postgres") else url


class _Server:
    keeps_order = False

    def __init__(self, connection: "sqlalchemy.Connection") -> None:
        import sqlalchemy

        self._connection = connection
        self._inspector = sqlalchemy.inspect(connection)

    def tables(self) -> list[str]:
        default = self._inspector.default_schema_name
        names = []
        for schema in self._inspector.get_schema_names():
            if schema in ("information_schema", "pg_catalog"):
                continue
            found = [
                *self._inspector.get_table_names(schema),
                *self._inspector.get_view_names(schema),
                *self._inspector.get_materialized_view_names(schema),
            ]
            names += [name if schema == default else f"{schema}.{name}" for name in found]
        return sorted(names)

    def columns(self, table: str) -> list[str]:
        return [column["name"] for column in self._facts(table)]

    def has_rows(self, table: str) -> bool:
        import sqlalchemy

        query = sqlalchemy.select(sqlalchemy.literal(1)).select_from(self._table(table, []))
        return self._connection.execute(query.limit(1)).first() is not None

    def batches(self, table: str, columns: Sequence[str]) -> Iterator[pl.DataFrame]:
        import sqlalchemy

        types = {column["name"]: _dtype(column["type"]) for column in self._facts(table)}
        schema = {column: types[column] for column in columns}
        selected = self._table(table, columns)
        query = sqlalchemy.select(*(selected.c[column] for column in columns))
        cursor = self._connection.execution_options(
            stream_results=True, max_row_buffer=_BATCH_ROWS
        ).execute(query)
        yield pl.DataFrame(schema=schema)
        for rows in cursor.partitions(_BATCH_ROWS):
            cells = zip(*rows, strict=True)
            yield pl.DataFrame(
                {c: _series(v, schema[c]) for c, v in zip(columns, cells, strict=True)}
            )

    def texts(self, table: str, columns: Sequence[str]) -> Iterator[pl.DataFrame]:
        """Read as ever: the table's definition types its columns."""
        return self.batches(table, columns)

    def _facts(self, table: str) -> list[Any]:
        schema, name = self._split(table)
        return list(self._inspector.get_columns(name, schema))

    def _table(self, table: str, columns: Sequence[str]) -> "sqlalchemy.TableClause":
        import sqlalchemy

        schema, name = self._split(table)
        return sqlalchemy.table(name, *(sqlalchemy.column(c) for c in columns), schema=schema)

    def _split(self, table: str) -> tuple[str | None, str]:
        """Split ``schema.table``; a table of the default schema may hold dots in its own name."""
        if table in self._inspector.get_table_names() + self._inspector.get_view_names():
            return None, table
        schema, separator, name = table.partition(".")
        return (schema, name) if separator else (None, table)


def _dtype(kind: Any) -> pl.DataType:
    try:
        python_type = kind.python_type
    except NotImplementedError:
        return pl.String()
    if python_type is dt.datetime:
        return pl.Datetime("us", "UTC" if getattr(kind, "timezone", False) else None)
    return _DTYPES.get(python_type, pl.String())


def _series(values: Sequence[Any], dtype: pl.DataType) -> pl.Series:
    if dtype == pl.String:
        values = [None if value is None else str(value) for value in values]
    elif dtype == pl.Float64:
        values = [None if value is None else float(value) for value in values]
    elif isinstance(dtype, pl.Datetime) and dtype.time_zone:
        values = [value and value.astimezone(dt.UTC) for value in values]
    return pl.Series(values, dtype=dtype)
