"""llm_queries: searches for items that a language model writes, and items judged by their records.

In: a private view's catalogue. Out: ``queries`` and, for each, graded ``judgments``. The model only
writes; it is never asked what is relevant. It is shown an item and a rival, another item of the
same kind that the search must not mean. What the search is judged for is found by words of the
records (:mod:`shopsynth.generate.searches.grades`):

- 3, exact: the item, and variants that have every word of the search that the item's record has;
- 2, substitute: variants and items of the same kind that lack such a word;
- 1, complement: another thing that is made for this one, as its title says;
- 0, irrelevant: items that share words with the search and are another thing, hard negatives.

A search that names a number, brand, colour, material or attribute that the item lacks is rejected,
and one that shares no word with the item's title, brand or category. What is left must still lead
back to its item: filter with ``round_trip`` of the room combine. Not for complements that no title
tells, nor for a shop of items without titles.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

import numpy as np
import polars as pl
from numpy.typing import NDArray
from pydantic import BaseModel, Field, create_model

from shopsynth.generate.llm import Template
from shopsynth.generate.searches.grades import VARIANT, Grader
from shopsynth.generate.searches.titles import Titles, texts_of
from shopsynth.generate.searches.words import BINDER, JOINER, Tokens, Vocabulary, is_among
from shopsynth.generate.written.grounding import Grounds
from shopsynth.generate.written.phrases import Words, words_of
from shopsynth.generate.written.records import Records
from shopsynth.generate.written.settings import WritingOptions
from shopsynth.generate.written.synthesizer import writer
from shopsynth.generate.written.writing import Draft, Row, Task
from shopsynth.privacy import PrivateView

_METHOD = "llm_queries"
_INSTRUCTION = (
    "Write {n} different searches that people type into a shop when they want the product in the "
    "record: short, as people type, some broad and some exact. Each must name what the product is. "
    "Where there is a rival, it is another product: no search may fit the rival as well as the "
    "product. Use no brand, number, size, colour or property that the product does not have."
)
_RIVAL = "rival"
_FIELDS = ("title", "brand", "category")

_LONGEST_TITLE = 4
"""Words of a title that people may type as it is."""

_ROOT = 3
"""Letters that two forms of a word begin with."""


class LLMQueriesOptions(WritingOptions):
    """Options of ``llm_queries``."""

    per_item: int = Field(default=3, ge=1, le=10)
    """Searches asked for in one request."""
    variants: int = Field(default=2, ge=0, le=50)
    """Most variants (another size, another colour) judged for each search."""
    kin: int = Field(default=2, ge=0, le=50)
    """Most other items of the same kind, substitutes."""
    complements: int = Field(default=2, ge=0, le=50)
    """Most items that are made for the thing, grade 1."""
    others: int = Field(default=4, ge=0, le=50)
    """Most hard negatives: items that share words but are another thing, grade 0."""


Search = Annotated[str, Field(min_length=1, max_length=120)]


class Searches(BaseModel):
    """The form of an answer; each request says how many there may be."""

    searches: list[Search]


@dataclass(frozen=True)
class _Queries:
    """The writing of searches.

    Attributes:
        records: Items with words.
        grounds: What the shop's texts may state.
        options: What to write.
        rivals: Titles of each kind of items, ``kind`` of each item of the records.
        items: The catalogue.
    """

    records: Records
    grounds: Grounds
    options: LLMQueriesOptions
    rivals: "_Rivals"
    items: pl.DataFrame
    template: Template
    form: type[Searches]
    name: str = _METHOD

    @property
    def n_sources(self) -> int:
        """Items."""
        return self.records.items.height

    @property
    def per_call(self) -> int:
        """Searches of one answer."""
        return self.options.per_item

    @property
    def brands(self) -> Sequence[str]:
        """Brands of the shop."""
        return self.records.brands

    def task(self, source: int, random: np.random.Generator) -> Task:
        """Ask about one item, beside a rival that is drawn."""
        facts = self.records.record(source)
        rival = self.rivals.draw(source, random)
        item_id = self.records.item_id(source)
        return Task(item_id, {**facts, _RIVAL: rival}, facts, {"item_id": item_id})

    def rows(self, task: Task, answer: Searches) -> list[Row]:
        """Return the searches."""
        return [{"text": " ".join(text.split())} for text in answer.searches]

    def faults(self, drafts: Sequence[Draft]) -> list[str]:
        """Check that a search names what the item has, and nothing that it has not."""
        texts = [each.row["text"] for each in drafts]
        facts = [each.task.facts for each in drafts]
        own = words_of([" ".join(str(each.get(name, "")) for name in _FIELDS) for each in facts])
        titles = words_of([str(each.get("title", "")) for each in facts])
        strays = self.grounds.strays(texts, facts)
        return [
            stray or _unlike_a_search(words, known, title)
            for stray, words, known, title in zip(strays, words_of(texts), own, titles, strict=True)
        ]

    def tables(self, drafts: Sequence[Draft], ids: pl.Series, seed: int) -> dict[str, pl.DataFrame]:
        """Make ``queries``, and ``judgments`` by search, best grade first."""
        texts = pl.Series([each.row["text"] for each in drafts], dtype=pl.String)
        meant = [each.task.context["item_id"] for each in drafts]
        queries = pl.DataFrame({"query_id": ids, "text": texts})
        if self.options.language:
            queries = queries.with_columns(locale=pl.lit(self.options.language))
        items = self.items.unique("item_id", keep="first").sort("item_id")
        item = items["item_id"].search_sorted(pl.Series(meant, dtype=pl.String)).to_numpy()
        vocabulary, (*fields, tokens) = Vocabulary.of([*texts_of(items), texts])
        titles = Titles.of(items, vocabulary, fields)
        graded = Grader(titles).grade(
            item.astype(np.int64),
            _meant(tokens, titles, item.astype(np.int64)),
            variants=self.options.variants,
            kin=self.options.kin,
            others=self.options.others,
            complements=self.options.complements,
            kin_grade=VARIANT,
            random=np.random.Generator(np.random.PCG64(seed)),
        )
        judgments = pl.DataFrame(
            {
                "query_id": ids.gather(graded.query),
                "item_id": items["item_id"].gather(graded.item),
                "grade": graded.grade,
            }
        )
        return {"queries": queries, "judgments": judgments}


@dataclass(frozen=True)
class _Rivals:
    """Other items of the same kind.

    Attributes:
        titles: ``(n_items,)`` of the records.
        order: Items, kind by kind.
        place: ``(n_items,)`` where each stands in ``order``.
        first: ``(n_items,)`` where its kind begins.
        size: ``(n_items,)`` items of its kind.
    """

    titles: list[str | None]
    order: NDArray[np.int64]
    place: NDArray[np.int64]
    first: NDArray[np.int64]
    size: NDArray[np.int64]

    @classmethod
    def of(cls, items: pl.DataFrame) -> "_Rivals":
        """Group items by the thing itself."""
        kind = np.full(items.height, -1)
        vocabulary, fields = Vocabulary.of(texts_of(items))
        if vocabulary.words.len():
            kind = Titles.of(items, vocabulary, fields).kind
        order = np.argsort(kind, kind="stable").astype(np.int64)
        place = np.empty_like(order)
        place[order] = np.arange(order.size)
        found, first, counts = np.unique(kind[order], return_index=True, return_counts=True)
        at = np.searchsorted(found, kind)
        known = pl.Series([None] * items.height, dtype=pl.String)
        titles = items["title"] if "title" in items.columns else known
        return cls(titles.to_list(), order, place, first[at].astype(np.int64), counts[at])

    def draw(self, item: int, random: np.random.Generator) -> str | None:
        """Draw the title of another item of an item's kind; none where it has no equal."""
        size = int(self.size[item])
        if size == 1:
            return None
        step = int(random.integers(1, size))
        own = int(self.place[item] - self.first[item])
        other = int(self.order[self.first[item] + (own + step) % size])
        return None if self.titles[other] == self.titles[item] else self.titles[other]


