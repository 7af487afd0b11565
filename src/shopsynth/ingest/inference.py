"""From files nobody described to the ``[shop.*]`` blocks of a recipe.

In: a file, several, a folder or a database URL. Out: an :class:`Inference`: which source feeds
which standard table by which columns, why, and what to check by hand.

Names speak first (English and Chinese), values confirm: a timestamp must be times, a price numbers,
a catalogue's id must not repeat. Files without names are told apart by their values alone.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from shopsynth.ingest._evidence import are_chinese, id_pattern
from shopsynth.ingest._files import find_files, part_path, reader_of, shown
from shopsynth.ingest._findings import find_tables
from shopsynth.ingest._parts import list_parts
from shopsynth.ingest._profile import profile_of
from shopsynth.ingest._recipe_text import Finding, recipe_text
from shopsynth.ingest.base import make_reader
from shopsynth.ingest.database import table_names
from shopsynth.ingest.settings import ShopSettings, TableSource
from shopsynth.schema import SourceError

_MAX_NAMES = 12
_MAX_NAME_CHARS = 40


@dataclass(frozen=True)
class Inference:
    """What a shop's files seem to be.

    Attributes:
        shop: The blocks, ready to be read.
        notes: Why each role was chosen, what is uncertain, which files were left out.
        event_type: GA4 word that all events seem to be, or ``None`` where a column says it or
            nothing does.
        item_id_pattern: Regular expression that nearly all item ids match while a few codes
            (postage, fees) do not, or ``None``.
        is_chinese: Most titles, searches or reviews have Chinese characters.
        findings: One a table, behind ``shop`` and ``notes``.
    """

    shop: ShopSettings
    notes: tuple[str, ...]
    event_type: str | None
    item_id_pattern: str | None
    is_chinese: bool
    findings: tuple[Finding, ...]

    def to_toml(self) -> str:
        """Write the ``[shop.*]`` blocks with the reasons as comments."""
        return recipe_text(self.findings)


def infer_shop(paths: Sequence[str], base: Path | None = None) -> Inference:
    """Find out which standard tables a shop's files hold.

    Args:
        paths: Files, folders, globs, database URLs or ``embedded:online-retail``.
        base: Folder that the recipe will lie in; paths below it are written relative to it.
            Default: the current folder.

    Raises:
        SourceError: If a path cannot be read, or nothing that looks like items or events is found.
    """
    base = (base or Path.cwd()).absolute()
    profiles, notes = [], []
    for source, label in _candidates(paths, base):
        try:
            profiles.append(profile_of(source, list_parts(source, base)[0], label, base))
        except SourceError as error:
            if len(paths) == 1 and "://" not in paths[0] and (base / paths[0]).is_file():
                raise
            notes.append(f"left out, it cannot be read: {error}")
    findings, more_notes = find_tables(profiles)
    notes += more_notes
    blocks = {finding.table: finding.source for finding in findings}
    if not {"items", "events", "reviews"} & blocks.keys():
        seen = "; ".join(f"{p.label}: {_listed(list(p.columns))}" for p in profiles)
        raise SourceError(
            "expected a column that names items (item_id, product_id, sku, 商品编号, …), found "
            f"none in {seen or 'these files'}. Write the recipe by hand: [shop.items] columns = …; "
            "events are read one a row, with user, item and time, reviews with a text and a rating "
            "or a class"
        )
    return Inference(
        shop=ShopSettings(**blocks),
        notes=tuple(notes),
        event_type=_event_type(blocks.get("events")),
        item_id_pattern=id_pattern(profiles, findings),
        is_chinese=are_chinese(profiles, findings),
        findings=tuple(findings),
    )


def _event_type(events: TableSource | None) -> str | None:
    constant = events.defaults.get("event_type") if events else None
    return str(constant) if constant is not None else None


def _listed(names: Sequence[str]) -> str:
    """List names for a message: few and short, for what is no table may have data there."""
    shown_names = ", ".join(name[:_MAX_NAME_CHARS] for name in names[:_MAX_NAMES])
    return shown_names + (
        f" and {len(names) - _MAX_NAMES:,} more" if len(names) > _MAX_NAMES else ""
    )


def _candidates(paths: Sequence[str], base: Path) -> list[tuple[TableSource, str]]:
    """List every file and database table to look at, with its name in notes.

    Files of one folder or glob that have the same columns are one source: parts of one table.
    """
    found: list[tuple[TableSource, str]] = []
    for path in paths:
        if "://" in path:
            found += _tables_of(path, base)
            continue
        if path.startswith("embedded:"):
            found.append((TableSource(path=path), path))
            continue
        files = find_files(path, base)
        if len(files) > 1 and _have_same_columns(files, base):
            found.append((TableSource(path=part_path((base / path), base)), path))
            continue
        for file in files:
            place = part_path(file.absolute(), base)
            if reader_of(file, "auto") == "database":
                found += _tables_of(place, base)
            else:
                found.append((TableSource(path=place), file.name))
    return found


def _tables_of(location: str, base: Path) -> list[tuple[TableSource, str]]:
    return [
        (TableSource(path=location, table=table), f"{shown(location)}, {table}")
        for table in table_names(location, base)
    ]


def _have_same_columns(files: Sequence[Path], base: Path) -> bool:
    columns = set()
    for file in files:
        source = TableSource(path=str(file))
        try:
            part = list_parts(source, base)[0]
            columns.add(tuple(make_reader(part.reader).columns(part, source, base)))
        except SourceError:
            return False
    return len(columns) == 1
