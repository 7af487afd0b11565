"""Lexical features of a pair: what a query's words and an item's words have in common.

In: pairs and a catalogue. Out: a matrix of numbers, one row a pair, columns :data:`FEATURES`.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy import sparse

from shopsynth.text.words import spell_alike
from shopsynth.train.relevance._slips import similarity
from shopsynth.train.relevance._terms import TermMatrices, count_terms, ratio
from shopsynth.train.search._lexical import Terms

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

FEATURES = (
    "word_share", "stem_share", "rare_stem_share", "title_share", "bm25", "bm25_of_best",
    "best_bm25", "rarest_missing", "n_missing", "pair_share", "gram_share", "rare_gram_share",
    "gram_cosine", "gram_bm25_of_own", "first_in_title", "last_in_title", "last_place",
    "last_from_end", "first_place", "mean_place", "joined_share", "similar_mean", "similar_least",
    "n_numbers", "numbers_missing", "numbers_in_conflict", "query_words", "title_words",
    "query_chars", "title_chars", "query_rarity", "query_rarest", "whole_query", "brand_share",
    "category_share",
)  # fmt: skip
"""Names of the columns. Places count words from the start of the title, -1 where a word is not
there; brand and category are NaN where an item has none."""

_STEMS, _WORDS, _GRAMS = Terms(True, 0), Terms(False, 0), Terms(True, 3)
_NUMBER = r"^\d"
_WORD = ("pair", "at")


@dataclass(frozen=True)
class _Said:
    """Distinct texts of pairs, and where each pair's own are.

    Attributes:
        queries: Distinct queries.
        documents: Distinct texts of items: those of the catalogue, then further ones.
        query: ``(pair,)`` row of the query.
        document: ``(pair,)`` row of the document.
    """

    queries: pl.Series
    documents: pl.Series
    query: Integers
    document: Integers

    @classmethod
    def read(cls, pairs: pl.DataFrame, catalogue: pl.Series) -> Self:
        queries = pairs["query"].unique(maintain_order=True)
        documents = pl.concat([catalogue.rename("item"), pairs["item"]]).unique(maintain_order=True)
        query, document = _rows(pairs["query"], queries), _rows(pairs["item"], documents)
        return cls(queries, documents, query, document)

    def words(self) -> pl.DataFrame:
        """Lay each pair's query beside its title, word by word.

        Returns:
            A row a word of the query, sorted by ``pair`` and ``at`` (its place in the query), with
            ``query``, ``document``, ``term`` (the stem), ``n`` and ``m`` (stems of query and
            title) and ``place``: where the title has it first, or null.
        """
        asked = _ordered(self.queries).rename({"text": "query"})
        firsts = self.title_words.unique(["document", "term"], keep="first", maintain_order=True)
        links = pl.DataFrame({"query": self.query, "document": self.document})
        found = links.with_row_index("pair").join(asked, on="query", maintain_order="left_right")
        firsts = firsts.select("document", "term", pl.col("at").alias("place"))
        n_words = self.title_words.group_by("document").agg(pl.len().alias("m"))
        return (
            found.join(firsts, on=["document", "term"], how="left", maintain_order="left")
            .join(n_words, on="document", how="left", maintain_order="left")
            .with_columns(pl.col("m").fill_null(0))
        )

    @cached_property
    def title_words(self) -> pl.DataFrame:
        """Return stems of the documents that pairs have: ``document``, ``at``, ``term``, ``n``."""
        own = np.unique(self.document)
        words = _ordered(self.documents.gather(own))
        return words.with_columns(document=own[words["text"].to_numpy()]).drop("text")


def lexical_features(pairs: pl.DataFrame, catalogue: pl.Series) -> Floats:
    """Compute the features of pairs.

    Args:
        pairs: Columns ``query``, ``item``, ``brand``, ``category``.
        catalogue: Texts of all items: they say how rare a word is.

    Returns:
        ``(pair, feature)`` float64.
    """
    if not pairs.height:
        return np.zeros((0, len(FEATURES)))
    said = _Said.read(pairs, catalogue)
    columns = _of_terms(said) | _of_words(said, pairs)
    columns["query_chars"] = pairs["query"].str.len_chars().to_numpy()
    columns["title_chars"] = pairs["item"].str.len_chars().to_numpy()
    for name in ("brand", "category"):
        columns[f"{name}_share"] = _share_said(pairs, name)
    ordered = [np.asarray(columns[name], dtype=np.float64) for name in FEATURES]
    return np.stack(ordered, axis=1)


def _of_terms(said: _Said) -> dict[str, Floats]:
    """Compute what bags of words, of pairs of words and of pieces of words say."""
    query, document = said.query, said.document
    stems = count_terms(said.queries, said.documents, _STEMS)
    grams = count_terms(said.queries, said.documents, _GRAMS)
    words = count_terms(said.queries, said.documents, _WORDS)
    neighbours = TermMatrices.count(
        _neighbours(said.queries), _neighbours(said.documents),
        (said.queries.len(), said.documents.len()),
    )  # fmt: skip
    score, best = stems.score(query, document), stems.best_scores()[query]
    missing = stems.missing(query, document)
    rarities = stems.queries.multiply(stems.idf[None, :]).tocsr()
    n_terms = np.maximum(np.diff(stems.queries.indptr), 1)
    n_shared = np.diff(stems.shared(query, document).indptr)
    found: dict[str, Floats] = {
        "bm25": score,
        "best_bm25": best,
        "bm25_of_best": ratio(score, best),
        "rarest_missing": _row_max(missing.multiply(stems.idf[None, :]).tocsr()),
        "n_missing": np.diff(missing.indptr),
        "title_share": ratio(n_shared.astype(np.float64), stems.lengths[document]),
        "query_rarity": (np.asarray(rarities.sum(axis=1)).ravel() / n_terms)[query],
        "query_rarest": _row_max(rarities)[query],
        "gram_cosine": grams.cosine(query, document),
        "gram_bm25_of_own": ratio(grams.score(query, document), grams.most_scores()[query]),
        "word_share": words.shares(query, document)[0],
        "pair_share": neighbours.shares(query, document)[0],
    }
    found["stem_share"], found["rare_stem_share"] = stems.shares(query, document)
    found["gram_share"], found["rare_gram_share"] = grams.shares(query, document)
    return found


def _of_words(said: _Said, pairs: pl.DataFrame) -> dict[str, Floats]:
    """Compute what the words of a query say in their order."""
    words = said.words()
    words = words.with_columns(_similar(said, words), _joined(words, pairs))
    number = pl.col("term").str.contains(_NUMBER)
    there, last = pl.col("place").is_not_null(), pl.col("at") == pl.col("n") - 1
    unit_there = there.shift(-1, fill_value=False).over("pair")
    lost_number = number & ~there
    by_pair = words.group_by("pair").agg(
        there.filter(pl.col("at") == 0).first().alias("first_in_title"),
        there.filter(last).first().alias("last_in_title"),
        pl.col("place").filter(last).first().alias("last_place"),
        (pl.col("m") - pl.col("place")).filter(last).first().alias("last_from_end"),
        pl.col("place").min().alias("first_place"),
        pl.col("place").mean().alias("mean_place"),
        (there | pl.col("joined")).mean().alias("joined_share"),
        pl.col("similar").mean().alias("similar_mean"),
        pl.col("similar").min().alias("similar_least"),
        number.sum().alias("n_numbers"),
        lost_number.sum().alias("numbers_missing"),
        (lost_number & unit_there).sum().alias("numbers_in_conflict"),
        pl.col("n").first().alias("query_words"),
        pl.col("m").first().alias("title_words"),
    )
    every = pl.DataFrame({"pair": np.arange(pairs.height, dtype=np.uint32)})
    places = ("last_place", "last_from_end", "first_place", "mean_place")
    full = (
        every.join(by_pair, on="pair", how="left", maintain_order="left")
        .with_columns(pl.col(places).fill_null(-1))
        .cast(pl.Float64)
        .fill_null(0.0)
    )
    spelled = pl.DataFrame({name: spell_alike(pairs[name]) for name in ("item", "query")})
    title, query = (" " + pl.col(name) + " " for name in ("item", "query"))
    whole = spelled.select(title.str.contains(query, literal=True))
    found = {name: full[name].to_numpy() for name in full.columns if name != "pair"}
    return found | {"whole_query": whole.to_series().to_numpy()}


def _similar(said: _Said, words: pl.DataFrame) -> pl.Series:
    """Return for each word how alike the title's most similar word is; 1 where it is there."""
    lost = words.filter(pl.col("place").is_null()).select(*_WORD, "document", "term")
    beside = said.title_words.select("document", pl.col("term").alias("other"))
    laid = lost.join(beside, on="document", how="inner", maintain_order="left_right")
    alike = laid.with_columns(similar=similarity(laid["term"], laid["other"]))
    best = alike.group_by(_WORD).agg(pl.col("similar").max())
    joined = words.join(best, on=_WORD, how="left", maintain_order="left")
    there = pl.col("place").is_not_null()
    return joined.select(
        pl.when(there).then(1.0).otherwise(pl.col("similar").fill_null(0.0)).alias("similar")
    ).to_series()


