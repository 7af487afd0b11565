"""Hybrid: the scores of ItemKNN and content-KNN together, weighed on validation.

In: weighted events, the catalogue's text or attributes, and validation to choose a weight by. Out:
a weighted sum of the scores of ``item_knn`` and ``content_knn``. Not for catalogues without text or
attributes.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, ClassVar, Self

import numpy as np
from pydantic import Field

from shopsynth.schema import (
    SILENT,
    Dataset,
    Holdout,
    Progress,
    Ranking,
    Settings,
    TrainingSet,
    derived_seed,
)
from shopsynth.train.next_item._answers import answer
from shopsynth.train.next_item._histories import Histories, read_histories
from shopsynth.train.next_item._probe import CUTOFF, Probe
from shopsynth.train.next_item.base import register
from shopsynth.train.next_item.content_knn import ContentKnn, ContentKnnOptions
from shopsynth.train.next_item.item_knn import ItemKnn, ItemKnnOptions
from shopsynth.train.ranks import Floats
from shopsynth.train.space import Choice
from shopsynth.train.store import matrix_arrays, matrix_of, read_model, write_model

_PROBE_UNITS = 5000  # no training in between, so more than a network looks at are cheap


class HybridOptions(ItemKnnOptions):
    """Options of ``hybrid``: those of ``item_knn``, and what content adds."""

    space: ClassVar[Mapping[str, Choice]] = {
        **ItemKnnOptions.space,
        "content_decay": ContentKnnOptions.space["decay"],
    }

    content_decay: float = Field(default=0.6, gt=0, le=1)
    """As ``decay``, for the history that content is compared with."""

    weights: tuple[Annotated[float, Field(ge=0, le=1)], ...] = Field(
        default=(0.0, 0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 1.0), min_length=1
    )
    """Weights of content to choose from; 0 is ``item_knn`` alone, 1 ``content_knn`` alone."""


@register("hybrid")
class Hybrid:
    """``(1 - w) * item_knn + w * content_knn``, each in its standard deviations of a user.

    The scores of a user are divided by their standard deviation over the catalogue. Their mean
    stays: it would shift all items alike, and 0 keeps meaning that nothing is known. Items without
    events have no score of ``item_knn``, so content alone ranks them among each other. It is the
    rival of synthesis that needs no synthesis (PROOF §1, fact 10).

    Attributes:
        item_knn_: The part fitted on events.
        content_knn_: The part fitted on the catalogue.
        weight_: The weight of content with the best validation NDCG@10; of equally good ones the
            first that ``weights`` names.

    Source:
        Burke, Hybrid Recommender Systems: Survey and Experiments, 2002, section 2.1 (weighted).
    """

    Options: ClassVar[type[Settings]] = HybridOptions
    made_of: ClassVar[tuple[str, ...]] = ("item_knn", "content_knn")
    item_knn_: ItemKnn
    content_knn_: ContentKnn
    weight_: float

    def __init__(self, options: Settings) -> None:
        self.options = HybridOptions.model_validate(options)
        self.item_knn_ = ItemKnn(self.options)
        self.content_knn_ = ContentKnn(ContentKnnOptions(decay=self.options.content_decay))
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
        """Count pairs, read the catalogue and choose the weight; ``steps`` is not needed.

        Raises:
            InputError: If the catalogue has neither text nor attributes of words.
        """
        self.content_knn_.fit(training, validation, seed=seed)
        self.item_knn_.fit(training, validation, seed=seed)
        self.weight_ = self.options.weights[0]
        if len(self.options.weights) > 1:
            probe = Probe(validation, _PROBE_UNITS, derived_seed(seed, "hybrid", "probe"))
            self.weight_ = self._best_weight(probe)
        return self

    def rank(self, requests: Dataset, *, k: int, exclude_seen: bool = False) -> Ranking:
        """Rank the catalogue by the weighted sum."""
        histories = read_histories(requests, self.item_knn_.item_ids_)
        return self._answer(requests, histories, self.weight_, k, exclude_seen)

    def save(self, folder: Path) -> None:
        """Write both parts and the weight."""
        arrays = {
            **matrix_arrays("similarity", self.item_knn_.similarity_),
            **matrix_arrays("features", self.content_knn_.features_),
            "weight": np.array([self.weight_]),
        }
        write_model(folder, "hybrid", self.options, self.item_knn_.item_ids_, arrays)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read both parts and the weight."""
        stored = read_model(folder, "hybrid")
        model = cls(HybridOptions.parse(stored.options, str(folder)))
        model.item_knn_.item_ids_ = model.content_knn_.item_ids_ = stored.item_ids
        model.item_knn_.similarity_ = matrix_of("similarity", stored.arrays)
        model.content_knn_.features_ = matrix_of("features", stored.arrays)
        model.weight_ = float(stored.arrays["weight"][0])
        return model

    def _best_weight(self, probe: Probe) -> float:
        histories = read_histories(probe.requests, self.item_knn_.item_ids_)
        gains = [
            probe.ndcg(self._answer(probe.requests, histories, weight, CUTOFF, probe.exclude_seen))
            for weight in self.options.weights
        ]
        return self.options.weights[int(np.argmax(gains))]

    def _answer(
        self, requests: Dataset, histories: Histories, weight: float, k: int, exclude_seen: bool
    ) -> Ranking:
        bought = self.item_knn_.scorer(histories)
        resembling = self.content_knn_.scorer(histories)

        def score(start: int, stop: int) -> Floats:
            scores = _scaled(bought(start, stop), 1.0 - weight)
            scores += _scaled(resembling(start, stop), weight)
            return scores

        return answer(
            requests,
            histories.unit_ids,
            self.item_knn_.item_ids_,
            score,
            k=k,
            exclude_seen=exclude_seen,
            unknown=0.0,
        )


def _scaled(scores: Floats, weight: float) -> Floats:
    """Divide each row by its standard deviation and multiply it by ``weight``, in place."""
    deviation = scores.std(axis=1, keepdims=True)
    factor = np.divide(weight, deviation, out=np.zeros_like(deviation), where=deviation > 0)
    scores *= factor
    return scores
