"""Which source columns feed which standard columns.

In: the recipe's block and the columns a source has. Out: a :class:`Selection`, or one error with
every fault.
"""

from dataclasses import dataclass

from shopsynth.ingest.settings import TableSource
from shopsynth.schema import TABLES, SourceError, collect, nearest

_MADE = {("reviews", "review_id")}
"""Required columns that reading makes where a source lacks them."""


@dataclass(frozen=True)
class Selection:
    """The columns to read for one table.

    Attributes:
        standard: Standard column to source column.
        attributes: Source columns that travel along under their own name.
        defaults: Standard column to the constant that stands in for it.
    """

    standard: dict[str, str]
    attributes: tuple[str, ...]
    defaults: dict[str, str | int | float]

    def source_columns(self) -> list[str]:
        """List the source columns to read, each once."""
        return list(dict.fromkeys((*self.standard.values(), *self.attributes)))


def select_columns(name: str, source: TableSource, present: list[str], where: str) -> Selection:
    """Match a recipe's block with what the source has.

    Args:
        name: Standard table.
        source: The recipe's block.
        present: The source's columns, in order.
        where: File or database table, for messages.

    Raises:
        SourceError: With every column that is named and missing, unknown or needed.
    """
    spec = TABLES[name]
    standard = source.columns or {c: c for c in spec.columns if c in present}
    # A constant stands in for a missing column only; a column that is there is believed.
    defaults = {c: value for c, value in source.defaults.items() if c not in standard}
    attributes = source.attributes
    if not source.columns and not attributes:
        attributes = tuple(c for c in present if c not in spec.columns)
    faults = [
        f"columns: the table {name} has no standard column {c}; {nearest(c, spec.columns)}"
        for c in dict.fromkeys((*standard, *source.defaults))
        if c not in spec.columns
    ]
    faults += [
        f"expected the column {c} that the recipe names; {nearest(c, present)}"
        for c in dict.fromkeys((*standard.values(), *attributes))
        if c not in present
    ]
    faults += [
        f"attributes: {c} is a standard column; name it under columns"
        for c in attributes
        if c in spec.columns
    ]
    faults += _missing(name, {*standard, *defaults}, present)
    collect(f"{where}, table {name}", faults, SourceError)
    return Selection(dict(standard), attributes, defaults)


def _missing(name: str, found: set[str], present: list[str]) -> list[str]:
    spec = TABLES[name]
    listing = f"present: {', '.join(present) or 'none'}"
    faults = [
        f"the required column {c} is not mapped; {listing}. Add it under columns"
        for c in spec.required
        if c not in found and (name, c) not in _MADE
    ]
    if spec.one_of and not found & set(spec.one_of):
        faults.append(f"one of {', '.join(spec.one_of)} must be mapped; {listing}")
    return faults
