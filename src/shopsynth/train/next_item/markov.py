"""Markov: what follows the items of a user's newest moment, backed by popularity.

In: weighted events. Out: counts of what followed what, and every item's share of all events.
Not for cold items or tastes: what a user did before the newest moment is forgotten.
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
from shopsynth.train.next_item._histories import Histories, Ints, read_histories
from shopsynth.train.next_item.base import register
from shopsynth.train.ranks import Floats
from shopsynth.train.space import Choice
from shopsynth.train.store import matrix_arrays, matrix_of, read_model, write_model


class MarkovOptions(Settings):
    """Options of ``markov``."""

    space: ClassVar[Mapping[str, Choice]] = {"back_off": Choice.of(1.0, 100.0, 1000.0)}

    back_off: float = Field(default=1.0, gt=0)
    """Events of popularity added to what followed each item: with as many followers as this, both
    count half. Validation NDCG@10 is the same from .01 to 100, .0217 on 6,000 users of Amazon
    Beauty: popularity then only orders what never followed."""

    max_history: int = Field(default=1000, ge=1)
    """Newest events of a user that count."""


@register("markov")
class Markov:
    """First-order Markov chain over items, smoothed by popularity.

    ``P(j | i) = (n_ij + b p_j) / (n_i + b)``, where ``n_ij`` is the weight of the events of ``j``
    in the moment after one of ``i``, ``n_i`` its sum over ``j``, ``p`` the items' shares of all
    events and ``b`` the option ``back_off``. Events of one moment (a basket) have no order: each
    counts as the predecessor of the next moment's events by its share, and a user's score is the
    mean over the newest moment. A user without a known item gets ``p``.

    Attributes:
        item_ids_: The training catalogue.
        followers_: ``(item, item)`` sparse ``n_ij``.
        shares_: ``(item,)`` share of all events.

    Source:
        Rendle, Freudenthaler & Schmidt-Thieme, Factorizing Personalized Markov Chains, WWW 2010,
        section 3 (the chain over baskets, not factorised).
    """

    Options: ClassVar[type[Settings]] = MarkovOptions
    item_ids_: pl.Series
    followers_: sparse.csr_matrix
    shares_: Floats

    def __init__(self, options: Settings) -> None:
        self.options = MarkovOptions.model_validate(options)
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
        """Count followers; ``validation``, ``seed`` and ``steps`` are not needed."""
        self.item_ids_ = training.data.items["item_id"]
        n_items = len(self.item_ids_)
        histories = read_histories(training.data, self.item_ids_).newest(self.options.max_history)
        self.followers_ = _followers(histories, n_items)
        sold = np.bincount(histories.items, histories.weights, minlength=n_items)
        self.shares_ = (sold / max(float(sold.sum()), 1e-30)).astype(np.float32)
        return self

    def rank(self, requests: Dataset, *, k: int, exclude_seen: bool = False) -> Ranking:
        """Rank the catalogue by what followed each user's newest items."""
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
        """Prepare the probabilities of these users' next items."""
        n_followers = np.asarray(self.followers_.sum(axis=1)).ravel()
        trust = 1.0 / (n_followers + self.options.back_off)
        newest = _newest_moment(histories, len(self.item_ids_))
        counted = (newest @ sparse.diags_array(trust)).tocsr().astype(np.float32)
        backed = np.asarray(newest @ (self.options.back_off * trust))
        backed[np.diff(newest.indptr) == 0] = 1.0
        backed = backed.astype(np.float32)

        def score(start: int, stop: int) -> Floats:
            scores: Floats = (counted[start:stop] @ self.followers_).toarray()
            scores += backed[start:stop, None] * self.shares_
            return scores

        return score

    def save(self, folder: Path) -> None:
        """Write the counts."""
        arrays = matrix_arrays("followers", self.followers_) | {"shares": self.shares_}
        write_model(folder, "markov", self.options, self.item_ids_, arrays)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read the counts."""
        stored = read_model(folder, "markov")
        model = cls(MarkovOptions.parse(stored.options, str(folder)))
        model.item_ids_, model.shares_ = stored.item_ids, stored.arrays["shares"]
        model.followers_ = matrix_of("followers", stored.arrays)
        return model


def _followers(histories: Histories, n_items: int) -> sparse.csr_matrix:
    """Count what the moment after each item's holds, ``(item, item)``."""
    users = histories.users
    moment, n_moments = _number_moments(users, histories.moments)
    shape = (n_moments, n_items)
    held = sparse.csr_matrix((histories.weights, (moment, histories.items)), shape=shape)
    first = np.flatnonzero(np.diff(moment, prepend=-1))
    before = np.flatnonzero(np.diff(users[first]) == 0)
    followers = (_mean_rows(held)[before].T @ held[before + 1]).tocsr()
    followers.sort_indices()
    return followers.astype(np.float32)


def _newest_moment(histories: Histories, n_items: int) -> sparse.csr_matrix:
    """Share the newest moment of each user out over its items, ``(user, item)``."""
    filled = histories.starts[1:] > histories.starts[:-1]
    newest = np.full(len(histories.unit_ids), -1, dtype=np.int64)
    newest[filled] = histories.moments[histories.starts[1:][filled] - 1]
    users = histories.users
    inside = histories.moments == newest[users]
    ones = np.ones(int(inside.sum()), dtype=np.float32)
    shape = (len(newest), n_items)
    return _mean_rows(
        sparse.csr_matrix((ones, (users[inside], histories.items[inside])), shape=shape)
    )


def _mean_rows(matrix: sparse.csr_matrix) -> sparse.csr_matrix:
    """Scale each row to the sum 1; an empty row stays empty."""
    sums = np.asarray(matrix.sum(axis=1)).ravel()
    scale = np.divide(1.0, sums, out=np.zeros_like(sums), where=sums > 0)
    return (sparse.diags_array(scale) @ matrix).tocsr()


def _number_moments(users: Ints, moments: Ints) -> tuple[Ints, int]:
    """Number the moments of all users, one user's after the other's; return how many there are."""
    if not users.size:
        return users, 0
    changes = (np.diff(users) != 0) | (np.diff(moments) != 0)
    number = np.append(0, np.cumsum(changes))
    return number, int(number[-1]) + 1
