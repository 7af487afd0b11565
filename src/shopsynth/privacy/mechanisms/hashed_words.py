"""hashed_words: texts as vectors, by hashing their words; no model and no vocabulary.

In: texts. Out: vectors of counts; texts with common words have a large inner product.
"""

import numpy as np
import polars as pl
from numpy.typing import NDArray

from shopsynth.schema import stable_bucket

WORD = r"\p{Han}|[\p{L}\p{N}]+"
"""A Hanzi is a word of its own: Chinese puts no spaces between words."""


def hash_words(texts: pl.Series, n_dimensions: int) -> NDArray[np.float64]:
    """Encode texts by their words and pairs of neighbouring words, each in a hashed place.

    What a text becomes depends on that text alone. The numbers are whole, so inner products are
    exact in float64 and do not depend on which other texts are multiplied in the same call.

    Args:
        texts: Strings, no nulls.
        n_dimensions: Length of the vectors, at least 2.

    Returns:
        Signed counts, ``(n_texts, n_dimensions)``; zeros for a text without words.

    Source: Weinberger et al., "Feature Hashing for Large Scale Multitask Learning", ICML 2009,
    arXiv 0902.2206, section 2.

    Example:
        >>> a, b, c = hash_words(pl.Series(["red shoe", "a red shoe", "茶杯"]), 64)
        >>> bool(a @ b > abs(a @ c))
        True
    """
    vectors = np.zeros((len(texts), n_dimensions), dtype=np.float64)
    word = texts.str.normalize("NFKC").str.to_lowercase().str.extract_all(WORD)
    words = pl.DataFrame({"text": np.arange(len(texts)), "word": word}).explode("word").drop_nulls()
    before = pl.col("word").shift(1).over("text")
    pairs = words.select("text", word=before + " " + pl.col("word")).drop_nulls()
    grams = pl.concat([words, pairs])
    place = stable_bucket(grams["word"], 2 * n_dimensions).to_numpy()
    sign = np.where(place < n_dimensions, 1.0, -1.0)
    np.add.at(vectors, (grams["text"].to_numpy(), place % n_dimensions), sign)
    return vectors
