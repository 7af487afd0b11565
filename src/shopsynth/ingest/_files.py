"""Files on disk: finding them, opening them whatever their compression, telling what they are.

In: a path of a recipe. Out: files, byte streams, hashes, or a :class:`SourceError` that says what
to do.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from difflib import get_close_matches
from functools import lru_cache
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa

from shopsynth.ingest.base import reader_name
from shopsynth.schema import SourceError, sha256_of_file

_COMPRESSED = (".gz", ".zst", ".zstd")
_READERS_BY_SUFFIX = {
    ".csv": "delimited",
    ".tsv": "delimited",
    ".psv": "delimited",
    ".txt": "delimited",
    ".json": "json_lines",
    ".jsonl": "json_lines",
    ".ndjson": "json_lines",
    ".parquet": "parquet",
    ".pq": "parquet",
    ".inter": "atomic",
    ".item": "atomic",
    ".user": "atomic",
}
_FOREIGN = (
    (b"PK\x03\x04", "a ZIP archive (or an Excel workbook)", "unpack it, or save it as CSV"),
    (b"PK\x05\x06", "an empty ZIP archive", "export it again"),
    (b"BZh", "compressed by bzip2", "recompress it with gzip or zstd"),
    (b"\xfd7zXZ\x00", "compressed by xz", "recompress it with gzip or zstd"),
    (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive", "unpack it"),
    (b"Rar!", "a RAR archive", "unpack it"),
    (b"\xd0\xcf\x11\xe0", "an old Excel workbook", "save it as CSV"),
    (b"%PDF", "a PDF document", "export the data as CSV"),
    (b"\x89PNG", "a PNG picture", "name a data file"),
    (b"\xff\xd8\xff", "a JPEG picture", "name a data file"),
)
_HEAD_BYTES = 64 << 10
_GLOB_SIGNS = "*?["
_MAX_NAMES = 12


def find_files(path: str, base: Path) -> list[Path]:
    """List the data files a recipe's path means, sorted by name.

    Args:
        path: A file, a folder (its data files, not those of sub-folders) or a glob.
        base: Folder that relative paths start from.

    Raises:
        SourceError: If nothing is there, or nothing readable.
    """
    target = base / path
    with reading(path):
        if target.is_dir():
            return _files_of_folder(target)
        if target.exists():
            return [target]
        if any(sign in path for sign in _GLOB_SIGNS):
            root = Path(target.anchor or ".")
            found = sorted(f for f in root.glob(str(target.relative_to(root))) if f.is_file())
            if found:
                return found
            raise SourceError(f"{path}: expected at least one file to match, found none")
        folder = target.parent
        names = [f.name for f in folder.iterdir()] if folder.is_dir() else []
    raise SourceError(
        f"{path}: no such file; {_near_files(target.name, names)}"
        if folder.is_dir()
        else f"{path}: no such file, and no such folder either; paths start at the recipe's folder"
    )


def _near_files(name: str, names: Sequence[str]) -> str:
    """Say which file was probably meant, or which data files are there."""
    close = get_close_matches(name, names, n=1)
    if close:
        return f"in its folder, did you mean {close[0]!r}?"
    kinds = sorted(n for n in names if _plain_suffix(Path(n)) in _READERS_BY_SUFFIX)
    return (
        f"its folder has {', '.join(kinds[:_MAX_NAMES]) or 'no data files'}"
        + (f" and {len(kinds) - _MAX_NAMES:,} more" if len(kinds) > _MAX_NAMES else "")
        + "; correct the path"
    )


def _files_of_folder(folder: Path) -> list[Path]:
    every = sorted(f for f in folder.iterdir() if f.is_file() and not f.name.startswith("."))
    found = [f for f in every if _plain_suffix(f) in _READERS_BY_SUFFIX]
    if not found:
        kinds = ", ".join(sorted({f.suffix or "no suffix" for f in every})) or "no files"
        raise SourceError(
            f"{folder.name}: expected data files ({', '.join(_READERS_BY_SUFFIX)}, also .gz or "
            f".zst), found {kinds}; name a file or another folder"
        )
    return found


def reader_of_suffix(file: Path) -> str:
    """Name the reader that a file's suffix speaks of; empty if it speaks of none."""
    return _READERS_BY_SUFFIX.get(_plain_suffix(file), "")


