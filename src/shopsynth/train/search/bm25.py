"""BM25: items that share words, or pieces of words, with a query.

In: the catalogue's texts. Out: scores that need neither judgments nor training. Not for what is
said in other words (``bi_encoder`` knows synonyms).
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, ClassVar, Self

import numpy as np
import polars as pl
from pydantic import Field

from shopsynth.schema import SILENT, Dataset, Holdout, Progress, Ranking, Settings, TrainingSet
from shopsynth.text.segmentation import Segmentation
from shopsynth.train.ranks import Floats
from shopsynth.train.search._answers import Score, answer, item_texts
from shopsynth.train.search._lexical import LexicalIndex, Terms, lexical_library
from shopsynth.train.search.base import register
from shopsynth.train.space import Choice
from shopsynth.train.store import read_model, write_model

Fields = Annotated[tuple[str, ...], Field(min_length=1)]
"""Columns of items whose words are searched."""


class Bm25Options(Settings):
    """Options of ``bm25``.

    Figures are of 1,197 train queries of Home Depot over 43,332 titles (NDCG@10, recall@100 of
    grade 1 and above): words as they are .353, .707; stems .399, .768; stems and pieces of three
    characters .43, .81.
    """

    space: ClassVar[Mapping[str, Choice]] = {
        "k1": Choice.between(0.3, 2.0),
        "b": Choice.between(0.0, 1.0),
        "gram_weight": Choice.between(0.0, 0.6),
    }

    fields: Fields = ("title",)
    """Columns of items whose words are searched; those that a shop lacks are left out."""

    k1: float = Field(default=1.2, ge=0)
    """How much a repeated word still adds. Lucene's default."""

    b: float = Field(default=0.75, ge=0, le=1)
    """How much longer texts are held back. Lucene's default."""

    stem: bool = True
    """Take the plural off English words."""

    grams: int = Field(default=3, ge=0, le=8)
    """Characters of the pieces by which misspelt and joined words are found; 0 for none."""

    gram_weight: float = Field(default=0.2, ge=0)
    """Weight of the pieces' scores beside the words'."""

    segmentation: Segmentation = "characters"
    """How Chinese phrases are cut: characters, into pairs of neighbours; jieba, into words, by the
    library of that name. On validation queries of QBQTC pairs had NDCG@10 .811, words .784."""


@register("bm25")
class Bm25:
    """Okapi BM25 of words, plus a weighted BM25 of pieces of words.

    It learns nothing from judgments, and nothing of a catalogue is kept but its index while it is
    asked about: a saved model is its options.

    Source:
        Robertson and Zaragoza, The Probabilistic Relevance Framework: BM25 and Beyond, 2009;
        McNamee and Mayfield, Character N-Gram Tokenization for European Language Text Retrieval,
        Information Retrieval 2004.
    """

    Options: ClassVar[type[Settings]] = Bm25Options

    def __init__(self, options: Settings) -> None:
        self.options = Bm25Options.model_validate(options)
        self.steps_ = 0
        self._texts: pl.Series | None = None
        self._indices: list[tuple[float, LexicalIndex]] = []

    def fit(
        self,
        training: TrainingSet,
        validation: Holdout,
        *,
        seed: int,
        steps: int | None = None,
        progress: Progress = SILENT,
    ) -> Self:
        """Index the catalogue; judgments, ``validation``, ``seed`` and ``steps`` are not needed.

        Raises:
            SchemaError: If the catalogue has none of the fields.
            MissingExtraError: If the library bm25s is not installed.
        """
        lexical_library()
        self._index(training.data.items)
        return self

    def rank(self, requests: Dataset, *, k: int, exclude_seen: bool = False) -> Ranking:
        """Rank the catalogue by what it shares with each query; nothing is ever left out."""
        return answer(requests, self.scorer(requests.items), k=k)

    def scorer(self, items: pl.DataFrame) -> Score:
        """Prepare the scores of a catalogue, none below 0: 0 is an item that shares nothing."""
        self._index(items)
        (weight, first), *others = self._indices

        def score(queries: pl.Series) -> Floats:
            total = first.score(queries) * np.float32(weight)
            for share, index in others:
                total += np.float32(share) * index.score(queries)
            return total

        return score

    def save(self, folder: Path) -> None:
        """Write the options."""
        write_model(folder, "bm25", self.options, pl.Series("item_id", [], dtype=pl.String), {})

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read the options; the catalogue is indexed when it is asked about."""
        return cls(Bm25Options.parse(read_model(folder, "bm25").options, str(folder)))

    def _index(self, items: pl.DataFrame) -> None:
        options = self.options
        texts = item_texts(items, options.fields)
        if self._texts is not None and texts.equals(self._texts):
            return
        weighted = {0: 1.0}
        if options.grams and options.gram_weight:
            weighted[options.grams] = options.gram_weight
        self._indices = []
        for grams, weight in weighted.items():
            terms = Terms(options.stem, grams, options.segmentation)
            index = LexicalIndex.build(texts, terms, options.k1, options.b)
            self._indices.append((weight, index))
        self._texts = texts
