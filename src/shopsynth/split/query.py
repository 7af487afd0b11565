"""``query``: no query of the holdout is known in training.

In: queries. Out: the same with their ``part``, decided by the text alone: queries that differ
only in case, width or blanks share a part, and a query keeps its part when the shop grows.
"""

from typing import ClassVar

import polars as pl

from shopsynth.schema import stable_bucket
from shopsynth.split.base import TEST, TRAIN, VALIDATION, TimeCuts, register, with_part
from shopsynth.split.settings import SplitSettings

_N_BUCKETS = 1_000_000
"""Fine enough for any share; the buckets of a text never change."""


@register("query")
class Query:
    """Draw queries by the hash of their text."""

    table: ClassVar[str] = "queries"

    def assign(
        self, rows: pl.DataFrame, settings: SplitSettings, cuts: TimeCuts | None
    ) -> pl.DataFrame:
        """Assign with seed 0."""
        return assign_queries(rows, settings)


def assign_queries(queries: pl.DataFrame, settings: SplitSettings, seed: int = 0) -> pl.DataFrame:
    """Say for every query whether it is train, validation or test.

    Args:
        queries: Rows with the column ``text``.
        settings: The recipe's ``[split]`` block; ``validation`` and ``test`` are expected shares
            of distinct queries.
        seed: Another number is another draw.

    Returns:
        The queries in the same order, with the column ``part``.

    Example:
        >>> queries = pl.DataFrame({"text": ["Red  mug", "red mug"]})
        >>> assign_queries(queries, SplitSettings())["part"].n_unique()
        1
    """
    text = (
        pl.col("text")
        .str.normalize("NFKC")
        .str.to_lowercase()
        .str.replace_all(r"\s+", " ")
        .str.strip_chars()
    )
    keys = queries.select((pl.lit(f"{seed}:") + text).alias("key"))["key"]
    bucket = pl.lit(stable_bucket(keys, _N_BUCKETS))
    part = (
        pl.when(bucket < round(settings.test * _N_BUCKETS))
        .then(pl.lit(TEST))
        .when(bucket < round((settings.test + settings.validation) * _N_BUCKETS))
        .then(pl.lit(VALIDATION))
        .otherwise(pl.lit(TRAIN))
    )
    return with_part(queries, part)
