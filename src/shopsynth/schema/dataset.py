"""Dataset: one consistent shop in memory.

In: Polars frames with standard column names. Out: the same frames, checked once at the wall.
"""

from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from typing import Any, Self

import polars as pl

from shopsynth.schema.errors import SchemaError, collect
from shopsynth.schema.tables import empty_cell_faults, in_standard_order, table_faults


@dataclass(frozen=True)
class Dataset:
    """The shop's tables; every one but ``items`` may be absent (``None``).

    Columns and types are those of :data:`shopsynth.schema.TABLES`; unknown columns are attributes
    and travel along. Row order is kept: equal timestamps stay in the order of the source. Freshly
    read rows may have empty required cells; ``clean`` rejects them and :meth:`check_filled` says
    whether any are left.

    Raises:
        SchemaError: With every fault of every table, if a frame is not the table it claims to be.

    Example:
        >>> shop = Dataset(items=pl.DataFrame({"item_id": ["a", "b"]}))
        >>> shop.counts()
        {'items': 2}
    """

    items: pl.DataFrame
    users: pl.DataFrame | None = None
    events: pl.DataFrame | None = None
    queries: pl.DataFrame | None = None
    judgments: pl.DataFrame | None = None
    reviews: pl.DataFrame | None = None
    relations: pl.DataFrame | None = None
    images: pl.DataFrame | None = None

    def __post_init__(self) -> None:
        faults = []
        for name, frame in self.tables().items():
            found = table_faults(name, frame)
            faults += [f"table {name}: {fault}" for fault in found]
            if not found:
                object.__setattr__(self, name, in_standard_order(name, frame))
        collect("Dataset", faults, SchemaError)

    def tables(self) -> dict[str, pl.DataFrame]:
        """Return the tables that are present, by name."""
        return dict(self._present())

    def counts(self) -> dict[str, int]:
        """Return the number of rows of every present table."""
        return {name: frame.height for name, frame in self._present()}

    def with_tables(self, **tables: pl.DataFrame | None) -> Self:
        """Return a copy in which the named tables are replaced (``None`` removes one)."""
        changed: dict[str, Any] = dict(tables)
        return replace(self, **changed)

    def check_filled(self, where: str) -> None:
        """Refuse empty cells in required columns: a rule of every type after ``clean``.

        Args:
            where: Name of the type or step that demands it, for the message.

        Raises:
            SchemaError: With every column concerned and its count of empty cells.
        """
        faults = [
            f"table {name}: {fault}"
            for name, frame in self._present()
            for fault in empty_cell_faults(name, frame)
        ]
        collect(where, faults, SchemaError)

    def need(self, name: str) -> pl.DataFrame:
        """Return a table that the caller cannot do without.

        Raises:
            SchemaError: If the shop has no such table.
        """
        frame = self.tables().get(name)
        if frame is None:
            raise SchemaError(
                f"this step needs the table {name}; the shop has {', '.join(self.tables())}. "
                f"Map it in the recipe under [shop.{name}]."
            )
        return frame

    def ordered_events(self) -> pl.DataFrame:
        """Return events by user, each user's in time order (or ``position``), ties in row order.

        Columns as in ``events``. Users are sorted by id, so the result does not depend on the
        order in which parts were read.
        """
        events = self.need("events")
        return events.sort("user_id", order_column(events), maintain_order=True)

    def _present(self) -> Iterator[tuple[str, pl.DataFrame]]:
        for item in fields(self):
            frame = getattr(self, item.name)
            if frame is not None:
                yield item.name, frame


def order_column(events: pl.DataFrame) -> str:
    """Name the column that orders a user's events: ``timestamp``, else ``position``."""
    return "timestamp" if "timestamp" in events.columns else "position"
