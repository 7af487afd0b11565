"""ItemKNN: items that the same users bought, seen from the newest events of a history.

In: weighted events. Out: item-item similarities; a user's scores are their recency-weighted sum.
Not for cold items: an item without events is similar to nothing and scores 0.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar, Self

import numpy as np
import polars as pl
from pydantic import Field
from scipy import sparse

from shopsynth.schema import SILENT, Dataset, Holdout, Progress, Ranking, Settings, TrainingSet
from shopsynth.train.next_item._answers import Score, answer
from shopsynth.train.next_item._histories import Histories, read_histories
from shopsynth.train.next_item.base import register
from shopsynth.train.ranks import Floats
from shopsynth.train.space import Choice
from shopsynth.train.store import matrix_arrays, matrix_of, read_model, write_model

_DENSE_SHARE = 0.1  # below, skipping zeros wins
_DENSE_MAX_ITEMS = 10_000  # 400 MB of float32


class ItemKnnOptions(Settings):
    """Options of ``item_knn``."""

    space: ClassVar[Mapping[str, Choice]] = {
        "decay": Choice.between(0.3, 1.0),
        "neighbours": Choice.of(0, 50, 200),
        "shrink": Choice.of(0.0, 2.0, 5.0, 10.0, 20.0),
    }

    decay: float = Field(default=0.6, gt=0, le=1)
    """Weight of a history's moment relative to the next newer one (PROOF §1, fact 2)."""

    neighbours: int = Field(default=0, ge=0)
    """Most similar items kept for each item; 0 keeps all."""

    shrink: float = Field(default=10.0, ge=0)
    """Buyers in common at which a similarity counts half; 0 trusts a single one as fully as many.
    Validation NDCG@10 with 0, 2 and 10: .048, .054, .056 on Amazon Beauty, .053, .062, .064 on
    Toys, .017, .021, .023 where a tenth of Beauty's users train."""

    max_history: int = Field(default=1000, ge=1)
    """Newest events of a user that count: pairs grow with the square of a history."""


@register("item_knn")
class ItemKnn:
    """Cosine similarity of items over users, times a recency-weighted history.

    ``score(u, j) = sum over history items i of decay**k(i) * cos(i, j) * n / (n + shrink)``, where
    ``k(i)`` is the number of the user's later moments, ``n`` the weight of the users that ``i`` and
    ``j`` have in common, and ``cos`` compares the columns of the user-item matrix whose entries
    are square roots of row weights, so that a user of weight ``w`` counts ``w``. An item is most
    similar to itself: where people rebuy that is right, elsewhere ``exclude_seen`` leaves the
    history out.

    Attributes:
        item_ids_: The training catalogue.
        similarity_: ``(item, item)`` sparse, shrunk cosines.

    Source:
        Sarwar et al., Item-based Collaborative Filtering Recommendation Algorithms, WWW 2001;
        shrunk as in Koren, Factorization Meets the Neighborhood, KDD 2008, section 2.2.
    """

    Options: ClassVar[type[Settings]] = ItemKnnOptions
    item_ids_: pl.Series
    similarity_: sparse.csr_matrix

    def __init__(self, options: Settings) -> None:
        self.options = ItemKnnOptions.model_validate(options)
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
        """Count pairs; ``validation``, ``seed`` and ``steps`` are not needed."""
        self.item_ids_ = training.data.items["item_id"]
        histories = read_histories(training.data, self.item_ids_).newest(self.options.max_history)
        matrix = histories.interactions(len(self.item_ids_)).sqrt()
        self.similarity_ = _cosines(matrix, self.options.shrink, self.options.neighbours)
        return self

    def rank(self, requests: Dataset, *, k: int, exclude_seen: bool = False) -> Ranking:
        """Rank the catalogue by similarity to each user's recency-weighted history."""
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
        """Prepare the scores of these users, none below 0: 0 is an item nothing is known of."""
        profiles = histories.profiles(len(self.item_ids_), self.options.decay)
        similarity = _fast_form(self.similarity_)

        def score(start: int, stop: int) -> Floats:
            scores = profiles[start:stop] @ similarity
            return scores if isinstance(scores, np.ndarray) else scores.toarray()

        return score

    def save(self, folder: Path) -> None:
        """Write the similarities."""
        arrays = matrix_arrays("similarity", self.similarity_)
        write_model(folder, "item_knn", self.options, self.item_ids_, arrays)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read the similarities."""
        stored = read_model(folder, "item_knn")
        model = cls(ItemKnnOptions.parse(stored.options, str(folder)))
        model.item_ids_ = stored.item_ids
        model.similarity_ = matrix_of("similarity", stored.arrays)
        return model


def _cosines(matrix: sparse.csr_matrix, shrink: float, neighbours: int) -> sparse.csr_matrix:
    """Compare the columns of a ``(user, item)`` matrix; keep the nearest ``neighbours`` a row."""
    cosines = (matrix.T @ matrix).tocsr()
    cosines.sort_indices()
    lengths = np.sqrt(np.asarray(matrix.power(2).sum(axis=0)).ravel())
    scale = np.divide(1.0, lengths, out=np.zeros_like(lengths), where=lengths > 0)
    rows = np.repeat(np.arange(cosines.shape[0]), np.diff(cosines.indptr))
    common = cosines.data
    trust = np.divide(common, common + shrink, out=np.zeros_like(common), where=common > 0)
    cosines.data = (trust * common * scale[rows] * scale[cosines.indices]).astype(np.float32)
    if neighbours:
        cosines = _strongest(cosines, neighbours)
    return cosines


def _strongest(cosines: sparse.csr_matrix, neighbours: int) -> sparse.csr_matrix:
    """Keep the largest entries of each row; equal ones in column order."""
    rows = np.repeat(np.arange(cosines.shape[0]), np.diff(cosines.indptr))
    order = np.lexsort((cosines.indices, -cosines.data, rows))
    place = np.arange(len(order)) - cosines.indptr[rows]
    kept = order[place < neighbours]
    return sparse.csr_matrix(
        (cosines.data[kept], (rows[kept], cosines.indices[kept])), shape=cosines.shape
    )


def _fast_form(similarity: sparse.csr_matrix) -> sparse.csr_matrix | Floats:
    """Make a crowded matrix dense if it fits: a dense row is added several times faster."""
    n_items = similarity.shape[0]
    if similarity.nnz < _DENSE_SHARE * n_items**2 or n_items > _DENSE_MAX_ITEMS:
        return similarity
    dense: Floats = similarity.toarray()
    return dense
