"""What training rows and questions say of texts: one frame for every model, one form of answers.

In: a :class:`TrainingSet`, a :class:`Holdout` or scores. Out: texts with classes and weights, a
:class:`Ranking` of classes.
"""

from dataclasses import dataclass, replace
from typing import Self

import numpy as np
import polars as pl
from numpy.typing import NDArray

from shopsynth.schema import (
    RANKING_COLUMNS,
    REAL,
    Dataset,
    Holdout,
    InputError,
    Ranking,
    TrainingSet,
    stable_bucket,
)
from shopsynth.train.content.base import classes_of, texts_of
from shopsynth.train.ranks import top_items

_HELD_BACK = 10
"""One text in so many is held back to stop by."""

_FEW = 20
"""Of fewer held-back texts one decides, and training had better go on to its end."""


@dataclass(frozen=True)
class Labelled:
    """Texts whose class is known.

    Attributes:
        texts: What they say.
        classes: Distinct classes, sorted.
        number: ``(n_texts,)`` class of each text, -1 for one that is not among ``classes``.
        weights: ``(n_texts,)`` above 0.
        real: ``(n_texts,)`` whether a row is a real one.
    """

    texts: pl.Series
    classes: pl.Series
    number: NDArray[np.int64]
    weights: NDArray[np.float64]
    real: NDArray[np.bool_]

    def take(self, rows: NDArray[np.int64]) -> Self:
        """Keep some texts, in this order."""
        return replace(
            self,
            texts=self.texts.gather(rows),
            number=self.number[rows],
            weights=self.weights[rows],
            real=self.real[rows],
        )


def read_rows(training: TrainingSet) -> Labelled:
    """Read the rows that have a class and a weight.

    Raises:
        InputError: If there are not two classes at least.
        SchemaError: If reviews have no column that is a class.
    """
    rows = training.rows.with_columns(classes_of(training.rows))
    rows = rows.filter(pl.col("class").is_not_null(), pl.col("weight") > 0)
    classes = rows["class"].unique().sort()
    if classes.len() < 2:
        raise InputError(
            f"task content: expected rows of two classes or more, got {classes.len()} in "
            f"{rows.height} of {training.rows.height} rows; label reviews of every class"
        )
    return Labelled(
        texts_of(rows),
        classes,
        _numbers(rows["class"], classes),
        rows["weight"].to_numpy(),
        (rows["origin"] == REAL).to_numpy(),
    )


def read_questions(holdout: Holdout, classes: pl.Series) -> Labelled:
    """Put the classes beside the questions of a holdout.

    Args:
        holdout: Questions, with real classes or without any.
        classes: Those that training knows.
    """
    if not holdout.truth.height:
        texts = pl.Series("text", [], dtype=pl.String)
        none = np.zeros(0)
        return Labelled(texts, classes, none.astype(np.int64), none, none.astype(np.bool_))
    asked = holdout.requests.need("reviews").join(
        holdout.truth.select(
            pl.col("unit_id").alias("review_id"), pl.col("item_id").alias("class")
        ),
        on="review_id",
        how="inner",
        maintain_order="left",
    )
    ones = np.ones(asked.height)
    return Labelled(
        texts_of(asked), classes, _numbers(asked["class"], classes), ones, ones.astype(np.bool_)
    )


def held_back(labelled: Labelled) -> tuple[Labelled, Labelled]:
    """Hold back every tenth real text by a hash of it, to stop by; none where they would be few.

    A made row may say what a held-back one says: that is no worse than a stop that comes too late.

    Returns:
        What is learned from, with every class, and what is held back, maybe nothing.
    """
    held = labelled.real & (stable_bucket(labelled.texts, _HELD_BACK).to_numpy() == 0)
    kept = np.bincount(labelled.number[~held], minlength=labelled.classes.len())
    if held.sum() < _FEW or not kept.all():
        held = np.zeros_like(held)
    return labelled.take(np.flatnonzero(~held)), labelled.take(np.flatnonzero(held))


def ranked(requests: Dataset, classes: pl.Series, scores: NDArray[np.float32], k: int) -> Ranking:
    """Rank the classes for every asked review.

    Args:
        requests: Reviews, in the order of the scores.
        classes: Names, in the order of the columns.
        scores: ``(review, class)``.
        k: Classes a review.
    """
    reviews = requests.need("reviews")
    top = top_items(scores, k)
    columns = {
        "unit_id": reviews["review_id"].gather(top.rows),
        "item_id": classes.gather(top.items),
        "score": top.scores,
        "rank": top.ranks,
    }
    return Ranking(pl.DataFrame(columns, schema=RANKING_COLUMNS))


def _numbers(values: pl.Series, classes: pl.Series) -> NDArray[np.int64]:
    number = pl.int_range(classes.len(), eager=True)
    return (
        values.replace_strict(classes, number, default=-1, return_dtype=pl.Int64)
        .to_numpy()
        .astype(np.int64)
    )