def _joined(words: pl.DataFrame, pairs: pl.DataFrame) -> pl.Series:
    """Tell of each word whether the title without blanks has it: `deckover` in `deck over`."""
    squeezed = spell_alike(pairs["item"]).str.replace_all(" ", "", literal=True)
    beside = words.select("term").with_columns(title=squeezed.gather(words["pair"]))
    return beside.select(
        pl.col("title").str.contains(pl.col("term"), literal=True).alias("joined")
    ).to_series()


def _share_said(pairs: pl.DataFrame, name: str) -> Floats:
    """Return the share of the words of an attribute that the query has; NaN where it is empty."""
    known = pairs[name].is_not_null().to_numpy()
    beside = pairs.select("query", pl.col(name).fill_null("").alias("item"))
    said = _Said.read(beside, beside["item"].clear())
    terms = count_terms(said.documents, said.queries, _STEMS)
    share = terms.shares(said.document, said.query)[0]
    return np.where(known, share, np.nan)


def _ordered(texts: pl.Series) -> pl.DataFrame:
    """Return stems in their order: ``text`` (its row), ``at`` (from 0), ``term``, ``n``."""
    found = _STEMS.of(texts)
    return found.with_columns(
        at=pl.int_range(pl.len()).over("text"), n=pl.len().over("text").cast(pl.Int64)
    )


def _neighbours(texts: pl.Series) -> pl.DataFrame:
    """Return pairs of stems that stand side by side: ``text``, ``term``."""
    found = _STEMS.of(texts)
    return (
        found.with_columns(both=pl.col("term") + " " + pl.col("term").shift(-1))
        .filter(pl.col("text") == pl.col("text").shift(-1))
        .select("text", pl.col("both").alias("term"))
    )


def _rows(texts: pl.Series, distinct: pl.Series) -> Integers:
    places = pl.int_range(distinct.len(), eager=True)
    found = texts.replace_strict(distinct, places, return_dtype=pl.Int64)
    return np.asarray(found.to_numpy())


def _row_max(matrix: sparse.csr_matrix) -> Floats:
    if not matrix.shape[1]:
        return np.zeros(matrix.shape[0])
    return np.asarray(matrix.max(axis=1).toarray(), dtype=np.float64).ravel()
