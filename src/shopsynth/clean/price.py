"""``price``: no price below zero.

In: items and events. Out: the rows whose price is possible; the others with the reason
``negative_price`` or ``invalid_price`` (NaN or infinite). No price and a price of zero (gifts,
samples) stay.
"""

from typing import ClassVar

import polars as pl

from shopsynth.clean.base import CleanContext, register
from shopsynth.clean.taking_out import take_out
from shopsynth.schema import Cleaned, no_rejects


@register("price")
class Price:
    """Reject impossible prices. Not for outliers: a dear product is a product."""

    tables: ClassVar[frozenset[str]] = frozenset({"items", "events"})

    def clean(self, table: str, frame: pl.DataFrame, context: CleanContext) -> Cleaned:
        """Apply both rules if the table has a price."""
        if "price" not in frame.columns:
            return Cleaned(frame, no_rejects())
        price = pl.col("price")
        rules = {"invalid_price": ~price.is_finite(), "negative_price": price < 0}
        return take_out(table, frame, rules)
