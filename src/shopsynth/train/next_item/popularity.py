"""Popularity: the same list for everybody, the most bought items first.

In: weighted events. Out: every item's sum of weights. Not for personal lists: it is the floor that
any other model must clear.
"""

from pathlib import Path
from typing import ClassVar, Self

import numpy as np
import polars as pl

from shopsynth.schema import SILENT, Dataset, Holdout, Progress, Ranking, Settings, TrainingSet
from shopsynth.train.next_item._answers import answer
from shopsynth.train.next_item._histories import read_histories
from shopsynth.train.next_item.base import NoOptions, register
from shopsynth.train.ranks import Floats
from shopsynth.train.store import read_model, write_model


@register("popularity")
class Popularity:
    """Counts every item's events, each with its row's weight.

    Attributes:
        item_ids_: The training catalogue.
        counts_: ``(item,)`` sum of weights; an item never sold has 0.
    """

    Options: ClassVar[type[Settings]] = NoOptions
    item_ids_: pl.Series
    counts_: Floats

    def __init__(self, options: Settings) -> None:
        self.options = options
        self.steps_ = 0

    def fit(
        self,
        training: TrainingSet,
        validation: Holdout,
        *,
        seed: int,
        steps: int | None = None,
        progress: Progress = SILENT,
    ) -> Self:
        """Count; ``validation``, ``seed`` and ``steps`` are not needed."""
        self.item_ids_ = training.data.items["item_id"]
        histories = read_histories(training.data, self.item_ids_)
        sums = np.bincount(histories.items, histories.weights, minlength=len(self.item_ids_))
        self.counts_ = sums.astype(np.float32)
        return self

    def rank(self, requests: Dataset, *, k: int, exclude_seen: bool = False) -> Ranking:
        """Rank the catalogue by count, the same for every unit."""
        unit_ids = requests.need("events")["user_id"].unique().sort()

        def score(start: int, stop: int) -> Floats:
            return np.tile(self.counts_, (stop - start, 1))

        return answer(
            requests,
            unit_ids,
            self.item_ids_,
            score,
            k=k,
            exclude_seen=exclude_seen,
            unknown=0.0,
        )

    def save(self, folder: Path) -> None:
        """Write the counts."""
        write_model(folder, "popularity", self.options, self.item_ids_, {"counts": self.counts_})

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read the counts."""
        stored = read_model(folder, "popularity")
        model = cls(NoOptions.parse(stored.options, str(folder)))
        model.item_ids_, model.counts_ = stored.item_ids, stored.arrays["counts"]
        return model
