"""BPR: item vectors learned from pairs, the item a user took against one that the user did not.

In: weighted events. Out: item factors and biases; a user's factors are the recency-weighted mean
of the history's items. Not for order beyond recency (``sasrec`` reads it), nor for cold items: an
item never trained is listed after all others, in one tie. Needs the library implicit.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar, Self

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
from shopsynth.train.next_item._factors import Factors, fitting, library
from shopsynth.train.next_item._histories import read_histories
from shopsynth.train.next_item.base import register
from shopsynth.train.ranks import Floats
from shopsynth.train.space import Choice
from shopsynth.train.store import read_model, write_model


class BprOptions(Settings):
    """Options of ``bpr``.

    Defaults were chosen on validation of Amazon Beauty. Where people rebuy, ``decay`` 0.9 is
    better (validation NDCG@10 of Online Retail .289, against .271).
    """

    space: ClassVar[Mapping[str, Choice]] = {
        "factors": Choice.of(64, 128),
        "learning_rate": Choice.between(0.01, 0.2, log=True),
        "regularisation": Choice.between(0.0001, 0.01, log=True),
        "decay": Choice.between(0.2, 1.0),
    }

    factors: int = Field(default=128, ge=1)
    """Width of the vectors, the bias not counted."""

    learning_rate: float = Field(default=0.08, gt=0)
    """Of plain stochastic gradient descent."""

    regularisation: float = Field(default=0.0005, ge=0)
    """Penalty on the squared length of the vectors."""

    decay: float = Field(default=0.4, gt=0, le=1)
    """Weight of a history's moment relative to the next newer one, where a user is asked."""

    epochs: int = Field(default=100, ge=1)
    """Passes, each over as many draws as the rows weigh."""


@register("bpr")
class Bpr:
    """Bayesian personalised ranking, by plain stochastic gradient descent on one thread.

    The usual lock-free threads would give other vectors each time. A row of weight ``w`` is drawn
    ``w`` times an epoch on average: its copies are rounded up or down anew for every epoch.

    Attributes:
        factors_: The item factors, the bias last, and the catalogue.

    Source:
        Rendle et al., BPR: Bayesian Personalized Ranking from Implicit Feedback, UAI 2009.
        Departure: a user asked is the mean of the history's items, not the user's own vector.
    """

    Options: ClassVar[type[Settings]] = BprOptions
    factors_: Factors

    def __init__(self, options: Settings) -> None:
        self.options = BprOptions.model_validate(options)
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
        """Descend for ``epochs``; ``validation`` and ``steps`` are not needed.

        Raises:
            MissingExtraError: If the library implicit is not installed.
            InputError: If the vectors stop being finite.
        """
        item_ids = training.data.items["item_id"]
        histories = read_histories(training.data, item_ids)
        rng = np.random.Generator(np.random.PCG64(derived_seed(seed, "bpr", "factors")))
        pairs = histories.interactions(len(item_ids))
        progress.start("bpr", self.options.epochs)
        with fitting("bpr", "lower learning_rate"):
            items = self._descend(pairs, rng, progress)
        trained = np.bincount(histories.items, minlength=len(item_ids)) > 0
        self.factors_ = Factors(item_ids, items, trained)
        return self

    def rank(self, requests: Dataset, *, k: int, exclude_seen: bool = False) -> Ranking:
        """Rank the catalogue for the recency-weighted mean of each user's history."""
        vectors = self.factors_.items.copy()
        vectors[:, -1] = 1.0  # what the items' biases are multiplied with

        def fold_in(profiles: sparse.csr_matrix) -> Floats:
            weights = np.asarray(profiles.sum(axis=1))
            sums: Floats = profiles @ vectors
            sums /= np.where(weights > 0, weights, 1.0)
            return sums

        return self.factors_.rank(requests, fold_in, self.options.decay, k, exclude_seen)

    def save(self, folder: Path) -> None:
        """Write the item factors."""
        arrays = {"items": self.factors_.items, "trained": self.factors_.trained}
        write_model(folder, "bpr", self.options, self.factors_.item_ids, arrays)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read the item factors."""
        stored = read_model(folder, "bpr")
        model = cls(BprOptions.parse(stored.options, str(folder)))
        arrays = stored.arrays
        model.factors_ = Factors(stored.item_ids, arrays["items"], arrays["trained"])
        return model

    def _descend(
        self, pairs: sparse.csr_matrix, rng: np.random.Generator, progress: Progress
    ) -> Floats:
        options, (n_users, n_items) = self.options, pairs.shape
        model = library("bpr", "cpu.bpr").BayesianPersonalizedRanking(
            factors=options.factors,
            learning_rate=options.learning_rate,
            regularization=options.regularisation,
            iterations=1,
            num_threads=1,
            random_state=rng,
        )
        model.item_factors = _first_vectors(n_items, options.factors, rng)
        model.user_factors = _first_vectors(n_users, options.factors, rng)
        model.user_factors[:, -1] = 1.0
        for _ in range(options.epochs):
            drawn = _copies(pairs, rng)
            if drawn.nnz:
                model.fit(drawn, show_progress=False)
            progress.advance()
        items: Floats = model.item_factors
        return items


def _first_vectors(n: int, factors: int, rng: np.random.Generator) -> Floats:
    """Draw small vectors and a bias, as the library would."""
    return (rng.random((n, factors + 1), dtype=np.float32) - np.float32(0.5)) / np.float32(factors)


def _copies(pairs: sparse.csr_matrix, rng: np.random.Generator) -> sparse.csr_matrix:
    """Repeat each entry by its weight, rounded up with the probability of its fraction.

    The library draws entries evenly, so copies are how it learns of weights.
    """
    times = np.floor(pairs.data + rng.random(pairs.nnz)).astype(np.int64)
    ends = np.concatenate([[0], np.cumsum(times)])
    indptr = ends[pairs.indptr].astype(pairs.indptr.dtype)
    indices = np.repeat(pairs.indices, times)
    drawn = sparse.csr_matrix(
        (np.ones(len(indices), np.float32), indices, indptr), shape=pairs.shape
    )
    drawn.has_sorted_indices = True
    return drawn
