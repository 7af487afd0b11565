"""llm_reviews: reviews that a language model writes, of a given rating and given aspects.

In: a private view's catalogue and, where the shop has some, the ratings of its reviews. Out:
``reviews``. The system draws item, rating and aspects; the model only writes, and names a quote for
each aspect, which must stand in its text. No number, name, brand, colour or material may be in it
that the item's record lacks, and no review may be a real one.

No real review is shown to the model. A rating is what was asked for, not what the text says: let a
classifier of the room combine look at it. Not for telling what customers of this shop think.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

import numpy as np
import polars as pl
from numpy.typing import NDArray
from pydantic import BaseModel, Field

from shopsynth.generate.llm import Template
from shopsynth.generate.written.grounding import Grounds
from shopsynth.generate.written.records import Records
from shopsynth.generate.written.settings import WritingOptions
from shopsynth.generate.written.synthesizer import writer
from shopsynth.generate.written.writing import Draft, Row, Task
from shopsynth.privacy import PrivateView
from shopsynth.text.words import spell_alike

_METHOD = "llm_reviews"
_INSTRUCTION = (
    "Write one customer review of the product in the record, with a short title. The customer "
    "gives rating of the most stars that best_rating says: the review must be as pleased or as "
    "disappointed as that. It must speak of every aspect in the list aspects, and of each you "
    "quote the words of the review, exactly. Write in plain words of one person. State no number, "
    "size, brand, name, colour or material that the record does not have. No HTML."
)

_LEAST_WORDS = 4
"""Of a review: less is an exclamation."""


class LLMReviewsOptions(WritingOptions):
    """Options of ``llm_reviews``."""

    aspects: tuple[str, ...] = ("quality", "value for money", "ease of use", "delivery")
    """What reviews speak of; one to three are drawn for each."""
    ratings: tuple[float, ...] = ()
    """Ratings to write, equally often; without any, as often as customers give them, or 1 to 5."""


class Mention(BaseModel):
    """What a review says of an aspect."""

    aspect: Annotated[str, Field(max_length=80)]
    quote: Annotated[str, Field(max_length=400)]


class Review(BaseModel):
    """The form of an answer."""

    title: Annotated[str, Field(min_length=1, max_length=150)]
    text: Annotated[str, Field(min_length=1, max_length=3_000)]
    mentions: Annotated[list[Mention], Field(max_length=10)]


@dataclass(frozen=True)
class _Reviews:
    """The writing of reviews.

    Attributes:
        records: Items.
        grounds: What the shop's texts may state.
        options: What to write.
        ratings: Ratings to draw from.
        odds: Chance of each.
        real: Real reviews in one spelling, sorted.
        titled: Whether the shop's reviews have titles.
    """

    records: Records
    grounds: Grounds
    options: LLMReviewsOptions
    ratings: NDArray[np.float64]
    odds: NDArray[np.float64]
    real: frozenset[str]
    titled: bool
    items: pl.DataFrame
    template: Template
    name: str = _METHOD
    form: type[Review] = Review
    per_call: int = 1

    @property
    def n_sources(self) -> int:
        """Items."""
        return self.records.items.height

    @property
    def brands(self) -> Sequence[str]:
        """Brands of the shop."""
        return self.records.brands

    def task(self, source: int, random: np.random.Generator) -> Task:
        """Draw a rating and aspects for an item."""
        known = self.options.aspects
        n = min(len(known), int(random.integers(1, 4)))
        aspects = [known[place] for place in np.sort(random.permutation(len(known))[:n])]
        rating = float(random.choice(self.ratings, p=self.odds))
        facts = self.records.record(source)
        asked = {"rating": rating, "best_rating": float(self.ratings.max())}
        record = facts | asked | {"aspects": "; ".join(aspects)}
        item_id = self.records.item_id(source)
        context = {"item_id": item_id, "rating": rating, "aspects": aspects}
        return Task(item_id, record, facts, context)

    def rows(self, task: Task, answer: Review) -> list[Row]:
        """Return the review."""
        told = {each.aspect: each.quote for each in answer.mentions}
        return [{"title": answer.title, "text": answer.text, "quotes": told}]

    def faults(self, drafts: Sequence[Draft]) -> list[str]:
        """Check that aspects are spoken of, that nothing is made up, and that none is a copy."""
        whole = [f"{each.row['title']}. {each.row['text']}" for each in drafts]
        strays = self.grounds.strays(whole, [each.task.facts for each in drafts], everyday=True)
        texts = spell_alike(pl.Series([each.row["text"] for each in drafts])).to_list()
        reasons = []
        for draft, text, stray in zip(drafts, texts, strays, strict=True):
            reason = "too_short" if len(text.split()) < _LEAST_WORDS and text.isascii() else ""
            reason = reason or ("copies_a_review" if text in self.real else "")
            reasons.append(reason or _unspoken(draft, text) or stray)
        return reasons

    def tables(self, drafts: Sequence[Draft], ids: pl.Series, seed: int) -> dict[str, pl.DataFrame]:
        """Make the table ``reviews``."""
        columns = {
            "review_id": ids,
            "item_id": [each.task.context["item_id"] for each in drafts],
            "text": [each.row["text"] for each in drafts],
            "title": [each.row["title"] for each in drafts],
            "rating": [each.task.context["rating"] for each in drafts],
        }
        kinds = dict.fromkeys(("item_id", "text", "title"), pl.String) | {"rating": pl.Float64}
        reviews = pl.DataFrame(columns, schema_overrides=kinds)
        if self.options.language:
            reviews = reviews.with_columns(locale=pl.lit(self.options.language))
        return {"reviews": reviews if self.titled else reviews.drop("title")}


@writer(_METHOD, LLMReviewsOptions, "reviews")
def llm_reviews(view: PrivateView, options: LLMReviewsOptions) -> _Reviews:
    """Reviews written by a language model, of drawn ratings and aspects."""
    records = Records.of(view.items, options.columns, _METHOD)
    real = view.rows.reviews
    ratings, odds = _ratings(real, options.ratings)
    fields = {**records.fields, "rating": 0, "best_rating": 0, "aspects": 300}
    return _Reviews(
        records=records,
        grounds=Grounds.of(records),
        options=options,
        ratings=ratings,
        odds=odds,
        real=frozenset() if real is None else frozenset(spell_alike(real["text"]).to_list()),
        titled=real is None or "title" in real.columns,
        items=view.items,
        template=Template("reviews", f"{_INSTRUCTION} {options.in_language}", fields),
    )


def _ratings(
    real: pl.DataFrame | None, wanted: Sequence[float]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return ratings and the chance of each."""
    found = pl.Series([], dtype=pl.Float64)
    if not wanted and real is not None and "rating" in real.columns:
        found = real["rating"].drop_nulls().drop_nans()
    told = found.to_numpy() if found.len() else np.array(wanted or (1, 2, 3, 4, 5), np.float64)
    ratings, counts = np.unique(told, return_counts=True)
    return ratings, counts / counts.sum()


def _unspoken(draft: Draft, text: str) -> str:
    """Say whether an aspect that was asked for has no quote, or one that is not in the text."""
    quotes = draft.row["quotes"]
    if any(aspect not in quotes for aspect in draft.task.context["aspects"]):
        return "aspect_missing"
    said = spell_alike(pl.Series([quotes[name] for name in draft.task.context["aspects"]]))
    if any(not each or each not in text for each in said.to_list()):
        return "quote_not_in_text"
    return ""
