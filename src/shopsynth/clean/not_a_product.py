"""``not_a_product``: postage, fees and vouchers are no products.

In: items and events. Out: the rows whose item id holds the recipe's ``item_id_pattern``; the
others with the reason ``not_a_product``.
"""

from typing import ClassVar

import polars as pl

from shopsynth.clean.base import CleanContext, register
from shopsynth.clean.taking_out import take_out
from shopsynth.schema import Cleaned, no_rejects


@register("not_a_product")
class NotAProduct:
    """Reject rows whose item id does not match the pattern; without a pattern, none."""

    tables: ClassVar[frozenset[str]] = frozenset({"items", "events"})

    def clean(self, table: str, frame: pl.DataFrame, context: CleanContext) -> Cleaned:
        """Match each distinct id once: a part has far fewer items than events."""
        pattern = context.settings.item_id_pattern
        if pattern is None:
            return Cleaned(frame, no_rejects())
        ids = frame["item_id"].unique()
        others = ids.filter(~ids.str.contains(pattern))
        if others.is_empty():
            return Cleaned(frame, no_rejects())
        return take_out(table, frame, {"not_a_product": pl.col("item_id").is_in(others.implode())})
