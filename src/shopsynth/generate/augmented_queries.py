"""augmented_queries: the shop's judged searches, altered by named edits.

In: a private view's queries, judgments and catalogue. Out: ``queries`` and ``judgments``: words are
altered, and a variant is judged as the search it was made of. Brands, models, sizes, quantities and
prices are never altered, and a variant that suits things of another category as well is taken out
with its reason.

A search with a word that no title and fewer than ``min_people`` people have is left alone: it may
tell who wrote it. Where searches are public, set it to 1. Not for shops without judgments
(``title_queries`` needs none), nor for searches of one short word.
"""

from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np
import polars as pl
from pydantic import Field

from shopsynth.generate._altered import (
    Alterable,
    AlteringOptions,
    about_items,
    alter,
    make_edits,
)
from shopsynth.generate._histories import id_prefix
from shopsynth.generate.base import (
    WITHOUT_GUARANTEE,
    Conditions,
    check_request,
    check_view,
    fitted,
    register,
)
from shopsynth.generate.searches.real import RealSearches
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
from shopsynth.text.words import spell_alike, split_words

_METHOD = "augmented_queries"


class AugmentedQueriesOptions(AlteringOptions):
    """Options of ``augmented_queries``."""

    min_people: int = Field(default=3, ge=1)
    """People, or searches where nobody is known, that must share a word which no title has."""


@dataclass(frozen=True)
class _Learned:
    items: pl.DataFrame
    queries: pl.DataFrame
    judgments: pl.DataFrame
    given: Alterable
    source: str


@register(_METHOD)
class AugmentedQueries:
    """Edits of judged searches that keep what is meant, checked by a second look at each.

    What is meant is the category of the item that a search was judged best for; in a shop without
    categories a variant is judged by its likeness to the original alone.

    Source:
        Wei and Zou, EDA, EMNLP 2019, with protected spans, and a filter of labels in the manner of
        Anaby-Tavor et al., Do Not Have Enough Data? Deep Learning to the Rescue!, AAAI 2020.
    """

    Options: ClassVar[type[Settings]] = AugmentedQueriesOptions
    modes: ClassVar[frozenset[str]] = WITHOUT_GUARANTEE
    table: ClassVar[str] = "judgments"

    def __init__(self, options: Settings) -> None:
        self.options = AugmentedQueriesOptions.model_validate(options)
        self._edits = make_edits(self.options, _METHOD)
        self._model: _Learned | None = None

    def fit(self, view: PrivateView, *, seed: int, progress: Progress = SILENT) -> Self:
        """Keep the judged searches that may be altered, and what is protected in them.

        Raises:
            PrivacyError: If ``view`` is no view, or in mode dp.
            SchemaError: If the shop has no queries or judgments.
            EmptyDataError: If no judged search may be altered.
        """
        check_view(view, _METHOD, self.modes)
        queries, judgments = view.rows.need("queries"), view.rows.need("judgments")
        judgments = judgments.join(
            view.items.select("item_id"), on="item_id", how="semi", maintain_order="left"
        ).sort("query_id", "item_id")
        judged = queries.filter(pl.col("text").str.contains(r"\w")).join(
            judgments, on="query_id", how="semi", maintain_order="left"
        )
        told = judged.filter(_shared(judged["text"], view, self.options.min_people))
        if told.is_empty():
            raise EmptyDataError(
                f"generate.{_METHOD}: expected judged searches whose words a title or "
                f"{self.options.min_people} people have, got none of {judged.height}; where "
                "searches are public set min_people to 1"
            )
        best = told.select("query_id").join(
            judgments.sort("grade", descending=True, maintain_order=True).unique(
                "query_id", keep="first", maintain_order=True
            ),
            on="query_id",
            how="left",
            maintain_order="left",
        )
        given = about_items(
            told["text"], None, best["item_id"], view.items, self.options.attributes
        )
        self._model = _Learned(view.items, told, judgments, given, view.fingerprint)
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
        """Alter searches; at most ``n`` pass, one of every search before a second of any.

        Returns:
            ``queries`` and ``judgments`` in the columns of the real ones, new ids; and rejects.

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
        ids = (id_prefix(_METHOD) + pl.Series(count).cast(pl.String)).alias("made_id")
        made = model.queries[altered.rows].with_columns(altered.texts.alias("text"), ids)
        judgments = made.select("query_id", "made_id").join(
            model.judgments, on="query_id", maintain_order="left_right"
        )
        tables = {
            name: frame.with_columns(query_id="made_id").drop("made_id")
            for name, frame in (("queries", made), ("judgments", judgments))
        }
        return SyntheticDataset(
            data=Dataset(items=model.items, **tables),
            synthesizer=_METHOD,
            config_sha256=sha256_of(self.options.model_dump(mode="json")),
            seed=seed,
            source_sha256=model.source,
            rejects=altered.rejects,
        )


def _shared(texts: pl.Series, view: PrivateView, min_people: int) -> pl.Series:
    """Tell of each search whether a title or enough people have every word of it."""
    searches = RealSearches.read(view, min_people)
    words = split_words(searches.texts)
    numbers = np.arange(searches.texts.len())
    text = np.repeat(numbers, np.diff(words.offsets))
    _, few = searches.sharing(numbers, text, words.ids, words.vocabulary.len())
    if "title" in view.items.columns:
        titled = split_words(view.items["title"]).vocabulary
        few &= ~words.vocabulary.is_in(titled.implode()).to_numpy()
    alone = np.bincount(text, few[words.ids], minlength=numbers.size) > 0
    place = spell_alike(searches.texts).search_sorted(spell_alike(texts))
    return pl.Series(~alone[place.to_numpy()])
