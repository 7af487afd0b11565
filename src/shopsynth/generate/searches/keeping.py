"""Which words of a title people search with: a logit over what is known of each word.

In: pairs of search and title in which the title has most words of the search. Out: log odds of
every word of every title.
"""

import numpy as np
from numpy.typing import NDArray
from scipy import optimize

from shopsynth.generate._draws import Floats
from shopsynth.generate.searches.matches import Matches
from shopsynth.generate.searches.titles import TRAITS, Titles
from shopsynth.generate.searches.words import Tokens, is_among

_USUAL = {
    "any": -1.0, "thing": 2.0, "one_before": 1.0, "behind": -0.5, "first": 0.3, "number": -0.5,
    "measure": -0.5, "joins": -2.0, "brand": 0.5, "category": -1.0, "wanted": 0.5,
}  # fmt: skip
"""What is believed before a search was seen, and all that a shop without searches has: people name
the thing, often what stands before it, seldom sizes. Round figures, so that they bear few searches
and are overruled by many."""

_NEAR = 2 / 3
"""Share of a search's information that a title must have to be what was meant."""

_PENALTY = 0.5
"""Of squared distances from :data:`_USUAL`: as much as a few searches say."""


def keep_odds(
    traits: Floats, titles: Titles, queries: Tokens, matches: Matches
) -> tuple[Floats, Floats]:
    """Learn which words are kept.

    Args:
        traits: ``(n_tokens, n_traits)`` of every word of a title.
        titles: Words of items.
        queries: Words of searches.
        matches: Pairs; those that share too little are left out.

    Returns:
        ``(n_traits,)`` weights, and ``(n_tokens,)`` log odds of every word.
    """
    usual = np.array([_USUAL.get(name, 0.0) for name in TRAITS])
    near = np.flatnonzero(matches.share >= _NEAR)
    if near.size == 0:
        return usual, traits @ usual
    first = np.searchsorted(titles.item, np.arange(titles.n_items + 1))
    item = matches.item[near]
    sizes = np.diff(first)[item]
    pair = np.repeat(near, sizes)
    token = np.repeat(first[item] - (np.cumsum(sizes) - sizes), sizes) + np.arange(pair.size)
    used = titles.usable[token]
    pair, token = pair[used], token[used]
    n_stems = titles.vocabulary.n_stems
    said = np.unique(queries.text * n_stems + titles.vocabulary.stem[queries.word])
    kept = is_among(matches.query[pair] * n_stems + titles.stem[token], said)
    weights = _fit(traits[token], kept, matches.weight[pair], usual)
    return weights, traits @ weights


def _fit(rows: Floats, kept: NDArray[np.bool_], weight: Floats, usual: Floats) -> Floats:
    """Maximise the weighted likelihood, held to what is usual.

    Source:
        Ridge-penalised maximum likelihood: le Cessie and van Houwelingen, Applied Statistics
        41(1), 1992; minimised by L-BFGS.
    """
    signs = np.where(kept, 1.0, -1.0)

    def loss(coefficients: Floats) -> tuple[float, Floats]:
        margin = signs * (rows @ coefficients)
        away = coefficients - usual
        # The chance to be wrong, without overflow.
        wrong = 0.5 * (1 - np.tanh(margin / 2))
        slope = -(weight * signs * wrong) @ rows + 2 * _PENALTY * away
        value = weight @ np.logaddexp(0, -margin) + _PENALTY * away @ away
        return float(value), slope

    found = optimize.minimize(loss, usual, jac=True, method="L-BFGS-B", options={"maxiter": 100})
    return np.asarray(found.x, np.float64)
