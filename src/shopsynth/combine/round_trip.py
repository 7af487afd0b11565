"""Round trip: a synthetic search stays only if it leads back to the item that it was made for.

In: synthetic ``queries`` and ``judgments``, a catalogue, and whoever ranks it. Out: the searches
kept with their judgments, and the rejects with the reason.

Two filters: :func:`round_trip` asks whether the item comes back, :func:`likelihood_band` whether
the text looks like a search (or a review) at all, and not like the commonest one. Filtering carries
the gain of made searches, not their number. Not for: telling whether a search is worth answering.
"""

from dataclasses import replace
from typing import Protocol

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.sparse import csr_array

from shopsynth.combine.filters._rows import filter_table, parted, reasons_of
from shopsynth.schema import InputError, SyntheticDataset, make_rejects
from shopsynth.text.words import split_words

NOT_FOUND = "item_does_not_come_back"
UNLIKELY = {"queries": "unlike_any_search", "reviews": "unlike_any_review"}
TOO_LIKELY = "says_too_little"

_K1, _B = 1.2, 0.75
"""Saturation and length of BM25, as in most engines: Robertson and Zaragoza 2009, section 3.5."""

_BLOCK = 2048
"""Searches scored at once; a row of scores has an entry for each item that shares a word."""

Floats = NDArray[np.float64]


class Retriever(Protocol):
    """Whoever ranks a catalogue: BM25 here, a trained model elsewhere."""

    def ranks(self, texts: pl.Series, item_ids: pl.Series) -> Floats:
        """Return the rank of each text's item in the whole catalogue.

        Args:
            texts: ``(n,)`` searches.
            item_ids: ``(n,)`` the item of each.

        Returns:
            ``(n,)`` from 1 on; of items with equal scores the mean; infinite where the item is not
            found.
        """


class Likelihood(Protocol):
    """Whoever says how likely a text is."""

    def log_likelihood(self, texts: pl.Series) -> Floats:
        """Return the log likelihood of each text, by word or character: ``(n,)``."""


class LexicalRetriever:
    """BM25 over titles.

    Args:
        items: The catalogue; columns ``item_id`` and those named.
        columns: Columns that are searched.

    Source:
        Robertson and Zaragoza, The probabilistic relevance framework: BM25 and beyond, 2009.

    Example:
        >>> items = pl.DataFrame({"item_id": ["a", "b"], "title": ["red cup", "red lamp"]})
        >>> retriever = LexicalRetriever(items)
        >>> retriever.ranks(pl.Series(["lamp", "red"]), pl.Series(["b", "b"])).tolist()
        [1.0, 1.5]
    """

    def __init__(self, items: pl.DataFrame, columns: tuple[str, ...] = ("title",)) -> None:
        text = items.select(pl.concat_str(columns, separator=" ", ignore_nulls=True)).to_series()
        words = split_words(text, numbers_apart=True)
        self._ids = items["item_id"]
        self._vocabulary = words.vocabulary
        shape = (items.height, words.vocabulary.len())
        counts = csr_array(
            (np.ones(words.ids.size), words.ids, words.offsets), shape=shape, dtype=np.float64
        )
        counts.sum_duplicates()
        holders = np.bincount(counts.indices, minlength=shape[1])
        rarity = np.log1p((items.height - holders + 0.5) / (holders + 0.5))
        lengths = np.diff(words.offsets)
        usual = 1 - _B + _B * lengths / max(float(lengths.mean()), 1.0) if lengths.size else lengths
        row = np.repeat(np.arange(items.height), np.diff(counts.indptr))
        told = counts.data * (_K1 + 1) / (counts.data + _K1 * usual[row])
        weights = (told * rarity[counts.indices], counts.indices, counts.indptr)
        self._items_by_word = csr_array(weights, shape=shape).T.tocsr()

    def ranks(self, texts: pl.Series, item_ids: pl.Series) -> Floats:
        """Rank; what shares no word with the search is not found."""
        row = pl.DataFrame({"item_id": item_ids}).join(
            pl.DataFrame({"item_id": self._ids}).with_row_index("row"),
            on="item_id",
            how="left",
            maintain_order="left",
        )["row"]
        own = row.cast(pl.Int64).fill_null(-1).to_numpy()
        asked = self._asked(texts)
        ranks = [
            _ranks_in(asked[start : start + _BLOCK] @ self._items_by_word, own[start:][:_BLOCK])
            for start in range(0, texts.len(), _BLOCK)
        ]
        return np.concatenate([np.zeros(0), *ranks])

    def _asked(self, texts: pl.Series) -> csr_array:
        """Return which known words each text has, ``(n, n_words)``."""
        words = split_words(texts, numbers_apart=True)
        places = pl.DataFrame({"word": words.vocabulary}).join(
            pl.DataFrame({"word": self._vocabulary}).with_row_index("place"),
            on="word",
            how="left",
            maintain_order="left",
        )["place"]
        place = places.cast(pl.Int64).fill_null(-1).to_numpy()[words.ids]
        text = np.repeat(np.arange(texts.len()), np.diff(words.offsets))
        known = place >= 0
        return csr_array(
            (np.ones(np.count_nonzero(known)), (text[known], place[known])),
            shape=(texts.len(), self._vocabulary.len()),
        )


