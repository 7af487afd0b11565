"""What a teacher lists for training queries: hard negatives, and margins to learn.

In: training rows and the name of a model of the task. Out: for queries' texts the items that look
like answers, and their scores.
"""

import numpy as np
import polars as pl

from shopsynth.schema import Dataset, Holdout, TrainingSet
from shopsynth.train.search._contrast_options import ContrastOptions
from shopsynth.train.search._judged import Integers
from shopsynth.train.search.base import RANKERS


class Hints:
    """The lists of a teacher, fitted on the same rows with its own defaults.

    A list's scores are divided by their standard deviation: the student's margins have a scale of
    their own, and a teacher's differs from query to query.
    """

    def __init__(self, training: TrainingSet, options: ContrastOptions, seed: int) -> None:
        cls = RANKERS.get(options.teacher)
        nobody = Holdout(
            Dataset(items=training.data.items, queries=training.data.queries),
            pl.DataFrame(schema={"unit_id": pl.String, "item_id": pl.String, "grade": pl.Float64}),
        )
        self._teacher = cls(cls.Options()).fit(training, nobody, seed=seed)
        self._items = training.data.items
        self._length = min(options.mined, self._items.height)

    def __call__(self, texts: pl.Series) -> tuple[Integers, np.ndarray]:
        """Return ``(query, mined)`` rows of the catalogue, and their scores."""
        queries = pl.DataFrame({"query_id": [str(n) for n in range(texts.len())], "text": texts})
        requests = Dataset(items=self._items, queries=queries)
        listed = self._teacher.rank(requests, k=self._length).frame.join(
            self._items.select("item_id").with_row_index("item"),
            on="item_id",
            maintain_order="left",
        )
        shape = (texts.len(), self._length)
        scores = listed["score"].to_numpy().astype(np.float64).reshape(shape)
        spread = scores.std(axis=1, keepdims=True)
        return (
            listed["item"].cast(pl.Int64).to_numpy().reshape(shape),
            scores / np.where(spread > 0, spread, 1.0),
        )
