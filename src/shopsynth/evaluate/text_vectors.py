"""Vectors of texts from the words they share, for distances between texts; no model is asked.

In: texts to learn from. Out: a function from texts to vectors.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
from numpy.typing import NDArray

from shopsynth.evaluate.embedding import right_vectors
from shopsynth.text.words import Words, split_words

if TYPE_CHECKING:
    from scipy.sparse import csr_array

_N_DIRECTIONS = 50
"""Directions kept; Deerwester et al. found their best results between 50 and 100."""

_DECIMALS = 6
"""The last bits of a decomposition depend on the machine's threads."""


def learn_text_vectors(known: pl.Series) -> Callable[[pl.Series], NDArray[np.float64]]:
    """Learn directions of meaning: latent semantic analysis of words weighed by their rarity.

    Args:
        known: Texts, at least one with words; other words are not known later.

    Returns:
        From ``n`` texts to ``(n, at most 50)`` numbers, equal for equal texts.

    Source:
        Deerwester et al., Indexing by Latent Semantic Analysis, JASIS 1990.

    Example:
        >>> place = learn_text_vectors(pl.Series(["red mug", "blue mug", "wool coat"]))
        >>> mug, cup, coat = place(pl.Series(["mug", "mug cup", "coat"]))
        >>> bool(np.allclose(mug, cup)), bool(np.allclose(mug, coat))
        (True, False)
    """
    words = split_words(known)
    n_known = words.vocabulary.len()
    text = np.repeat(np.arange(known.len()), np.diff(words.offsets))
    pairs = np.unique(text * n_known + words.ids)
    # Smoothed as if one more text had all words: a word of all texts still weighs something.
    rarity = 1.0 + np.log((1 + known.len()) / (1 + np.bincount(pairs % n_known)))
    directions = right_vectors(_weighed(words, words.ids, rarity), _N_DIRECTIONS)

    def place(texts: pl.Series) -> NDArray[np.float64]:
        asked = split_words(texts)
        known_at = pl.Series(np.arange(n_known))
        at = asked.vocabulary.replace_strict(
            words.vocabulary, known_at, default=-1, return_dtype=pl.Int64
        )
        places = _weighed(asked, at.to_numpy()[asked.ids], rarity) @ directions
        return np.asarray(places.round(_DECIMALS))

    return place


def _weighed(words: Words, ids: NDArray[np.int64], rarity: NDArray[np.float64]) -> "csr_array":
    """Return unit vectors of weighed log counts, ``(n_texts, n_known)``; -1 is no known word."""
    from scipy.sparse import csr_array

    n_texts = words.offsets.size - 1
    text, known = np.repeat(np.arange(n_texts), np.diff(words.offsets)), ids >= 0
    ones = np.ones(int(known.sum()))
    counts = csr_array((ones, (text[known], ids[known])), shape=(n_texts, rarity.size))
    counts.sum_duplicates()
    counts.data = (1.0 + np.log(counts.data)) * rarity[counts.indices]
    lengths = np.sqrt(counts.power(2).sum(axis=1))
    return csr_array(counts.multiply(1 / np.maximum(lengths, 1e-12)[:, None]))
