"""Where the models of relevance are found, and what names a pair of a query and an item.

In: a model's name and the recipe's options. Out: an unfitted :class:`Ranker`.

To add one: a file in this folder named after the model, holding a class decorated with
``@register("<the file's name>")``.
"""

import polars as pl

from shopsynth.schema import Registry
from shopsynth.train.base import Ranker

RANKERS: Registry[Ranker] = Registry("train.relevance", support=frozenset({"task", "serving"}))
"""All models of the task."""

register = RANKERS.register

PAIR = ("query_id", "item_id")

UNIT = pl.format("{}\t{}", *PAIR).alias("unit_id")
"""Names a pair; no id of a file of comma- or tab-separated values holds a tab."""
