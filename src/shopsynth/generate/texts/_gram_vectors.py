"""Texts as vectors of their words and short runs of characters, weighted by rarity.

In: texts, and variants of them. Out: sparse rows of length 1, in one space.
"""

from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.sparse import csr_array, diags_array

from shopsynth.text.characters import Characters, Hashes, Integers

_BITS = 18
"""Features by their key's first bits: 262,144 of them, as sklearn's hashing is used on titles."""

_MULTIPLIERS = (0xD6E8FEB86659FD93, 0xA0761D6478BD642F, 0xE7037ED1A0B428DB)


def gram_vectors(texts: pl.Series, variants: pl.Series) -> tuple[Any, Any]:
    """Lay both out in one space; rarity is counted over the texts alone.

    Args:
        texts: The originals.
        variants: Variants of them.

    Returns:
        ``(n_texts, 2**18)`` and ``(n_variants, 2**18)`` sparse rows.

    Source: Cavnar and Trenkle 1994, n-grams for text categorisation; weights by Salton and
        Buckley 1988.
    """
    ours, theirs = (_counts(Characters.of(part)) for part in (texts, variants))
    present = np.bincount(ours.indices, minlength=1 << _BITS)
    rarity = diags_array(np.log((1 + ours.shape[0]) / (1 + present)) + 1)
    return _unit(ours @ rarity), _unit(theirs @ rarity)


def _counts(texts: Characters) -> Any:
    """Count features of each text, ``1 + log`` of how often."""
    words = texts.words
    marked = texts.mixed
    ends = texts.offsets[1:] - 1
    closed = np.zeros(texts.codes.size, np.bool_)
    closed[ends] = True
    places = np.flatnonzero(~closed)
    text = texts.text_of(places)
    keys, rows = [words.key * np.uint64(_MULTIPLIERS[2])], [words.text]
    for length in (2, 3):
        key = np.zeros(places.size, np.uint64)
        for step in range(length):
            key += marked[np.minimum(places + step, ends[text])] * np.uint64(_MULTIPLIERS[step])
        keys.append(key)
        rows.append(text)
    return _rows(np.concatenate(keys), np.concatenate(rows), texts.n_texts)


def _rows(keys: Hashes, rows: Integers, n_rows: int) -> Any:
    columns: NDArray[np.int64] = (keys >> np.uint64(64 - _BITS)).astype(np.int64)
    counts = csr_array((np.ones(keys.size), (rows, columns)), (n_rows, 1 << _BITS))
    counts.sum_duplicates()
    counts.data = 1 + np.log(counts.data)
    return counts


def _unit(rows: Any) -> Any:
    norms = np.sqrt(np.asarray(rows.multiply(rows).sum(axis=1)).ravel())
    return csr_array(diags_array(1 / np.maximum(norms, 1e-12)) @ rows)
