"""Ranking: what a model answered.

In: scores of a ranker. Out: the best items of every unit, with ties told honestly.
"""

from dataclasses import dataclass

import polars as pl

from shopsynth.schema.errors import SchemaError

RANKING_COLUMNS = {
    "unit_id": pl.String(),
    "item_id": pl.String(),
    "score": pl.Float32(),
    "rank": pl.Float64(),
}


@dataclass(frozen=True)
class Ranking:
    """Every unit's best items over the full catalogue.

    Attributes:
        frame: Columns ``unit_id`` (user or query), ``item_id``, ``score`` (higher is better) and
            ``rank`` (from 1; equal scores share their mean rank, so 2.5 is possible). A tie that
            reaches beyond the list still counts all of its items in the mean rank.

    Raises:
        SchemaError: If the columns or types differ.
    """

    frame: pl.DataFrame

    def __post_init__(self) -> None:
        if dict(self.frame.schema) != RANKING_COLUMNS:
            raise SchemaError(
                f"Ranking: expected columns {RANKING_COLUMNS}, got {dict(self.frame.schema)}"
            )
