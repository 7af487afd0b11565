"""``review``: no text of the holdout is known in training.

In: reviews. Out: the same with their ``part``, decided by the text alone, as for queries.
"""

from typing import ClassVar

import polars as pl

from shopsynth.split.base import TimeCuts, register
from shopsynth.split.query import assign_texts
from shopsynth.split.settings import SplitSettings


@register("review")
class Review:
    """Draw reviews by the hash of their text."""

    table: ClassVar[str] = "reviews"

    def assign(
        self, rows: pl.DataFrame, settings: SplitSettings, cuts: TimeCuts | None
    ) -> pl.DataFrame:
        """Assign with seed 0."""
        return assign_texts(rows, settings)
