"""What the factor models share: the optional library, one thread, folding in, and answering.

In: item factors and how a history becomes a user's factors. Out: a :class:`Ranking`. A user's
factors are always made from the history asked about, never kept from training: a user who was not
in training is answered as well as one who was, and a saved model holds nothing of any one person.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy import sparse

from shopsynth.schema import Dataset, InputError, MissingExtraError, Ranking
from shopsynth.train.next_item._answers import answer
from shopsynth.train.next_item._histories import read_histories
from shopsynth.train.ranks import UNKNOWN, Floats

FoldIn = Callable[[sparse.csr_matrix], Floats]
"""Turns recency-weighted histories ``(user, item)`` into user factors ``(user, factor)``."""


@dataclass(frozen=True)
class Factors:
    """The items of a fitted factor model.

    Attributes:
        item_ids: The training catalogue.
        items: ``(item, factor)`` float32.
        trained: ``(item,)`` whether the item was in any training event.
    """

    item_ids: pl.Series
    items: Floats
    trained: NDArray[np.bool_]

    def rank(
        self, requests: Dataset, fold_in: FoldIn, decay: float, k: int, exclude_seen: bool
    ) -> Ranking:
        """Rank the catalogue by the inner products of folded-in users and items.

        Items without training events are listed after all others, in one tie; a user without a
        known item scores every trained item 0.

        Args:
            requests: Histories, and the catalogue to rank.
            fold_in: The model's way from histories to user factors.
            decay: Weight of a history's moment relative to the next newer one.
            k: Length of a list.
            exclude_seen: Leave each user's own history out.
        """
        histories = read_histories(requests, self.item_ids)
        profiles = histories.profiles(len(self.item_ids), decay)

        def score(start: int, stop: int) -> Floats:
            part = profiles[start:stop]
            scores: Floats = fold_in(part) @ self.items.T
            scores[np.diff(part.indptr) == 0] = 0.0
            scores[:, ~self.trained] = UNKNOWN
            return scores

        with one_thread():
            return answer(
                requests,
                histories.unit_ids,
                self.item_ids,
                score,
                k=k,
                exclude_seen=exclude_seen,
                unknown=float(UNKNOWN),
            )


def library(model: str, module: str) -> Any:
    """Import a module of ``implicit``.

    Args:
        model: The model that needs it, for the error.
        module: Below the package, for example ``cpu.als``.

    Raises:
        MissingExtraError: If the library is not installed.
    """
    try:
        return import_module(f"implicit.{module}")
    except ModuleNotFoundError as error:
        raise MissingExtraError(
            f"{model}: expected the library implicit, which is not installed; "
            f"pip install 'shopsynth[recommend]', or take {model} off [train] models"
        ) from error


@contextmanager
def fitting(model: str, setting: str) -> Iterator[None]:
    """Fit on one thread, and say it in our words where the numbers burst.

    Args:
        model: The model being fitted.
        setting: What to do about it, for the error.

    Raises:
        InputError: If the library found vectors that are not finite.
    """
    failure = library(model, "recommender_base").ModelFitError
    try:
        with one_thread():
            yield
    except failure as error:
        raise InputError(
            f"{model}: expected finite vectors, got others; {setting} in [train.options.{model}]"
        ) from error


@contextmanager
def one_thread() -> Iterator[None]:
    """Hold BLAS to one thread: sums then have one order, and threads do not fight for cores."""
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1, "blas"):
        yield
