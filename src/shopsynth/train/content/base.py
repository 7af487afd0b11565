"""Where the models of content are found, and what the class and the text of a review are.

In: a model's name and the recipe's options. Out: an unfitted :class:`Ranker`.

To add one: a file in this folder named after the model, holding a class decorated with
``@register("<the file's name>")``.
"""

import polars as pl

from shopsynth.schema import Registry, SchemaError
from shopsynth.train.base import Ranker

RANKERS: Registry[Ranker] = Registry("train.content", support=frozenset({"task"}))
"""All models of the task."""

register = RANKERS.register

CLASSES = ("label", "rating")
"""Columns of reviews that can be the class; the first that is there is it."""


def class_column(reviews: pl.DataFrame) -> str:
    """Name the column that is the class: ``label``, else ``rating``.

    Raises:
        SchemaError: If there is neither.
    """
    for name in CLASSES:
        if name in reviews.columns:
            return name
    raise SchemaError(
        f"task content: expected a column {' or '.join(CLASSES)} in reviews, got "
        f"{', '.join(reviews.columns)}; map it in the recipe under [shop.reviews]"
    )


def classes_of(reviews: pl.DataFrame) -> pl.Series:
    """Return the class of every review as text, null where nobody said it.

    Example:
        >>> classes_of(pl.DataFrame({"rating": [5.0, 3.5, None]})).to_list()
        ['5', '3.5', None]
    """
    name = class_column(reviews)
    if name == "label":
        return reviews["label"].alias("class")
    return reviews.select(
        pl.col("rating").cast(pl.String).str.strip_suffix(".0").alias("class")
    ).to_series()


def texts_of(reviews: pl.DataFrame) -> pl.Series:
    """Return what every review says: its title, if it has one, and its text.

    Example:
        >>> reviews = pl.DataFrame({"title": ["Nice", None], "text": ["It fits.", "Too big."]})
        >>> texts_of(reviews).to_list()
        ['Nice It fits.', 'Too big.']
    """
    said = [name for name in ("title", "text") if name in reviews.columns]
    return reviews.select(
        pl.concat_str(said, separator=" ", ignore_nulls=True).fill_null("").alias("text")
    ).to_series()
