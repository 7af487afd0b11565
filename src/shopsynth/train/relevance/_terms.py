"""Terms of queries and of documents as sparse matrices over one vocabulary: that of the queries.

In: texts. Out: what a query and a document share, how rare it is, and BM25. A term that no query
has counts in a document's length alone.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy import sparse

from shopsynth.train.search._lexical import Terms

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

_K1, _B = 1.2, 0.75
"""Lucene's defaults of BM25."""

_ROWS = 512
"""Queries matched with all documents at once: some 10 MB."""


@dataclass(frozen=True)
class TermMatrices:
    """Counts of terms.

    Attributes:
        queries: ``(query, term)`` 1 where a query has a term.
        documents: ``(document, term)`` how often a document has it.
        lengths: ``(document,)`` terms of each document, those that no query has among them.
        idf: ``(term,)`` how rare a term is among documents.
    """

    queries: sparse.csr_matrix
    documents: sparse.csr_matrix
    lengths: Floats
    idf: Floats

    @classmethod
    def count(cls, queries: pl.DataFrame, documents: pl.DataFrame, shape: tuple[int, int]) -> Self:
        """Count terms.

        Args:
            queries: Columns ``text`` (its row) and ``term``.
            documents: The same of documents.
            shape: Number of queries and of documents.
        """
        vocabulary = queries["term"].unique().sort()
        n_terms = len(vocabulary)
        asked = _matrix(queries, vocabulary, (shape[0], n_terms))
        asked.data[:] = 1.0
        lengths = np.bincount(documents["text"].to_numpy(), minlength=shape[1]).astype(np.float64)
        known = documents.filter(pl.col("term").is_in(vocabulary.implode()))
        counts = _matrix(known, vocabulary, (shape[1], n_terms))
        n_with = np.bincount(counts.indices, minlength=n_terms)
        idf = np.log1p((shape[1] - n_with + 0.5) / (n_with + 0.5))
        return cls(asked, counts, lengths, idf)

    @cached_property
    def bm25(self) -> sparse.csr_matrix:
        """``(document, term)`` what a document gains if a query has the term."""
        scores = self.documents.copy()
        row = np.repeat(np.arange(scores.shape[0]), np.diff(scores.indptr))
        norm = 1.0 - _B + _B * self.lengths / max(float(self.lengths.mean()), 1.0)
        saturated = scores.data * (_K1 + 1.0) / (scores.data + _K1 * norm[row])
        scores.data = saturated * self.idf[scores.indices]
        return scores

    def shared(self, query: Integers, document: Integers) -> sparse.csr_matrix:
        """``(pair, term)`` 1 where the query and the document of a pair have a term."""
        there = self.documents[document]
        there.data[:] = 1.0
        return sparse.csr_matrix(self.queries[query].multiply(there))

    def missing(self, query: Integers, document: Integers) -> sparse.csr_matrix:
        """``(pair, term)`` 1 where the query alone has a term."""
        rest = sparse.csr_matrix(self.queries[query] - self.shared(query, document))
        rest.eliminate_zeros()
        return rest

    def score(self, query: Integers, document: Integers) -> Floats:
        """Return BM25 of pairs, ``(pair,)``."""
        return _row_sums(self.queries[query].multiply(self.bm25[document]))

    def most_scores(self) -> Floats:
        """Return what no document's BM25 can exceed, whatever its words, ``(query,)``."""
        return np.asarray(self.queries @ (self.idf * (_K1 + 1.0)))

    def best_scores(self) -> Floats:
        """Return the BM25 of each query's best document, ``(query,)``."""
        columns = self.bm25.T.tocsr()
        starts = range(0, self.queries.shape[0], _ROWS)
        parts = [(self.queries[at : at + _ROWS] @ columns).max(axis=1) for at in starts]
        if not parts:
            return np.zeros(0)
        return np.concatenate([part.toarray().ravel() for part in parts]).astype(np.float64)

    def shares(self, query: Integers, document: Integers) -> tuple[Floats, Floats]:
        """Return the share of a query's terms that the document has: plain, and by rarity."""
        shared, asked = self.shared(query, document), self.queries[query]
        plain = ratio(_row_sums(shared), _row_sums(asked))
        return plain, ratio(shared @ self.idf, asked @ self.idf)

    def cosine(self, query: Integers, document: Integers) -> Floats:
        """Return the share of rarity that the two have in common, from 0 to 1.

        Lengths stand for what no query has, for its rarity is not known.
        """
        shared = self.shared(query, document) @ self.idf**2
        own = self.queries[query] @ self.idf**2
        beside = self.lengths[document] * float(np.mean(self.idf**2) if self.idf.size else 0.0)
        return ratio(shared, np.sqrt(own * beside))


def count_terms(queries: pl.Series, documents: pl.Series, terms: Terms) -> TermMatrices:
    """Take texts apart and count what is found."""
    shape = (queries.len(), documents.len())
    return TermMatrices.count(terms.of(queries), terms.of(documents), shape)


def ratio(part: Floats, whole: Floats) -> Floats:
    """Divide; 0 where there is nothing to divide by."""
    return np.divide(part, whole, out=np.zeros(len(part)), where=whole > 0)


def _row_sums(matrix: sparse.spmatrix) -> Floats:
    return np.asarray(matrix.sum(axis=1), dtype=np.float64).ravel()


def _matrix(
    found: pl.DataFrame, vocabulary: pl.Series, shape: tuple[int, int]
) -> sparse.csr_matrix:
    columns = vocabulary.search_sorted(found["term"]).to_numpy()
    ones = np.ones(found.height)
    matrix = sparse.csr_matrix((ones, (found["text"].to_numpy(), columns)), shape=shape)
    matrix.sum_duplicates()
    return matrix
