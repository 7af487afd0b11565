"""ALS: users and items as vectors whose inner product says how surely a user takes an item.

In: weighted events. Out: item factors; a user's factors are solved from the history asked about.
Not for order beyond recency (``sasrec`` reads it), nor for cold items: an item never trained is
listed after all others, in one tie. Needs the library implicit.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
from pydantic import Field
from scipy import sparse

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
from shopsynth.train.next_item._factors import Factors, fitting, library, one_thread
from shopsynth.train.next_item._histories import read_histories
from shopsynth.train.next_item.base import register
from shopsynth.train.ranks import Floats
from shopsynth.train.space import Choice
from shopsynth.train.store import read_model, write_model


class AlsOptions(Settings):
    """Options of ``als``.

    Defaults were chosen on validation of Amazon Beauty (NDCG@10 .057; .053 with 128 factors, .057
    with 512, ``item_knn`` .048).
    """

    space: ClassVar[Mapping[str, Choice]] = {
        "factors": Choice.of(64, 128, 256),
        "regularisation": Choice.between(0.001, 10.0, log=True),
        "confidence": Choice.between(1.0, 100.0, log=True),
        "decay": Choice.between(0.2, 1.0),
    }

    factors: int = Field(default=256, ge=1)
    """Width of the vectors."""

    regularisation: float = Field(default=0.01, ge=0)
    """Penalty on the squared length of the vectors."""

    confidence: float = Field(default=30.0, gt=0)
    """How much surer a pair with an event of weight 1 is than a pair without any (alpha)."""

    decay: float = Field(default=0.4, gt=0, le=1)
    """Confidence of a history's moment relative to the next newer one, where a user is asked."""

    iterations: int = Field(default=15, ge=1)
    """Rounds of solving users, then items."""


@register("als")
class Als:
    """Weighted alternating least squares on implicit feedback.

    The weight of a row is its confidence: a row of weight 0.5 is half as sure as one of weight 1,
    and one of weight 0 is not there. Where a user is asked, older moments count less.

    Attributes:
        factors_: The item factors and the catalogue.

    Source:
        Hu, Koren and Volinsky, Collaborative Filtering for Implicit Feedback Datasets, ICDM 2008;
        solved by conjugate gradients as in Takács, Pilászy and Tikk, RecSys 2011. Departure: the
        confidence of a pair with events is ``confidence * weight``, not 1 more than that, so that
        it falls to nothing with the weight.
    """

    Options: ClassVar[type[Settings]] = AlsOptions
    factors_: Factors

    def __init__(self, options: Settings) -> None:
        self.options = AlsOptions.model_validate(options)
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
        """Solve for users and items in turn; ``validation`` and ``steps`` are not needed.

        Raises:
            MissingExtraError: If the library implicit is not installed.
            InputError: If the vectors stop being finite.
        """
        item_ids = training.data.items["item_id"]
        histories = read_histories(training.data, item_ids)
        rng = np.random.Generator(np.random.PCG64(derived_seed(seed, "als", "factors")))
        progress.start("als", self.options.iterations)
        with fitting("als", "raise regularisation"):
            model = self._solver(rng)
            model.fit(
                histories.interactions(len(item_ids)),
                show_progress=False,
                callback=lambda *_: progress.advance(),
            )
        trained = np.bincount(histories.items, minlength=len(item_ids)) > 0
        self.factors_ = Factors(item_ids, model.item_factors, trained)
        return self

    def rank(self, requests: Dataset, *, k: int, exclude_seen: bool = False) -> Ranking:
        """Rank the catalogue for users solved from their recency-weighted histories."""
        with one_thread():
            model = self._solver(None)
        model.item_factors = self.factors_.items

        def fold_in(profiles: sparse.csr_matrix) -> Floats:
            users: Floats = model.recalculate_user(np.arange(profiles.shape[0]), profiles)
            return users

        return self.factors_.rank(requests, fold_in, self.options.decay, k, exclude_seen)

    def save(self, folder: Path) -> None:
        """Write the item factors."""
        arrays = {"items": self.factors_.items, "trained": self.factors_.trained}
        write_model(folder, "als", self.options, self.factors_.item_ids, arrays)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read the item factors."""
        stored = read_model(folder, "als")
        model = cls(AlsOptions.parse(stored.options, str(folder)))
        arrays = stored.arrays
        model.factors_ = Factors(stored.item_ids, arrays["items"], arrays["trained"])
        return model

    def _solver(self, rng: np.random.Generator | None) -> Any:
        """Make the library's model; within :func:`one_thread`, as it warns about threads once."""
        options = self.options
        return library("als", "cpu.als").AlternatingLeastSquares(
            factors=options.factors,
            regularization=options.regularisation,
            alpha=options.confidence,
            iterations=options.iterations,
            num_threads=1,
            random_state=rng,
        )
