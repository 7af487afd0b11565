"""``few_events``: users of whom too little is known.

In: events that passed every other rule. Out: the events of users with at least
``min_events_per_user``; the others with the reason ``few_events``.
"""

from typing import ClassVar

import polars as pl

from shopsynth.clean.base import CleanContext, register
from shopsynth.clean.taking_out import take_out
from shopsynth.schema import Cleaned, no_rejects


@register("few_events")
class FewEvents:
    """Reject users with few events. All rows of a user lie in one part, so a part suffices."""

    tables: ClassVar[frozenset[str]] = frozenset({"events"})

    def clean(self, table: str, frame: pl.DataFrame, context: CleanContext) -> Cleaned:
        """Count what is left of each user."""
        least = context.settings.min_events_per_user
        if least <= 1:
            return Cleaned(frame, no_rejects())
        return take_out(table, frame, {"few_events": pl.len().over("user_id") < least})
