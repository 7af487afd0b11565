"""What people write where a title has a word: the same, another form of it, another word.

In: pairs of search and title. Out: for each stem of a title the words that people write for it.

Learned from what stands beside what, so that no list of synonyms is needed: ``faucets`` for
``faucet``, ``v`` for ``volt``, and with enough searches a thing's other name. Only words that
enough people have come out. Not for: a proof that two words mean the same; a filter has to look at
what is made.
"""

import numpy as np
from numpy.typing import NDArray

from shopsynth.generate._draws import DrawTable, Floats
from shopsynth.generate.searches.matches import Matches
from shopsynth.generate.searches.titles import Titles
from shopsynth.generate.searches.words import BINDER, JOINER, MEASURE, NUMBER, Tokens, is_among

_ROUNDS = 6
_LEAST_SHARE = 0.02
_LEAST_MASS = 1.0
"""Searches that a link must explain, each shared among its titles and their words."""

_NOTHING = 0.1
"""Chance, to begin with, that a word of a search answers no word of the title."""


def link_words(
    titles: Titles, queries: Tokens, matches: Matches, common: NDArray[np.bool_], min_queries: int
) -> DrawTable:
    """Learn what is written for each stem.

    Args:
        titles: Words of items.
        queries: Words of searches.
        matches: Pairs of both.
        common: ``(n_words,)`` whether enough people have a word as it is spelled.
        min_queries: Searches that must speak for a link.

    Returns:
        A row a stem, with numbers of words by how often they are written for it; empty rows for
        stems of which too little is known.

    Source:
        IBM model 1: Brown et al., The mathematics of statistical machine translation,
        Computational Linguistics 19(2), 1993; for searches: Berger and Lafferty, SIGIR 1999.
    """
    vocabulary = titles.vocabulary
    row, query, word, stem, weight = _beside(titles, queries, matches, common)
    width = vocabulary.words.len()
    keys, link = np.unique(stem * width + word, return_inverse=True)
    source, target = np.divmod(keys, width)
    share = np.ones(keys.size) / np.bincount(source, minlength=vocabulary.n_stems)[source]
    likely = np.bincount(word, weights=weight, minlength=width) / max(weight.sum(), 1e-9)
    mass = np.zeros(keys.size)
    n_rows = int(row[-1]) + 1 if row.size else 0
    for _ in range(_ROUNDS):
        given = share[link]
        sums = np.bincount(row, weights=given, minlength=n_rows)[row]
        answered = given / (sums + _NOTHING * likely[word])
        mass = np.bincount(link, weights=weight * answered, minlength=keys.size)
        totals = np.bincount(source, weights=mass, minlength=vocabulary.n_stems)
        share = mass / np.maximum(totals[source], 1e-9)
    same = vocabulary.stem[target] == source
    n_queries = queries.offsets.size - 1
    speakers = np.bincount(np.unique(link * n_queries + query) // n_queries, minlength=keys.size)
    enough = (speakers >= min_queries) & (share >= _LEAST_SHARE) & (mass >= _LEAST_MASS)
    kept = same | (enough & _may_stand(titles, source, target))
    return DrawTable.of(source[kept], target[kept], mass[kept], vocabulary.n_stems)


def _beside(
    titles: Titles, queries: Tokens, matches: Matches, common: NDArray[np.bool_]
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64], NDArray[np.int64], Floats]:
    """Lay every common word of a search beside every stem of its title."""
    first = np.searchsorted(titles.item, np.arange(titles.n_items + 1))
    n_said = np.diff(queries.offsets)[matches.query]
    said = np.repeat(np.arange(n_said.size), n_said)
    start = np.repeat(queries.offsets[matches.query] - (np.cumsum(n_said) - n_said), n_said)
    word = queries.word[start + np.arange(said.size)]
    joins = (titles.vocabulary.kind[word] & (BINDER | JOINER)) != 0
    said, word = (x[common[word] & ~joins] for x in (said, word))
    n_had = np.diff(first)[matches.item[said]]
    row = np.repeat(np.arange(said.size), n_had)
    start = np.repeat(first[matches.item[said]] - (np.cumsum(n_had) - n_had), n_had)
    token = start + np.arange(row.size)
    # A word that both have answers itself; the others answer each other.
    width = titles.vocabulary.n_stems
    stem, had = titles.vocabulary.stem[word], titles.stem[token]
    pairs = np.unique(queries.text * width + titles.vocabulary.stem[queries.word])
    matched = is_among(matches.item[said] * width + stem, titles.pairs)
    asked = is_among(matches.query[said[row]] * width + had, pairs)
    used = titles.usable[token] & np.where(matched[row], stem[row] == had, ~asked)
    row, token = row[used], token[used]
    beside = said[row]
    return row, matches.query[beside], word[row], titles.stem[token], matches.weight[beside]


def _may_stand(
    titles: Titles, source: NDArray[np.int64], target: NDArray[np.int64]
) -> NDArray[np.bool_]:
    """Tell which words may stand for which stems.

    A number stands for nothing else, and nothing else for it; a unit for what begins alike, for
    what people leave out beside it would otherwise count as another name of it.
    """
    vocabulary = titles.vocabulary
    # Any spelling tells what its stem is, and the letter it begins with.
    spelling = np.zeros(vocabulary.n_stems, np.int64)
    spelling[vocabulary.stem] = np.arange(vocabulary.stem.size)
    kind = vocabulary.kind
    letter = vocabulary.words.str.head(1).rank("dense").to_numpy()
    numbers = (kind[target] | kind[spelling[source]]) & NUMBER != 0
    units = (kind[target] | kind[spelling[source]]) & MEASURE != 0
    alike = letter[target] == letter[spelling[source]]
    joins = (kind[spelling[source]] & (BINDER | JOINER)) != 0
    allowed: NDArray[np.bool_] = ~numbers & (alike | ~units) & (units | ~joins)
    return allowed
