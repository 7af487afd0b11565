"""Items as records that a prompt may show.

In: the catalogue and the columns that may leave. Out: a row of cells an item, and the longest text
of each column.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

import polars as pl

from shopsynth.generate.llm import Cell
from shopsynth.schema import TABLES, SchemaError

_LENGTHS = {"title": 300, "brand": 80, "category": 200, "description": 1_000}
_ATTRIBUTE = 120
"""Characters of an attribute: what is longer is a text of its own."""


@dataclass(frozen=True)
class Records:
    """The items that can be written about.

    Attributes:
        items: Items with something to say in one of the columns, by id.
        fields: Column to the most characters of it that are sent.
        brands: Brands of the shop, sorted.
    """

    items: pl.DataFrame
    fields: Mapping[str, int]
    brands: tuple[str, ...]

    @classmethod
    def of(cls, items: pl.DataFrame, columns: Sequence[str], method: str) -> Self:
        """Choose columns and items.

        Args:
            items: The catalogue.
            columns: Wanted columns; none for all that describe an item.
            method: The method's name, for the message.

        Raises:
            SchemaError: If a wanted column is missing, or is not text or numbers.
        """
        able = [name for name, kind in items.schema.items() if _describes(name, kind)]
        unknown = sorted(set(columns) - set(able))
        if unknown:
            raise SchemaError(
                f"generate.{method}.options.columns: expected columns of items that are texts or "
                f"numbers, got {', '.join(unknown)}; the shop has {', '.join(able) or 'none'}"
            )
        if not columns:
            standard = TABLES["items"].columns
            columns = [name for name in able if name in _LENGTHS or name not in standard]
        said = pl.any_horizontal(
            [pl.col(name).cast(pl.String).str.contains(r"[\p{L}\p{N}]") for name in columns]
            or [pl.lit(False)]
        )
        named = (
            items["brand"].drop_nulls()
            if "brand" in items.columns
            else pl.Series([], dtype=pl.String)
        )
        return cls(
            items=items.unique("item_id", keep="first").filter(said).sort("item_id"),
            fields={name: _LENGTHS.get(name, _ATTRIBUTE) for name in columns},
            brands=tuple(named.unique().sort().to_list()),
        )

    def record(self, number: int) -> dict[str, Cell]:
        """Return what may be sent of one item: its filled cells, cut."""
        row = self.items.row(number, named=True)
        found = {name: _cut(row[name], most) for name, most in self.fields.items()}
        return {name: cell for name, cell in found.items() if cell is not None and cell != ""}

    def item_id(self, number: int) -> str:
        """Return an item's id."""
        return str(self.items["item_id"][number])


def _describes(name: str, kind: pl.DataType) -> bool:
    """Tell whether a column says something of the product itself."""
    plain = kind == pl.String or kind.is_numeric() or kind == pl.Boolean
    return plain and name not in ("item_id", "image")


def _cut(cell: Cell, most: int) -> Cell:
    return cell[:most] if isinstance(cell, str) else cell
