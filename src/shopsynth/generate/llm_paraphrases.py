"""llm_paraphrases: the shop's own rare searches in other words, with the judgments they have.

In: a private view's searches and judgments. Out: ``queries`` and ``judgments``: a paraphrase is
judged as the search it was made of. Brands, model numbers, sizes, quantities and denials of the
search must all stand in its paraphrase, and no others may.

Searches of fewer than ``min_people`` people are never shown to the model: a rare search may tell
who wrote it. Where searches are public, set it to 1. Not for searches of a word or two, whose
paraphrase is mostly another search.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from pydantic import Field

from shopsynth.generate.llm import Template
from shopsynth.generate.llm_queries import Searches, form_of
from shopsynth.generate.written.grounding import Grounds
from shopsynth.generate.written.phrases import Words, has_phrase, words_of
from shopsynth.generate.written.records import Records
from shopsynth.generate.written.settings import WritingOptions
from shopsynth.generate.written.synthesizer import writer
from shopsynth.generate.written.writing import Draft, Row, Task
from shopsynth.privacy import PrivateView
from shopsynth.text.spans import protected_spans
from shopsynth.text.words import spell_alike

_METHOD = "llm_paraphrases"
_INSTRUCTION = (
    "The record holds a search that somebody typed into a shop. Write {n} other searches that the "
    "same person could have typed for exactly the same thing: other words, other order, longer or "
    "shorter, as people type. Every phrase listed under keep must stay in each of them, letter by "
    "letter. Add no brand, number, size, colour or property that the search does not have."
)


class LLMParaphrasesOptions(WritingOptions):
    """Options of ``llm_paraphrases``."""

    per_query: int = Field(default=3, ge=1, le=10)
    """Paraphrases asked for in one request."""
    min_people: int = Field(default=3, ge=1)
    """People, or searches where nobody is known, that must share a text for it to be shown."""
    head: float = Field(default=0.5, ge=0, lt=1)
    """Share of all searches, the most frequent texts first, that is no tail; texts of the least
    number of searches are always tail."""


@dataclass(frozen=True)
class _Paraphrases:
    """The writing of paraphrases; a source is a distinct text of the tail.

    Attributes:
        sources: ``text``, ``query_id`` of a search with this text, ``spans`` to keep.
        real: All real texts in one spelling.
        judgments: Those of the sources.
    """

    sources: pl.DataFrame
    real: frozenset[str]
    judgments: pl.DataFrame
    grounds: Grounds
    brands: tuple[str, ...]
    items: pl.DataFrame
    locale: str | None
    per_call: int
    template: Template
    form: type[Searches]
    name: str = _METHOD

    @property
    def n_sources(self) -> int:
        """Texts of the tail."""
        return self.sources.height

    def task(self, source: int, random: np.random.Generator) -> Task:
        """Ask about one search; nothing is drawn."""
        row = self.sources.row(source, named=True)
        record = {"search": row["text"], "keep": "; ".join(row["spans"])}
        context = {"query_id": row["query_id"], "spans": words_of(row["spans"])}
        return Task(row["query_id"], record, {"search": row["text"]}, context)

    def rows(self, task: Task, answer: Searches) -> list[Row]:
        """Return the paraphrases."""
        return [{"text": " ".join(text.split())} for text in answer.searches]

    def faults(self, drafts: Sequence[Draft]) -> list[str]:
        """Check that spans are kept, that none came in, and that it is no real search."""
        texts = [each.row["text"] for each in drafts]
        strays = self.grounds.strays(texts, [each.task.facts for each in drafts])
        alike = spell_alike(pl.Series(texts)).to_list()
        return [
            "is_a_real_search" if spelled in self.real else _lost(draft, words) or stray
            for draft, words, spelled, stray in zip(
                drafts, words_of(texts), alike, strays, strict=True
            )
        ]

    def tables(self, drafts: Sequence[Draft], ids: pl.Series, seed: int) -> dict[str, pl.DataFrame]:
        """Make ``queries`` and ``judgments``."""
        origin = [each.task.context["query_id"] for each in drafts]
        texts = pl.Series([each.row["text"] for each in drafts], dtype=pl.String)
        queries = pl.DataFrame({"query_id": ids, "text": texts})
        if self.locale is not None:
            queries = queries.with_columns(locale=pl.lit(self.locale))
        made = pl.DataFrame({"new": ids, "query_id": pl.Series(origin, dtype=pl.String)})
        judgments = made.join(self.judgments, on="query_id", maintain_order="left_right")
        return {
            "queries": queries,
            "judgments": judgments.select(query_id="new", item_id="item_id", grade="grade"),
        }


@writer(_METHOD, LLMParaphrasesOptions, "judgments")
def llm_paraphrases(view: PrivateView, options: LLMParaphrasesOptions) -> _Paraphrases:
    """Paraphrases of rare searches by a language model, judged as these."""
    records = Records.of(view.items, (), _METHOD)
    rows = view.rows
    queries, judgments = rows.need("queries"), rows.need("judgments")
    judgments = judgments.join(
        view.items.select("item_id"), on="item_id", how="semi", maintain_order="left"
    )
    judged = queries["query_id"].is_in(judgments["query_id"].unique().implode())
    counted = _counted(queries.with_columns(judged=judged), rows.events)
    sources = _tail(counted, options).select("text", "query_id")
    sources = _with_spans(sources, records.brands)
    locales = queries["locale"].unique() if "locale" in queries.columns else pl.Series([])
    asked = f"{_INSTRUCTION.format(n=options.per_query)} {options.in_language}"
    return _Paraphrases(
        sources=sources,
        real=frozenset(counted["spelled"].to_list()),
        judgments=judgments.sort("query_id", "item_id"),
        grounds=Grounds.of(records),
        brands=records.brands,
        items=view.items,
        locale=options.language or (locales.item() if locales.len() == 1 else None),
        per_call=options.per_query,
        template=Template("paraphrases", asked, {"search": 300, "keep": 300}),
        form=form_of(options.per_query),
    )


def _counted(queries: pl.DataFrame, events: pl.DataFrame | None) -> pl.DataFrame:
    """Count who wrote each text: ``spelled``, ``text``, ``query_id`` (judged if one is), ``n``."""
    people = pl.DataFrame(schema={"query_id": pl.String, "user_id": pl.String})
    if events is not None and "query_id" in events.columns:
        people = events.select("query_id", "user_id").drop_nulls().unique()
    return (
        queries.select("query_id", "text", "judged", spelled=spell_alike(queries["text"]))
        .filter(pl.col("spelled") != "")
        .join(people, on="query_id", how="left")
        # A search and a person may have the same id.
        .with_columns(
            person=pl.when(pl.col("user_id").is_null())
            .then("q" + pl.col("query_id"))
            .otherwise("u" + pl.col("user_id"))
        )
        .sort("spelled", ~pl.col("judged"), "query_id", "person")
        .group_by("spelled", maintain_order=True)
        .agg(
            pl.col("text").first(),
            pl.col("query_id").first(),
            pl.col("judged").first(),
            n=pl.col("person").n_unique(),
        )
    )


def _tail(counted: pl.DataFrame, options: LLMParaphrasesOptions) -> pl.DataFrame:
    """Choose judged texts that enough people wrote and that are none of the most frequent."""
    ranked = counted.sort(["n", "spelled"], descending=[True, False])
    before = pl.col("n").cum_sum() - pl.col("n")
    tail = (before >= options.head * pl.col("n").sum()) | (pl.col("n") == pl.col("n").min())
    enough = pl.col("n") >= options.min_people
    return ranked.filter(enough).filter(tail).filter("judged").sort("spelled")


def _with_spans(sources: pl.DataFrame, brands: Sequence[str]) -> pl.DataFrame:
    """Add ``spans``: what of each text must stay."""
    found = protected_spans(sources["text"], phrases=brands)
    start, stop = pl.col("start"), pl.col("stop")
    cut = found.with_columns(text=sources["text"].gather(found["row"])).group_by(
        "row", maintain_order=True
    )
    spans = cut.agg(spans=pl.col("text").str.slice(start, stop - start))
    return (
        sources.with_row_index("row")
        .join(spans, on="row", how="left", maintain_order="left")
        .with_columns(pl.col("spans").fill_null([]))
        .drop("row")
    )


def _lost(draft: Draft, words: Words) -> str:
    kept = all(has_phrase(words, phrase) for phrase in draft.task.context["spans"])
    return "" if kept else "lost_a_protected_span"
