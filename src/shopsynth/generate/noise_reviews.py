"""noise_reviews: reviews with their words disturbed. The control.

In: a private view's reviews. Out: reviews of nobody that carry nothing new. Not for use as training
data for its own sake.
"""

from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np
import polars as pl

from shopsynth.generate._histories import id_prefix
from shopsynth.generate._text_noise import disturbed
from shopsynth.generate.base import (
    WITHOUT_GUARANTEE,
    Conditions,
    check_request,
    check_view,
    fitted,
    register,
)
from shopsynth.privacy import PrivateView
from shopsynth.schema import (
    SILENT,
    Dataset,
    EmptyDataError,
    Progress,
    Settings,
    SyntheticDataset,
    sha256_of,
)

_METHOD = "noise_reviews"


class NoiseReviewsOptions(Settings):
    """``noise_reviews`` has no options."""


@dataclass(frozen=True)
class _Learned:
    items: pl.DataFrame
    reviews: pl.DataFrame
    source: str


@register(_METHOD)
class NoiseReviews:
    """Swap, leave out or misspell words of real reviews; all but the text stays, nobody wrote it.

    Source:
        Wei and Zou, EDA: Easy Data Augmentation Techniques, EMNLP 2019.
    """

    Options: ClassVar[type[Settings]] = NoiseReviewsOptions
    modes: ClassVar[frozenset[str]] = WITHOUT_GUARANTEE
    table: ClassVar[str] = "reviews"

    def __init__(self, options: Settings) -> None:
        self.options = options
        self._model: _Learned | None = None

    def fit(self, view: PrivateView, *, seed: int, progress: Progress = SILENT) -> Self:
        """Keep the reviews.

        Raises:
            PrivacyError: If ``view`` is no view, or in mode dp.
            SchemaError: If the shop has no reviews.
            EmptyDataError: If it has the table, but no row.
        """
        check_view(view, _METHOD, self.modes)
        reviews = view.rows.need("reviews")
        if reviews.is_empty():
            raise EmptyDataError(f"generate.{_METHOD}: expected reviews, got an empty table")
        self._model = _Learned(view.items, reviews.drop("user_id", strict=False), view.fingerprint)
        progress.advance(1)
        return self

    def sample(
        self,
        n: int,
        *,
        conditions: Conditions | None = None,
        seed: int,
        progress: Progress = SILENT,
    ) -> SyntheticDataset:
        """Disturb ``n`` reviews; each keeps the item, rating and label of its original.

        Returns:
            ``reviews`` in the columns of the real ones, without ``user_id``, new ids.

        Raises:
            InputError: If ``fit`` has not run, ``n`` is not positive, or conditions are given.
        """
        check_request(n, conditions, _METHOD)
        model = fitted(self._model, _METHOD)
        rows, texts = disturbed(model.reviews["text"], n, seed=seed)
        ids = id_prefix(_METHOD) + pl.Series(np.arange(1, n + 1)).cast(pl.String)
        made = model.reviews[rows].with_columns(texts, ids.alias("review_id"))
        progress.advance(n)
        return SyntheticDataset(
            data=Dataset(items=model.items, reviews=made),
            synthesizer=_METHOD,
            config_sha256=sha256_of(self.options.model_dump(mode="json")),
            seed=seed,
            source_sha256=model.source,
        )
