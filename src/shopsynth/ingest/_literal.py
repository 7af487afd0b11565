"""Literal reading: no cell of one person decides how another's is read.

In: a block of the recipe and the readers it goes to. Out: what the block leaves to be found out
from everybody's rows, though it would have to be declared.

Mode dp reads so: encoding, delimiter, header and date format are declared; ids are taken as they
are written; a cell that does not parse takes out its own row and no other.
"""

from collections.abc import Collection
from pathlib import Path

from shopsynth.ingest._files import reader_of_suffix
from shopsynth.ingest.base import reader_name
from shopsynth.ingest.settings import TableSource
from shopsynth.schema import TABLES, TIMESTAMP

PERSONAL_TABLES = ("users", "events", "queries", "reviews")
"""Tables whose rows people made."""

_WRITE = {
    "encoding": 'for example encoding = "utf-8"',
    "delimiter": 'for example delimiter = ","',
    "header": "name the columns in the first row, and write header = true",
    "columns": 'for example columns = { user_id = "user", item_id = "product" }',
    "date_format": 'for example date_format = "%Y-%m-%d %H:%M:%S"',
}


def readers_by_name(source: TableSource) -> set[str]:
    """Name the readers of a source and its joins, as far as format and paths tell them.

    Example:
        >>> readers_by_name(TableSource(path="events.csv.gz"))
        {'delimited'}
    """
    own = reader_name(source.format) if source.format != "auto" else _reader_of_path(source.path)
    return {own, *(_reader_of_path(join.path) for join in source.joins)} - {""}


def _reader_of_path(path: str) -> str:
    return "database" if "://" in path else reader_of_suffix(Path(path))


def undeclared(name: str, source: TableSource, readers: Collection[str]) -> list[str]:
    """List what the block of a personal table has to declare and does not.

    Args:
        name: Standard table.
        source: The recipe's block.
        readers: Registered names of the readers of the source and its joins.

    Returns:
        One sentence a fault. Empty: enough is declared, or nobody made the table's rows.
    """
    if name not in PERSONAL_TABLES:
        return []
    cells, lines = {"delimited", "atomic"} & set(readers), "json_lines" in readers
    # Without a header the rows vote on how many columns there are.
    open_facts = {
        "encoding": bool(cells) and source.encoding is None,
        "delimiter": "delimited" in cells and source.delimiter is None,
        "header": "delimited" in cells and not source.header,
        "columns": lines and not source.columns,
        "date_format": (bool(cells) or lines)
        and source.date_format is None
        and _has_times(name, source),
    }
    return [
        f"shop.{name}.{key}: mode dp expects it declared, got "
        f"{'false' if getattr(source, key) is False else 'none'}; it would be found out from "
        f"everybody's rows: {_WRITE[key]}"
        for key, is_open in open_facts.items()
        if is_open
    ]


def _has_times(name: str, source: TableSource) -> bool:
    """Say whether a block may read times; without a mapping the standard names are read."""
    times = {column for column, dtype in TABLES[name].columns.items() if dtype == TIMESTAMP}
    return bool(times & set(source.columns)) if source.columns else bool(times)
