"""``query``: no query of the holdout is known in training.

In: queries, or other texts. Out: the same with their ``part``, decided by the text alone: texts
that differ only in case, width or blanks share a part, and a text keeps its part when the shop
grows.
"""

from typing import ClassVar

import polars as pl

from shopsynth.schema import stable_bucket
from shopsynth.split.base import RESERVE, TEST, TRAIN, VALIDATION, TimeCuts, register, with_part
from shopsynth.split.settings import SplitSettings

_N_BUCKETS = 1_000_000
"""Fine enough for any share; the buckets of a text never change."""

_LABELS = "labels:"
"""Salt: which labels are known must not follow which part a text is in."""


@register("query")
class Query:
    """Draw queries by the hash of their text."""

    table: ClassVar[str] = "queries"

    def assign(
        self, rows: pl.DataFrame, settings: SplitSettings, cuts: TimeCuts | None
    ) -> pl.DataFrame:
        """Assign with seed 0."""
        return assign_texts(rows, settings)


def assign_texts(texts: pl.DataFrame, settings: SplitSettings, seed: int = 0) -> pl.DataFrame:
    """Say for every query, or review, whether it is train, validation or test.

    Args:
        texts: Rows with the column ``text``.
        settings: The recipe's ``[split]`` block; ``validation`` and ``test`` are expected shares
            of distinct texts.
        seed: Another number is another draw.

    Returns:
        The rows in the same order, with the column ``part``.

    Example:
        >>> queries = pl.DataFrame({"text": ["Red  mug", "red mug"]})
        >>> assign_texts(queries, SplitSettings())["part"].n_unique()
        1
    """
    bucket = pl.lit(_buckets(texts, f"{seed}:"))
    part = (
        pl.when(bucket < round(settings.test * _N_BUCKETS))
        .then(pl.lit(TEST))
        .when(bucket < round((settings.test + settings.validation) * _N_BUCKETS))
        .then(pl.lit(VALIDATION))
        .otherwise(pl.lit(TRAIN))
    )
    return with_part(texts, part)


def hold_labels_back(assigned: pl.DataFrame, settings: SplitSettings) -> pl.DataFrame:
    """Move training texts whose labels are not known into the reserve.

    Args:
        assigned: Rows of :func:`assign_texts`.
        settings: The recipe's ``[split]`` block; ``train_labels`` is the share that stays.

    Returns:
        The rows in the same order; a row of the reserve has the part ``reserve``.

    Example:
        >>> texts = pl.DataFrame({"text": [f"mug {n}" for n in range(5000)], "part": "train"})
        >>> few = hold_labels_back(texts, SplitSettings(by="query", train_labels=0.1))
        >>> round((few["part"] == "train").mean(), 1)
        0.1
    """
    if not settings.few_labels:
        return assigned
    unknown = pl.lit(_buckets(assigned, _LABELS)) >= round(settings.train_labels * _N_BUCKETS)
    part = pl.col("part")
    return assigned.with_columns(
        pl.when((part == TRAIN) & unknown).then(pl.lit(RESERVE)).otherwise(part).alias("part")
    )


def _buckets(texts: pl.DataFrame, salt: str) -> pl.Series:
    text = (
        pl.col("text")
        .str.normalize("NFKC")
        .str.to_lowercase()
        .str.replace_all(r"\s+", " ")
        .str.strip_chars()
    )
    return stable_bucket(texts.select((pl.lit(salt) + text).alias("key"))["key"], _N_BUCKETS)
