"""What training rows and questions say of pairs: one row a pair, with the texts it is judged by.

In: a :class:`TrainingSet`, a :class:`Holdout` or requests. Out: a frame of pairs, the same for
every model; predictions put into a :class:`Ranking`; and pairs held back where nobody judged
validation.
"""

from collections.abc import Sequence
from typing import Annotated, NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray
from pydantic import Field

from shopsynth.schema import (
    RANKING_COLUMNS,
    Dataset,
    Holdout,
    InputError,
    Ranking,
    SchemaError,
    TrainingSet,
    stable_bucket,
)
from shopsynth.train.relevance.base import UNIT

Fields = Annotated[tuple[str, ...], Field(min_length=1)]
"""Columns of items whose words are read."""

Floats = NDArray[np.float64]

PAIR_COLUMNS = ("query", "item", "brand", "category", "grade", "weight")
"""Of a frame of pairs: two texts without nulls, two that may be null, and two numbers."""

_HELD_BACK = 10
"""One query in so many is held back."""

_PROBE_PAIRS = 2_000
"""Standard error near .009 of the RMSE; two states judged on the same pairs differ by less."""


class Evidence(NamedTuple):
    """What a model learns from and what it stops by: frames with :data:`PAIR_COLUMNS`."""

    learned: pl.DataFrame
    asked: pl.DataFrame


def item_words(items: pl.DataFrame, fields: Sequence[str]) -> pl.Series:
    """Join the texts of items; empty where an item has none.

    Raises:
        SchemaError: If the catalogue has none of these columns, or one holds no text.
    """
    found = [field for field in fields if field in items.columns]
    if not found or any(items.schema[field] != pl.String for field in found):
        raise SchemaError(
            f"task relevance: expected a column of text among {', '.join(fields)}, got items with "
            f"{', '.join(items.columns)}; name the columns in fields under [train.options]"
        )
    return items.select(
        pl.concat_str(found, separator=" ", ignore_nulls=True).fill_null("").alias("item")
    ).to_series()


def pairs_of(judged: pl.DataFrame, shop: Dataset, fields: Sequence[str]) -> pl.DataFrame:
    """Put the texts beside judged pairs, in the order of ``judged``.

    A pair whose query or item the shop lacks has an empty text.

    Args:
        judged: Columns ``query_id``, ``item_id``, and ``grade`` and ``weight`` where known.
        shop: Queries and items.
        fields: Columns of items whose words are read.
    """
    items = shop.items.select(
        "item_id",
        item_words(shop.items, fields),
        *(
            pl.col(name) if shop.items.schema.get(name) == pl.String else _nothing(name)
            for name in ("brand", "category")
        ),
    ).unique("item_id", keep="first", maintain_order=True)
    queries = (
        shop.need("queries")
        .select("query_id", pl.col("text").alias("query"))
        .unique("query_id", keep="first", maintain_order=True)
    )
    found = judged.join(queries, on="query_id", how="left", maintain_order="left").join(
        items, on="item_id", how="left", maintain_order="left"
    )
    weight = pl.col("weight") if "weight" in judged.columns else pl.lit(1.0).alias("weight")
    return found.with_columns(
        pl.col("query", "item").fill_null(""), pl.col("grade").cast(pl.Float64), weight
    ).select(PAIR_COLUMNS)


def read_evidence(training: TrainingSet, validation: Holdout, fields: Sequence[str]) -> Evidence:
    """Read training pairs, and choose what a model stops by.

    Without grades in validation the pairs of one training query in ten are held back, drawn by a
    hash of its text, so that all models and arms hold back alike. At most 2,000 pairs are asked.

    Args:
        training: Rows with weights.
        validation: Questions, with real grades or without any.
        fields: Columns of items whose words are read.

    Raises:
        InputError: If there is no pair to learn from.
        SchemaError: If the catalogue has none of the fields, or the shop has no queries.
    """
    learned = pairs_of(training.rows, training.data, fields).filter(pl.col("weight") > 0)
    if not learned.height:
        raise InputError(
            "task relevance: expected judged pairs to learn from, got none; map the table "
            "judgments under [shop.judgments], or add a synthesizer that makes them"
        )
    if validation.truth.height:
        return Evidence(learned, asked_pairs(validation.drawn_down(_PROBE_PAIRS), fields))
    held = pl.lit(stable_bucket(learned["query"], _HELD_BACK)) == 0
    rest, asked = learned.filter(~held), learned.filter(held)
    return Evidence(rest, asked.head(_PROBE_PAIRS)) if rest.height else Evidence(learned, asked)


def asked_pairs(holdout: Holdout, fields: Sequence[str]) -> pl.DataFrame:
    """Put grades beside the questions of a holdout; columns of :data:`PAIR_COLUMNS`."""
    questions = holdout.requests.need("judgments").drop("grade")
    graded = questions.join(
        holdout.truth.select("unit_id", "grade"), on="unit_id", maintain_order="left"
    )
    return pairs_of(graded, holdout.requests, fields)


def graded(requests: Dataset, predictions: Floats) -> Ranking:
    """Put a prediction for each asked pair, in their order, into a ranking."""
    asked = requests.need("judgments")
    unit = pl.col("unit_id") if "unit_id" in asked.columns else UNIT
    return Ranking(
        asked.select(
            unit,
            "item_id",
            pl.Series("score", predictions, dtype=pl.Float32),
            pl.lit(1.0).alias("rank"),
        ).select(list(RANKING_COLUMNS))
    )


def rmse(predictions: Floats, pairs: pl.DataFrame) -> float:
    """Tell how far predictions are off; what training stops by, never a figure of a report."""
    return float(np.sqrt(np.mean((predictions - pairs["grade"].to_numpy()) ** 2)))


def _nothing(name: str) -> pl.Expr:
    return pl.lit(None, pl.String).alias(name)
