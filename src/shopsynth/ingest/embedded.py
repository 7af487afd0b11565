"""The shop that ships inside the package: UCI Online Retail, reduced.

In: ``embedded:online-retail``. Out: its invoice lines, columns as upstream (see
``embedded/ATTRIBUTION.md`` for the origin, the licence and the changes).
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.resources import as_file, files
from pathlib import Path

from shopsynth.ingest.base import RawRows, SourcePart, make_reader, register
from shopsynth.ingest.settings import TableSource
from shopsynth.schema import SourceError, nearest

SCHEME = "embedded:"
_FILES = {"online-retail": "online_retail.parquet"}


@register("embedded")
class EmbeddedReader:
    """Reads a data set that is part of the package; a data set is one part."""

    def parts(self, path: str, source: TableSource, base: Path) -> list[SourcePart]:
        """Return the data set as one part; see :meth:`Reader.parts`."""
        _file_name(path)
        return [SourcePart("embedded", path)]

    def columns(self, part: SourcePart, source: TableSource, base: Path) -> list[str]:
        """Name the columns; see :meth:`Reader.columns`."""
        with _parquet(part) as whole:
            return make_reader("parquet").columns(whole, source, base)

    def fingerprint(self, part: SourcePart, source: TableSource, base: Path) -> str:
        """Hash the file; see :meth:`Reader.fingerprint`."""
        with _parquet(part) as whole:
            return make_reader("parquet").fingerprint(whole, source, base)

    def read(
        self, part: SourcePart, source: TableSource, base: Path, columns: Sequence[str]
    ) -> RawRows:
        """Read the wanted columns; see :meth:`Reader.read`."""
        with _parquet(part) as whole:
            return make_reader("parquet").read(whole, source, base, columns)


def _file_name(path: str) -> str:
    name = path.removeprefix(SCHEME)
    if name not in _FILES:
        raise SourceError(f"{SCHEME}…: no such data set is shipped; {nearest(name, _FILES)}")
    return _FILES[name]


@contextmanager
def _parquet(part: SourcePart) -> Iterator[SourcePart]:
    """Give the data set as a part of an ordinary Parquet file, also from a zipped package."""
    resource = files("shopsynth.ingest").joinpath("embedded", _file_name(part.path))
    with as_file(resource) as file:
        yield SourcePart("parquet", str(file), part.start, part.n_rows)
