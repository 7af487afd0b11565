"""What training rows and questions say of items, as rows of the catalogue.

In: a :class:`TrainingSet` or a :class:`Holdout`. Out: queries with their answers in flat arrays,
rows held back where nobody judged validation, and a quick look at how well a model does.

The quick look is what training stops by and what weights are chosen by. The figures of a report
come from the evaluate room, never from here.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
import polars as pl
from numpy.typing import NDArray

from shopsynth.schema import Dataset, Holdout, TrainingSet, stable_bucket
from shopsynth.train.ranks import Floats
from shopsynth.train.search._answers import Score
from shopsynth.train.search.base import RELEVANT

_CUTOFF = 10
_PROBE_UNITS = 500
"""Standard error near .015 of NDCG@10; two states judged on the same queries differ by less."""

_HELD_BACK = 10
"""One query in so many is held back."""

_BATCH = 64

Integers = NDArray[np.int64]


@dataclass(frozen=True)
class Judged:
    """Queries and judged items.

    Attributes:
        texts: Of the queries, those with a judged item alone.
        query: ``(row,)`` place in ``texts``, ascending.
        item: ``(row,)`` row of the catalogue.
        grade: ``(row,)`` float64.
        weight: ``(row,)`` float64.
    """

    texts: pl.Series
    query: Integers
    item: Integers
    grade: NDArray[np.float64]
    weight: NDArray[np.float64]

    @classmethod
    def of(cls, judged: pl.DataFrame, queries: pl.DataFrame, items: pl.DataFrame) -> Self:
        """Join judgments with their query and their item; what lacks either is left out.

        Args:
            judged: Columns ``query_id``, ``item_id``, ``grade``, ``weight``.
            queries: Columns ``query_id``, ``text``.
            items: The catalogue.
        """
        rows = judged.join(
            items.select("item_id").with_row_index("item"), on="item_id", maintain_order="left"
        )
        asked = queries.join(rows, on="query_id", how="semi", maintain_order="left")
        rows = rows.join(
            asked.select("query_id").with_row_index("query"), on="query_id", maintain_order="left"
        ).sort("query", "item", maintain_order=True)
        return cls(
            asked["text"],
            rows["query"].cast(pl.Int64).to_numpy(),
            rows["item"].cast(pl.Int64).to_numpy(),
            rows["grade"].cast(pl.Float64).to_numpy(),
            rows["weight"].to_numpy(),
        )

    @classmethod
    def of_training(cls, training: TrainingSet) -> Self:
        """Read the rows of a training set; a set without queries has none."""
        data = training.data
        if data.queries is None:
            queries = pl.DataFrame(schema={"query_id": pl.String, "text": pl.String})
            return cls.of(training.rows, queries, data.items)
        return cls.of(training.rows, data.queries, data.items)

    @classmethod
    def of_questions(cls, asked: Holdout) -> Self:
        """Read the answers of questions; their grade is the gain."""
        rows = asked.truth.rename({"unit_id": "query_id"}).with_columns(weight=pl.lit(1.0))
        return cls.of(rows, asked.requests.need("queries"), asked.requests.items)

    def has_answers(self) -> bool:
        """Tell whether there is anything to learn from."""
        return bool(((self.grade >= RELEVANT) & (self.weight > 0)).any())

    def ndcg(self, score: Score) -> float:
        """Compute the mean NDCG@10 over queries, the grade being the gain; 0 without queries.

        Args:
            score: Scores the catalogue for queries.
        """
        return self.ndcgs(lambda texts: [score(texts)], 1)[0]

    def ndcgs(self, scores: Callable[[pl.Series], Iterable[Floats]], n: int) -> list[float]:
        """Compute :meth:`ndcg` of several models that share most of their work.

        Args:
            scores: The scores of each model for some queries, one after the other.
            n: Number of models.
        """
        if not self.texts.len():
            return [0.0] * n
        rank = np.empty((n, self.item.size))
        for start in range(0, self.texts.len(), _BATCH):
            rows = np.flatnonzero((self.query >= start) & (self.query < start + _BATCH))
            query, item = self.query[rows] - start, self.item[rows]
            for place, each in enumerate(scores(self.texts.slice(start, _BATCH))):
                own = each[query, item]
                beside = each[query]
                n_above = (beside > own[:, None]).sum(axis=1)
                rank[place, rows] = n_above + ((beside == own[:, None]).sum(axis=1) + 1) / 2
        best = np.lexsort((-self.grade, self.query))
        starts = np.searchsorted(self.query, np.arange(self.texts.len()))
        ideal_rank = np.empty(self.item.size)
        ideal_rank[best] = np.arange(best.size) - starts[self.query[best]] + 1.0
        ideal = self._gain(ideal_rank)
        return [float(np.mean(np.minimum(self._gain(each) / ideal, 1.0))) for each in rank]

    def _gain(self, rank: NDArray[np.float64]) -> NDArray[np.float64]:
        """Add up each query's discounted gains, ``(query,)``."""
        gains = self.grade / np.log2(rank + 1.0) * (rank <= _CUTOFF)
        total: NDArray[np.float64] = np.bincount(self.query, gains).astype(np.float64)
        return total


def hold_back(training: TrainingSet, validation: Holdout) -> tuple[TrainingSet, Holdout]:
    """Choose what a model stops by: real answers, or, where there are none, training queries.

    Without answers in validation one training query in ten is held back, drawn by a hash of its
    text, so that all models and arms hold back alike; at most 500 of them are asked.

    Args:
        training: Rows with weights.
        validation: Questions, with real answers or without any.

    Returns:
        The rows to learn from, and questions with their answers (none if nothing was judged).
    """
    if validation.truth.height or training.data.queries is None:
        return training, validation.drawn_down(_PROBE_UNITS)
    queries = training.data.queries
    held = queries.filter(pl.lit(stable_bucket(queries["text"], _HELD_BACK)) == 0)
    is_held = pl.col("query_id").is_in(held["query_id"].implode())
    truth = (
        training.rows.filter(is_held & (pl.col("grade") >= RELEVANT))
        .select(
            pl.col("query_id").alias("unit_id"),
            "item_id",
            (2.0 ** pl.col("grade") - 1.0).cast(pl.Float64).alias("grade"),
        )
        .unique(["unit_id", "item_id"], keep="first", maintain_order=True)
    )
    rest = training.data.with_tables(judgments=training.rows.filter(~is_held))
    asked = Holdout(Dataset(items=training.data.items, queries=held), truth)
    return replace(training, data=rest), asked.drawn_down(_PROBE_UNITS)
