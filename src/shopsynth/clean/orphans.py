"""``orphans``: every row refers to something that exists.

In: tables that name an item or a query. Out: the rows whose item is in the cleaned catalogue and
whose query is among the cleaned queries; the others with the reason ``unknown_item`` or
``unknown_query``.
"""

from typing import ClassVar

import polars as pl

from shopsynth.clean.base import CleanContext, register
from shopsynth.clean.taking_out import take_out
from shopsynth.schema import Cleaned


@register("orphans")
class Orphans:
    """Reject rows that point nowhere, as far as the context tells what exists.

    Not for ``relations``: their tails may be brands or categories. The query of an event is
    optional, so an unknown one does not cost the event.
    """

    tables: ClassVar[frozenset[str]] = frozenset({"events", "judgments", "reviews", "images"})

    def clean(self, table: str, frame: pl.DataFrame, context: CleanContext) -> Cleaned:
        """Check each reference the context can check."""
        rules = {}
        if context.item_ids is not None:
            rules["unknown_item"] = ~pl.col("item_id").is_in(context.item_ids.implode())
        if context.query_ids is not None and table == "judgments":
            rules["unknown_query"] = ~pl.col("query_id").is_in(context.query_ids.implode())
        return take_out(table, frame, rules)
