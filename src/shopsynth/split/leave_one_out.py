"""``leave_one_out``: each user's last event judges, the one before it chooses settings.

In: events. Out: the same with their ``part``. For comparison with published tables only: a
user's training events may be later than another user's test event, which flatters every model.
"""

from typing import ClassVar

import polars as pl

from shopsynth.schema import order_column
from shopsynth.split.base import TEST, TRAIN, VALIDATION, TimeCuts, register, with_part
from shopsynth.split.settings import SplitSettings

_MIN_EVENTS = 3
"""A user with fewer has nothing left to learn from; the published sets hold no such user."""


@register("leave_one_out")
class LeaveOneOut:
    """Take each user's last event for test and the one before for validation.

    Events are ordered by ``timestamp``, else ``position``; ties keep row order. Users with fewer
    than three events stay in train whole.

    Source:
        Kang and McAuley, Self-Attentive Sequential Recommendation, ICDM 2018 (section IV).
    """

    table: ClassVar[str] = "events"

    def assign(
        self, rows: pl.DataFrame, settings: SplitSettings, cuts: TimeCuts | None
    ) -> pl.DataFrame:
        """Count each user's events from the last one back."""
        n_events = pl.len().over("user_id")
        from_last = n_events - pl.col(order_column(rows)).rank("ordinal").over("user_id")
        enough = n_events >= _MIN_EVENTS
        part = (
            pl.when(enough & (from_last == 0))
            .then(pl.lit(TEST))
            .when(enough & (from_last == 1))
            .then(pl.lit(VALIDATION))
            .otherwise(pl.lit(TRAIN))
        )
        return with_part(rows, part)