@writer(_METHOD, LLMQueriesOptions, "judgments")
def llm_queries(view: PrivateView, options: LLMQueriesOptions) -> _Queries:
    """Searches written by a language model, with items judged by what their records say."""
    records = Records.of(view.items, options.columns, _METHOD)
    asked = f"{_INSTRUCTION.format(n=options.per_item)} {options.in_language}"
    return _Queries(
        records=records,
        grounds=Grounds.of(records),
        options=options,
        rivals=_Rivals.of(records.items),
        items=view.items,
        template=Template("queries", asked, {**records.fields, _RIVAL: 300}),
        form=form_of(options.per_item),
    )


def form_of(n: int) -> type[Searches]:
    """Make the form of an answer of at most ``n`` searches.

    An endpoint that is bound by the form stops there; a small model would go on until cut off.
    """
    some = Annotated[list[Search], Field(min_length=1, max_length=n)]
    return create_model("Searches", __base__=Searches, searches=(some, ...))


def _meant(tokens: Tokens, titles: Titles, item: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the stems of each search that its own item has, ``(n, longest)``, -1 behind the last.

    Words of the model's own decide nothing, for no record can have or lack them on purpose.
    """
    n_stems = titles.vocabulary.n_stems
    stem = titles.vocabulary.stem[tokens.word]
    telling = (titles.vocabulary.kind[tokens.word] & (BINDER | JOINER)) == 0
    has = telling & is_among(item[tokens.text] * n_stems + stem, titles.pairs)
    pairs = np.unique(tokens.text[has] * n_stems + stem[has])
    text, known = np.divmod(pairs, n_stems)
    place = np.arange(text.size) - np.searchsorted(text, text)
    found = np.full((item.size, int(place.max(initial=0)) + 1), -1)
    found[text, place] = known
    return found


def _unlike_a_search(words: Words, known: Words, title: Words) -> str:
    """Say whether a search has no word of its item, or is the whole title written off."""
    if words == title and len(title) > _LONGEST_TITLE:
        return "copies_the_title"
    # A word may stand in another form: mugs for mug.
    shared = any(
        word == own
        or (min(len(word), len(own)) >= _ROOT and (word.startswith(own) or own.startswith(word)))
        for word in words
        for own in known
    )
    return "" if shared else "no_word_of_the_item"
