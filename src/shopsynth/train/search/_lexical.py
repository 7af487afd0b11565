"""BM25 over words and over pieces of words: an index of a catalogue, and scores of queries.

In: texts. Out: sparse scores of every term in every text, and a dense score of every text for a
query. Indexing is that of the library bm25s; a query is one product of sparse matrices.
"""

from dataclasses import dataclass
from importlib import import_module
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy import sparse

from shopsynth.schema import MissingExtraError
from shopsynth.text.segmentation import Segmentation
from shopsynth.text.stems import character_grams, light_stems
from shopsynth.text.words import split_words
from shopsynth.train.ranks import Floats

Integers = NDArray[np.int64]


@dataclass(frozen=True)
class Terms:
    """How a text is taken apart.

    Attributes:
        stem: Whether the plural of English words is taken off.
        grams: Characters of a piece; 0 takes words alone.
        segmentation: How Chinese is cut.
    """

    stem: bool
    grams: int
    segmentation: Segmentation = "characters"

    def of(self, texts: pl.Series) -> pl.DataFrame:
        """Return the terms of every text, repeated ones too: ``text`` (its row), ``term``."""
        words = split_words(texts, numbers_apart=True, segmentation=self.segmentation)
        vocabulary = words.vocabulary
        row = pl.Series("text", np.repeat(np.arange(texts.len()), np.diff(words.offsets)))
        if not self.grams:
            terms = light_stems(vocabulary) if self.stem else vocabulary
            return pl.DataFrame({"text": row, "term": terms.gather(words.ids)})
        pieces = character_grams(vocabulary, self.grams)
        return pl.DataFrame({"text": row, "term": pieces.gather(words.ids)}).explode("term")


@dataclass(frozen=True)
class LexicalIndex:
    """The scores of a catalogue's terms.

    Attributes:
        terms: How texts are taken apart.
        vocabulary: Distinct terms, sorted.
        scores: ``(term, text)`` float32: what a text gains if a query has the term.
    """

    terms: Terms
    vocabulary: pl.Series
    scores: sparse.csr_matrix

    @classmethod
    def build(cls, texts: pl.Series, terms: Terms, k1: float, b: float) -> "LexicalIndex":
        """Index texts.

        Args:
            texts: One a document, without nulls.
            terms: How they are taken apart.
            k1: How much a repeated term still adds.
            b: How much longer texts are held back, from 0 to 1.

        Raises:
            MissingExtraError: If the library bm25s is not installed.
        """
        library = lexical_library()
        found = terms.of(texts)
        vocabulary = found["term"].unique().sort().alias("term")
        shape = (len(vocabulary), len(texts))
        if not shape[0]:
            return cls(terms, vocabulary, sparse.csr_matrix(shape, dtype=np.float32))
        ids = vocabulary.search_sorted(found["term"]).to_numpy().astype(np.int64)
        ends = np.cumsum(np.bincount(found["text"].to_numpy(), minlength=len(texts)))
        index = library.BM25(method="lucene", k1=k1, b=b)
        parts = index.build_index_from_ids(
            unique_token_ids=list(range(len(vocabulary))),
            corpus_token_ids=[part.tolist() for part in np.split(ids, ends[:-1])],
            show_progress=False,
        )
        # Its columns are terms, compressed by column: the same arrays are rows of the transpose.
        scores = sparse.csr_matrix((parts["data"], parts["indices"], parts["indptr"]), shape=shape)
        return cls(terms, vocabulary, scores)

    def score(self, queries: pl.Series) -> Floats:
        """Score every text for every query: ``(query, text)``, 0 where no term is shared."""
        found = self.terms.of(queries).filter(pl.col("term").is_in(self.vocabulary.implode()))
        columns = self.vocabulary.search_sorted(found["term"]).to_numpy()
        shape = (len(queries), len(self.vocabulary))
        asked = sparse.csr_matrix(
            (np.ones(found.height, np.float32), (found["text"].to_numpy(), columns)), shape=shape
        )
        scores: Floats = (asked @ self.scores).toarray().astype(np.float32, copy=False)
        return scores


def lexical_library() -> Any:
    """Import ``bm25s``.

    Raises:
        MissingExtraError: If it is not installed.
    """
    try:
        return import_module("bm25s")
    except ImportError as error:
        raise MissingExtraError(
            "task search, model bm25: expected the library bm25s, got none; install it with "
            "pip install 'shopsynth[text]'"
        ) from error
