"""Sources to parts.

In: a recipe's block. Out: the independently readable pieces of what it names, in a fixed order.
"""

from pathlib import Path

from shopsynth.ingest._files import find_files, part_path, reader_of, shown
from shopsynth.ingest.base import SourcePart, make_reader
from shopsynth.ingest.settings import TableSource
from shopsynth.schema import SourceError


def list_parts(source: TableSource, base: Path) -> list[SourcePart]:
    """Cut a source into pieces that can be read independently, in a fixed order.

    Args:
        source: The recipe's block.
        base: Folder that relative paths start from.

    Raises:
        SourceError: If nothing readable is there, no part has rows, or files of one source differ
            in the columns they are read for.
    """
    parts = [
        part
        for reader, path in _locations(source, base)
        for part in make_reader(reader).parts(path, source, base)
    ]
    if all(part.n_rows == 0 for part in parts):
        raise SourceError(
            f"{shown(source.path)}: expected rows, found only column names; "
            "export again, or name another file"
        )
    _check_same_columns(parts, source, base)
    return parts


def _locations(source: TableSource, base: Path) -> list[tuple[str, str]]:
    """List the files or URLs of a source, each with its reader's name."""
    if "://" in source.path:
        named = source.format if source.format != "auto" else "database"
        return [(named, source.path)]
    if source.path.startswith("embedded:"):
        return [("embedded", source.path)]
    files = find_files(source.path, base)
    return [(reader_of(file, source.format), part_path(file, base)) for file in files]


def _check_same_columns(parts: list[SourcePart], source: TableSource, base: Path) -> None:
    first_of_file = {part.path: part for part in reversed(parts)}
    if len(first_of_file) < 2 or source.columns:
        # With a mapping, every part is checked against it when it is read.
        return
    columns = {
        path: set(make_reader(part.reader).columns(part, source, base))
        for path, part in sorted(first_of_file.items())
    }
    usual = next(iter(columns.values()))
    for path, names in columns.items():
        if names != usual:
            lacking = ", ".join(sorted(usual - names)) or "none"
            extra = ", ".join(sorted(names - usual)) or "none"
            raise SourceError(
                f"{shown(path)}: expected the columns of {shown(next(iter(columns)))}, as files of "
                f"one source have the same; missing: {lacking}; extra: {extra}. "
                "Name the columns under `columns`, or give the file its own table"
            )
