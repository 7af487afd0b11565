"""Which titles a search may mean, by its words alone; no label is read.

In: words of searches and of titles. Out: pairs of search and item, and how much of the search the
title covers. Where several titles fit, all share one search.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from shopsynth.generate._draws import DrawTable, Floats
from shopsynth.generate.searches.titles import Titles
from shopsynth.generate.searches.words import BINDER, JOINER, Tokens, is_among

_LOOKED_AT = 24
"""Titles looked at for each of a search's two rarest words; a common word has thousands."""

_KEPT = 3
"""Titles that one search is laid beside."""

_COVERED = 0.5
"""Least share of a search's information that a title must have."""


@dataclass(frozen=True)
class Matches:
    """Pairs of search and item.

    Attributes:
        query: ``(n,)`` number of the search, rising.
        item: ``(n,)`` item_index.
        share: ``(n,)`` of the search's information that the title has, a half to 1.
        weight: ``(n,)`` one over the number of pairs of the search.
    """

    query: NDArray[np.int64]
    item: NDArray[np.int64]
    share: Floats
    weight: Floats


def match(queries: Tokens, titles: Titles, random: np.random.Generator) -> Matches:
    """Lay each search beside the titles that cover most of it.

    Args:
        queries: Words of searches, in the vocabulary of the titles.
        titles: Words of items.
        random: Chooses among titles where a word has many.
    """
    n_stems, n_queries = titles.vocabulary.n_stems, queries.offsets.size - 1
    frequency = titles.frequency()
    bits = titles.vocabulary.kind[queries.word]
    telling = (bits & (BINDER | JOINER)) == 0
    query, stem = queries.text[telling], titles.vocabulary.stem[queries.word[telling]]
    information = np.log1p(titles.n_items / np.maximum(frequency, 1.0))
    # A word that no title has may be a slip or another form: it tells as much as any other.
    usual = float(information[titles.stem].mean()) if titles.item.size else 0.0
    information[frequency == 0] = usual
    total = np.bincount(query, weights=information[stem], minlength=n_queries)
    candidates = _candidates(query, stem, frequency, titles, random)
    owner, item = np.divmod(candidates, titles.n_items)
    first = np.searchsorted(query, np.arange(n_queries + 1))
    sizes = np.diff(first)[owner]
    row = np.repeat(np.arange(owner.size), sizes)
    token = first[owner[row]] + np.arange(row.size) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    has = is_among(item[row] * n_stems + stem[token], titles.pairs)
    covered = np.bincount(row, weights=has * information[stem[token]], minlength=owner.size)
    share = covered / np.maximum(total[owner], 1e-9)
    order = np.lexsort((random.random(owner.size), -share, owner))
    rank = np.arange(owner.size) - np.searchsorted(owner, owner)
    kept = order[(rank < _KEPT) & (share[order] >= _COVERED)]
    counts = np.bincount(owner[kept], minlength=n_queries)
    return Matches(owner[kept], item[kept], share[kept], 1.0 / counts[owner[kept]])


def _candidates(
    query: NDArray[np.int64],
    stem: NDArray[np.int64],
    frequency: NDArray[np.int64],
    titles: Titles,
    random: np.random.Generator,
) -> NDArray[np.int64]:
    """Draw titles that have one of a search's two rarest words; keys ``query * n_items + item``."""
    known = np.flatnonzero(frequency[stem])
    order = known[np.lexsort((frequency[stem[known]], query[known]))]
    owner = query[order]
    rank = np.arange(order.size) - np.searchsorted(owner, owner)
    asked = np.repeat(order[rank < 2], _LOOKED_AT)
    drawn = postings(titles).draw(stem[asked], random.random(asked.size))
    return np.unique(query[asked] * titles.n_items + drawn)


def postings(titles: Titles) -> DrawTable:
    """Return the items of each stem, to draw from."""
    item, stem = np.divmod(titles.pairs, titles.vocabulary.n_stems)
    return DrawTable.of(stem, item, np.ones(item.size), titles.vocabulary.n_stems)
