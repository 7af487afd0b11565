"""What every cleaner is, and where they are found.

In: one table, or one part of it. Out: :class:`~shopsynth.schema.Cleaned`: the rows that stay and
the rows taken out, each with its reason.

Rows are cleaned part by part; all rows of a user lie in one part. So a rule for ``events`` may
look at one row or at one user, never across users: besides scale, that keeps cleaning free of
charge in privacy mode ``dp``. Rules for ``items`` see the whole catalogue.

To add one: a file in this folder named after the method, holding a class decorated with
``@register("<the file's name>")``, and the name in :data:`~shopsynth.clean.settings.ORDER`.
"""

from dataclasses import dataclass
from typing import ClassVar, Protocol

import polars as pl

from shopsynth.clean.settings import CleanSettings
from shopsynth.schema import Cleaned, Registry


@dataclass(frozen=True)
class CleanContext:
    """What a cleaner may know besides the rows.

    Attributes:
        settings: The recipe's ``[clean]`` block.
        item_ids: Ids of the cleaned catalogue; ``None`` while the catalogue itself is cleaned.
        query_ids: Ids of the cleaned queries; ``None`` where the shop has none or they are not
            at hand.
    """

    settings: CleanSettings
    item_ids: pl.Series | None = None
    query_ids: pl.Series | None = None


class Cleaner(Protocol):
    """One rule, or a few of one kind.

    Class attributes:
        tables: Tables the rule is for; it is skipped for others.
    """

    tables: ClassVar[frozenset[str]]

    def clean(self, table: str, frame: pl.DataFrame, context: CleanContext) -> Cleaned:
        """Take rows out or normalise cells; keep the order of the rows that stay.

        Cleaning the result again must change nothing.

        Args:
            table: The table's name, one of ``tables``.
            frame: Its rows, standard columns and attributes.
            context: Settings and the catalogue.
        """


CLEANERS: Registry[Cleaner] = Registry(
    "clean", support=frozenset({"dataset", "reasons", "taking_out"})
)
"""All methods of the room."""

register = CLEANERS.register