def _ranks_in(scores: csr_array, own: NDArray[np.int64]) -> Floats:
    """Rank one item of each row, ``(n,)``."""
    sizes = np.diff(scores.indptr)
    row = np.repeat(np.arange(own.size), sizes)
    mine = np.zeros(own.size)
    hit = scores.indices == own[row]
    mine[row[hit]] = scores.data[hit]
    # Sums of floats in another order differ in their last digits.
    slack = 1e-9 * mine[row]
    above = np.bincount(row[scores.data > mine[row] + slack], minlength=own.size)
    level = np.abs(scores.data - mine[row]) <= slack
    equal = np.bincount(row[level], minlength=own.size)
    ranks: Floats = np.where(mine > 0, above + (equal + 1) / 2, np.inf)
    return ranks


def round_trip(
    synthetic: SyntheticDataset, retriever: Retriever | None = None, *, k: int = 10
) -> tuple[SyntheticDataset, pl.DataFrame]:
    """Drop searches that do not bring an item back that answers them best.

    Args:
        synthetic: With ``queries`` and ``judgments``; a search's own items are those of its
            greatest grade above 0.
        retriever: Who ranks; BM25 over titles if not given.
        k: Greatest rank that counts as found.

    Returns:
        The data set without dropped searches and their judgments, and the rejects with
        ``REJECT_COLUMNS``: one record a dropped search, its id.

    Raises:
        InputError: If ``k`` is less than 1.
        SchemaError: If a table is missing.

    Source:
        Alberti et al., Synthetic QA corpora generation with roundtrip consistency, ACL 2019; for
        searches: Dai et al., Promptagator, ICLR 2023.
    """
    if k < 1:
        raise InputError(f"round_trip: expected k of at least 1, got {k}")
    queries, judgments = synthetic.data.need("queries"), synthetic.data.need("judgments")
    best = (pl.col("grade") == pl.col("grade").max().over("query_id")) & (pl.col("grade") > 0)
    own = judgments.filter(best).join(
        queries.select("query_id", "text"), on="query_id", maintain_order="left"
    )
    judge = LexicalRetriever(synthetic.data.items) if retriever is None else retriever
    ranks = judge.ranks(own["text"], own["item_id"])
    found = own.filter(pl.Series(ranks <= k))["query_id"]
    lost = queries.filter(~pl.col("query_id").is_in(found.implode()))
    return _without(synthetic, lost), make_rejects("queries", NOT_FOUND, lost.select("query_id"))


def likelihood_band(
    synthetic: SyntheticDataset,
    likelihood: Likelihood,
    real: pl.Series,
    *,
    band: tuple[float, float] = (0.01, 0.99),
    table: str = "queries",
) -> tuple[SyntheticDataset, pl.DataFrame]:
    """Drop texts that are less likely than real ones, or more so.

    Args:
        synthetic: With ``queries``, or the table named.
        likelihood: Who says how likely a text is.
        real: Real texts of the training part that ``likelihood`` has not learned from, or else
            the band lies too high.
        band: Shares of the real texts that lie below the band and not above it.
        table: ``queries`` or ``reviews``.

    Returns:
        As :func:`round_trip`; a reject's record is the row's identifiers.

    Raises:
        InputError: If the band is none, or there is no real text.
        SchemaError: If the table is missing.
    """
    low, high = band
    if not 0 <= low < high <= 1:
        raise InputError(f"likelihood_band: expected 0 <= low < high <= 1, got {low} and {high}")
    if real.len() == 0:
        raise InputError(
            f"likelihood_band: expected real {table} to compare with, got none; leave the filter "
            f"out in a shop without {table}"
        )
    least, most = np.quantile(likelihood.log_likelihood(real), [low, high])

    def banded(rows: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
        scores = likelihood.log_likelihood(rows["text"])
        unlikely = UNLIKELY.get(table, "unlike_any_text")
        found = ((unlikely, pl.Series(scores < least)), (TOO_LIKELY, pl.Series(scores > most)))
        return parted(rows, table, reasons_of(rows.height, *found))

    return filter_table(synthetic, table, banded)


def _without(synthetic: SyntheticDataset, dropped: pl.DataFrame) -> SyntheticDataset:
    """Take searches out of every table that names them; rows keep their order."""
    kept = {
        name: frame.join(
            dropped.select("query_id"), on="query_id", how="anti", maintain_order="left"
        )
        for name, frame in synthetic.data.tables().items()
        if name in ("queries", "judgments")
    }
    return replace(synthetic, data=synthetic.data.with_tables(**kept))
