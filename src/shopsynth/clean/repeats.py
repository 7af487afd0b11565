"""``repeats``: the same thing is told once.

In: events, and tables with a key. Out: the first row of each key; later ones with the reason
``repeat``.
"""

from typing import ClassVar

import polars as pl

from shopsynth.clean.base import CleanContext, register
from shopsynth.clean.taking_out import take_out
from shopsynth.schema import TABLES, Cleaned, no_rejects, order_column

_CATALOGUE = frozenset({"items"})
"""Has its own rule, ``duplicate_items``."""


@register("repeats")
class Repeats:
    """Reject a row whose key an earlier row has.

    The key of an event is user, item, time and type; of ``images``, item and image; of any other
    table, the key of its specification; of ``reviews``, the user too: nobody's review goes because
    somebody else's has its id. ``drop_repeats`` is about events alone: elsewhere a key that occurs
    twice would break joins.
    """

    tables: ClassVar[frozenset[str]] = frozenset(TABLES) - _CATALOGUE

    def clean(self, table: str, frame: pl.DataFrame, context: CleanContext) -> Cleaned:
        """Look closely only at rows that have a twin; most parts have few."""
        if table == "events" and not context.settings.drop_repeats:
            return Cleaned(frame, no_rejects())
        key = _key(table, frame)
        twins = frame.select(key).is_duplicated()
        if not twins.any():
            return Cleaned(frame, no_rejects())
        later = ~frame.select(key).filter(twins).to_struct().is_first_distinct()
        rows = twins.arg_true().filter(later)
        is_repeat = pl.repeat(False, frame.height, eager=True).scatter(rows, True)
        return take_out(table, frame, {"repeat": pl.lit(is_repeat)})


def _key(table: str, frame: pl.DataFrame) -> list[str]:
    if table == "events":
        key = ["user_id", "item_id", order_column(frame), "event_type"]
        return [column for column in key if column in frame.columns]
    key = list(TABLES[table].key or TABLES[table].required)
    told_by_users = table == "reviews" and "user_id" in frame.columns
    return ["user_id", *key] if told_by_users else key
