"""Content-KNN: items whose words resemble those of the newest events of a history.

In: the catalogue's text or attributes. Out: scores that need no events of an item, so that cold
items can be found. Not for catalogues without text or attributes.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar, Self

import polars as pl
from pydantic import Field
from scipy import sparse

from shopsynth.schema import SILENT, Dataset, Holdout, Progress, Ranking, Settings, TrainingSet
from shopsynth.train.next_item._answers import Score, answer
from shopsynth.train.next_item._content import content_features, unit_rows
from shopsynth.train.next_item._histories import Histories, read_histories
from shopsynth.train.next_item.base import register
from shopsynth.train.ranks import Floats
from shopsynth.train.space import Choice
from shopsynth.train.store import matrix_arrays, matrix_of, read_model, write_model


class ContentKnnOptions(Settings):
    """Options of ``content_knn``."""

    space: ClassVar[Mapping[str, Choice]] = {"decay": Choice.between(0.3, 1.0)}

    decay: float = Field(default=0.6, gt=0, le=1)
    """Weight of a history's moment relative to the next newer one."""


@register("content_knn")
class ContentKnn:
    """Cosine of TF-IDF vectors between an item and a recency-weighted history.

    It learns nothing from events: the same catalogue gives the same model in every arm, which
    makes it the rival of anything that claims to help cold items (PROOF §1, fact 8).

    Attributes:
        item_ids_: The training catalogue.
        features_: ``(item, feature)`` sparse TF-IDF rows of length 1.
    """

    Options: ClassVar[type[Settings]] = ContentKnnOptions
    item_ids_: pl.Series
    features_: sparse.csr_matrix

    def __init__(self, options: Settings) -> None:
        self.options = ContentKnnOptions.model_validate(options)
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
        """Read the catalogue; events, ``validation``, ``seed`` and ``steps`` are not needed.

        Raises:
            InputError: If the catalogue has neither text nor attributes of words.
        """
        self.item_ids_ = training.data.items["item_id"]
        self.features_ = content_features(training.data.items)
        return self

    def rank(self, requests: Dataset, *, k: int, exclude_seen: bool = False) -> Ranking:
        """Rank the catalogue by resemblance to each user's recency-weighted history."""
        histories = read_histories(requests, self.item_ids_)
        return answer(
            requests,
            histories.unit_ids,
            self.item_ids_,
            self.scorer(histories),
            k=k,
            exclude_seen=exclude_seen,
            unknown=0.0,
        )

    def scorer(self, histories: Histories) -> Score:
        """Prepare the scores of these users, none below 0: 0 is an item without kindred words."""
        recency = histories.profiles(len(self.item_ids_), self.options.decay)
        profiles = unit_rows(recency @ self.features_)
        by_feature = self.features_.T.tocsr()

        def score(start: int, stop: int) -> Floats:
            scores: Floats = (profiles[start:stop] @ by_feature).toarray()
            return scores

        return score

    def save(self, folder: Path) -> None:
        """Write the vectors."""
        arrays = matrix_arrays("features", self.features_)
        write_model(folder, "content_knn", self.options, self.item_ids_, arrays)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read the vectors."""
        stored = read_model(folder, "content_knn")
        model = cls(ContentKnnOptions.parse(stored.options, str(folder)))
        model.item_ids_ = stored.item_ids
        model.features_ = matrix_of("features", stored.arrays)
        return model
