"""augmented_reviews: the shop's labelled reviews and other short texts, altered by named edits.

In: a private view's reviews and catalogue. Out: ``reviews`` of nobody: the words are altered, item,
rating and label stay. Brands, models, sizes, quantities and prices are never altered, and a variant
that another class suits as well is taken out with its reason.

A variant is as personal as the text it was made of, so it runs only where texts are public or
privacy is waived. Not for texts whose class hangs on single words that no filter knows the weight
of, such as denials in languages other than English and Chinese.
"""

from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np
import polars as pl

from shopsynth.generate._altered import (
    Alterable,
    AlteringOptions,
    about_items,
    alter,
    make_edits,
)
from shopsynth.generate._histories import id_prefix
from shopsynth.generate.base import Conditions, check_request, check_view, fitted, register
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

_METHOD = "augmented_reviews"
_CLASSES = ("label", "rating")


class AugmentedReviewsOptions(AlteringOptions):
    """Options of ``augmented_reviews``."""


@dataclass(frozen=True)
class _Learned:
    items: pl.DataFrame
    reviews: pl.DataFrame
    given: Alterable
    source: str


@register(_METHOD)
class AugmentedReviews:
    """Edits of real texts that keep their class, checked by a second look at every variant.

    The class is the label, or the rating where there is none.

    Source:
        Wei and Zou, EDA, EMNLP 2019, with protected spans, and a filter of labels in the manner of
        Anaby-Tavor et al., Do Not Have Enough Data? Deep Learning to the Rescue!, AAAI 2020.
    """

    Options: ClassVar[type[Settings]] = AugmentedReviewsOptions
    modes: ClassVar[frozenset[str]] = frozenset({"public", "unsafe_nonprivate"})
    table: ClassVar[str] = "reviews"

    def __init__(self, options: Settings) -> None:
        self.options = AugmentedReviewsOptions.model_validate(options)
        self._edits = make_edits(self.options, _METHOD)
        self._model: _Learned | None = None

    def fit(self, view: PrivateView, *, seed: int, progress: Progress = SILENT) -> Self:
        """Keep the texts, their classes and what is protected in them.

        Raises:
            PrivacyError: If ``view`` is no view, or in a mode that protects people.
            SchemaError: If the shop has no reviews.
            EmptyDataError: If it has the table, but no text.
        """
        check_view(view, _METHOD, self.modes)
        reviews = view.rows.need("reviews").drop("user_id", strict=False)
        reviews = reviews.filter(pl.col("text").str.contains(r"\w"))
        if reviews.is_empty():
            raise EmptyDataError(f"generate.{_METHOD}: expected reviews with a text, got none")
        classes = next((name for name in _CLASSES if name in reviews.columns), None)
        labels = reviews[classes].cast(pl.String) if classes else None
        given = about_items(
            reviews["text"], labels, reviews["item_id"], view.items, self.options.attributes
        )
        self._model = _Learned(view.items, reviews, given, view.fingerprint)
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
        """Alter reviews; at most ``n`` pass, one of every text before a second of any.

        Returns:
            ``reviews`` in the columns of the real ones, without ``user_id``, new ids; and rejects.

        Raises:
            InputError: If ``fit`` has not run, ``n`` is not positive, or conditions are given.
            EmptyDataError: If no variant passes.
        """
        check_request(n, conditions, _METHOD)
        model = fitted(self._model, _METHOD)
        altered = alter(
            model.given, n, self.options, self._edits, method=_METHOD, seed=seed, progress=progress
        )
        count = np.arange(1, altered.rows.size + 1)
        ids = id_prefix(_METHOD) + pl.Series(count).cast(pl.String)
        made = model.reviews[altered.rows].with_columns(
            altered.texts.alias("text"), ids.alias("review_id")
        )
        return SyntheticDataset(
            data=Dataset(items=model.items, reviews=made),
            synthesizer=_METHOD,
            config_sha256=sha256_of(self.options.model_dump(mode="json")),
            seed=seed,
            source_sha256=model.source,
            rejects=altered.rejects,
        )