def _plain_suffix(file: Path) -> str:
    suffixes = [s.lower() for s in file.suffixes]
    if suffixes and suffixes[-1] in _COMPRESSED:
        suffixes.pop()
    return suffixes[-1] if suffixes else ""


def reader_of(file: Path, format_name: str) -> str:
    """Name the reader of a file: the recipe's word, else by content, else by suffix.

    Raises:
        SourceError: If the content is of a kind that no reader can read.
    """
    if format_name != "auto":
        return reader_name(format_name)
    head = file_head(file)
    if head.startswith(b"PAR1"):
        return "parquet"
    if head.startswith(b"SQLite format 3\x00") or head[8:12] == b"DUCK":
        return "database"
    by_suffix = _READERS_BY_SUFFIX.get(_plain_suffix(file))
    if by_suffix in (None, "delimited") and head.lstrip().startswith(b'{"'):
        return "json_lines"
    return by_suffix or "delimited"


def file_head(file: Path) -> bytes:
    """Return the first bytes of a file, decompressed.

    Raises:
        SourceError: If the file is empty, unreadable or a foreign kind such as a ZIP archive.
    """
    with reading(file.name), open_bytes(file) as stream:
        return bytes(stream.read(_HEAD_BYTES))


def open_bytes(file: Path) -> Any:
    """Open a file for reading, decompressed by what it holds, whatever its name.

    Returns:
        A ``pyarrow.NativeFile``.

    Raises:
        SourceError: If the file is empty or a foreign kind such as a ZIP archive.
    """
    with file.open("rb") as stream:
        magic = stream.read(8)
    if not magic:
        raise SourceError(f"{file.name}: expected data, the file is empty (0 bytes); export again")
    for sign, kind, remedy in _FOREIGN:
        if magic.startswith(sign):
            raise SourceError(
                f"{file.name}: expected CSV, JSON lines, Parquet or a database file, "
                f"this is {kind}; {remedy}, then name the result in `path`"
            )
    raw = pa.OSFile(str(file), "rb")
    if magic.startswith(b"\x1f\x8b"):
        return pa.CompressedInputStream(raw, "gzip")
    if magic.startswith(b"\x28\xb5\x2f\xfd"):
        return pa.CompressedInputStream(raw, "zstd")
    return raw


@contextmanager
def reading(where: str) -> Iterator[None]:
    """Turn what the operating system and the parsers raise into one :class:`SourceError`.

    Args:
        where: Name of the file, for the message.
    """
    try:
        yield
    except PermissionError as error:
        raise SourceError(
            f"{where}: expected a readable file, this account may not read it; "
            "change its permissions or copy it"
        ) from error
    except (OSError, EOFError) as error:
        if "runcated" in str(error):
            raise SourceError(
                f"{where}: the compressed file ends too early; copy or download it again"
            ) from error
        raise SourceError(f"{where}: cannot be read ({_kind_of(error)}); check the file") from error
    except (pa.ArrowException, pl.exceptions.PolarsError) as error:
        raise SourceError(
            f"{where}: the content is damaged or not of the expected format "
            f"({type(error).__name__}); export or copy it again"
        ) from error


def _kind_of(error: Exception) -> str:
    return getattr(error, "strerror", None) or type(error).__name__


def shown(path: str) -> str:
    """Name a path in a message: a file's last part; a URL without user, password and options.

    Example:
        >>> shown("postgresql://ann:secret@db.example/shop?sslmode=require")
        'postgresql://db.example/shop'
    """
    scheme, separator, rest = path.partition("://")
    if not separator:
        return Path(path).name
    return f"{scheme}://{rest.split('?')[0].rpartition('@')[2]}"


def part_path(file: Path, base: Path) -> str:
    """Name a file as parts do: relative to ``base`` where it lies below it."""
    return (file.relative_to(base) if file.is_relative_to(base) else file.absolute()).as_posix()


def file_sha256(file: Path) -> str:
    """Hash a file's bytes; the hash of an unchanged file is remembered within the process."""
    with reading(file.name):
        facts = file.stat()
        return _sha256_at(file, facts.st_size, facts.st_mtime_ns)


@lru_cache(maxsize=4096)
def _sha256_at(file: Path, size_bytes: int, mtime_ns: int) -> str:
    del size_bytes, mtime_ns  # they are the cache's key: a changed file is hashed again
    return sha256_of_file(file)
