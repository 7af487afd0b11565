"""``returns``: what came back was not wanted.

In: events. Out: the events that are no returns; the others with the reason ``return`` (type
``refund`` or a negative quantity) or ``zero_quantity`` (corrections in the books).
"""

from typing import ClassVar

import polars as pl

from shopsynth.clean.base import CleanContext, register
from shopsynth.clean.taking_out import take_out
from shopsynth.schema import Cleaned

_REFUND = "refund"
"""The word of GA4 for goods given back."""


@register("returns")
class Returns:
    """Reject returns and events of quantity zero.

    The purchase that a return undoes stays: the customer did choose that item then.
    """

    tables: ClassVar[frozenset[str]] = frozenset({"events"})

    def clean(self, table: str, frame: pl.DataFrame, context: CleanContext) -> Cleaned:
        """Apply what the present columns allow."""
        rules: dict[str, pl.Expr] = {}
        signs = []
        if "event_type" in frame.columns:
            signs.append(pl.col("event_type") == _REFUND)
        if "quantity" in frame.columns:
            signs.append(pl.col("quantity") < 0)
            rules["zero_quantity"] = pl.col("quantity") == 0
        if signs and context.settings.drop_returns:
            # First, so that a refund of quantity zero counts as a return.
            rules = {"return": pl.any_horizontal(signs), **rules}
        return take_out(table, frame, rules)
