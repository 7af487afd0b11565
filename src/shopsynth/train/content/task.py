"""The task content: its texts, their classes and its slices.

In: a :class:`Split` whose reviews have a class. Out: reviews nobody trained on, without their
classes, and the classes.
"""

from typing import ClassVar

import numpy as np
import polars as pl

from shopsynth.schema import (
    TRUTH_COLUMNS,
    Dataset,
    EmptyDataError,
    Holdout,
    Registry,
    Split,
)
from shopsynth.text.words import split_words
from shopsynth.train.base import Ranker
from shopsynth.train.content.base import RANKERS, classes_of, texts_of
from shopsynth.train.tasks import TASKS

_ASKED = ("review_id", "item_id", "title", "text", "locale")
"""Columns that a question shows. A rating beside a label would give half the label away."""


@TASKS.register("content")
class Content:
    """A short text is put into one class: a rating, a topic, an intent, true or made up.

    A unit is a review, or whatever else of a sentence or more the shop keeps as one. Its class is
    the column ``label``, or ``rating`` where there is none. What a model ranks are the classes it
    knows from training; the first place is what it says.
    """

    name: ClassVar[str] = "content"
    unit: ClassVar[str] = "review"
    table: ClassVar[str] = "reviews"
    metrics: ClassVar[tuple[str, ...]] = ("macro_f1", "accuracy")
    slice_names: ClassVar[tuple[str, ...]] = ("all", "short", "long")
    controls: ClassVar[tuple[str, ...]] = ("same_compute", "oversample", "noise", "broken_link")
    side_information: ClassVar[str | None] = None
    rankers: ClassVar[Registry[Ranker]] = RANKERS

    def holdout(self, split: Split, part: str) -> Holdout:
        """Pose the reviews of ``part`` with their classes; those without a class are left out.

        Validation may have no classes at all: then nothing is asked, and models choose by what
        they hold back themselves.

        Args:
            split: The real shop.
            part: ``validation`` or ``test``.

        Returns:
            ``requests`` with the catalogue and ``reviews`` that show texts alone, with a column
            ``unit_id``; ``truth`` whose ``item_id`` is the class, of grade 1. Both are sorted by
            review.

        Raises:
            UnknownNameError: If there is no such part.
            SchemaError: If the shop has no reviews, or they have no column that is a class.
            EmptyDataError: If no review of ``test`` has a class.
        """
        split.before(part)
        reviews = getattr(split, part).need("reviews")
        known = reviews.with_columns(classes_of(reviews)).drop_nulls("class").sort("review_id")
        if not known.height and part == "test":
            raise EmptyDataError(
                f"content, test: expected reviews with a class, got none among {reviews.height}. "
                "Label some of them, or give [split] test a larger share."
            )
        truth = known.select(
            pl.col("review_id").alias("unit_id"),
            pl.col("class").alias("item_id"),
            pl.lit(1.0).alias("grade"),
        )
        shown = [name for name in _ASKED if name in known.columns]
        questions = known.select(*shown, pl.col("review_id").alias("unit_id"))
        return Holdout(
            Dataset(items=split.train.items, reviews=questions), truth.cast(dict(TRUTH_COLUMNS))
        )

    def slices(self, split: Split, truth: pl.DataFrame) -> pl.DataFrame:
        """Say which reviews belong to which slice.

        ``short`` holds reviews with no more words than a third of the training texts have at most,
        ``long`` those with more words than two thirds have.

        Args:
            split: Names the reviews; the lengths are those of its training part.
            truth: Classes of :meth:`holdout`.

        Returns:
            Columns ``unit_id``, ``item_id``, ``slice``, sorted by slice and unit.
        """
        lengths = np.sort(_n_words(split.train.need("reviews")))
        third = lengths.size // 3
        few, many = (lengths[third], lengths[-third - 1]) if lengths.size else (0, 0)
        asked = [part.need("reviews") for part in (split.validation, split.test)]
        found = pl.concat(
            [
                reviews.select("review_id").with_columns(
                    pl.Series("short", (n_words := _n_words(reviews)) <= few),
                    pl.Series("long", n_words > many),
                )
                for reviews in asked
            ]
        ).unique("review_id", keep="first", maintain_order=True)
        answers = truth.select("unit_id", "item_id")
        kinds = answers.join(found, left_on="unit_id", right_on="review_id", how="left")
        parts = [answers.with_columns(pl.lit("all").alias("slice"))] + [
            kinds.filter(pl.col(name)).select("unit_id", "item_id", pl.lit(name).alias("slice"))
            for name in ("short", "long")
        ]
        return pl.concat(parts).sort("slice", "unit_id", "item_id")

    def describe(self, *, exclude_seen: bool = False) -> dict[str, str]:
        """Tell the report how reviews are asked and judged."""
        return {
            "ranking": "the classes of the training rows",
            "ties": "classes that share the first place share the vote",
            "test input": "title and text of a review that is in neither training nor validation",
            "truth": "the review's label, or its rating where the shop has no labels",
        }


def _n_words(reviews: pl.DataFrame) -> np.ndarray:
    """Count the words of each review; shape ``(reviews,)``."""
    return np.diff(split_words(texts_of(reviews)).offsets)
