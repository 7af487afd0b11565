"""Near duplicates by meaning: of texts whose vectors point the same way one stays.

In: made rows with a text, a sentence model as a function, held-out texts where there are such.
Out: the rows kept, and the rejects.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from shopsynth.combine.filters._rows import need_columns, parted, reasons_of
from shopsynth.schema import InputError

_BLOCK = 2048
"""Texts compared at once with as many others: 32 MB of cosines."""

Vectors = NDArray[np.float32]
Encoder = Callable[[list[str]], Any]
"""Texts to ``(n, dim)`` vectors of any length but 0."""


def embedding_near_duplicates(
    rows: pl.DataFrame,
    encode: Encoder,
    threshold: float = 0.95,
    *,
    heldout: pl.Series | None = None,
    table: str = "queries",
    column: str = "text",
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Drop made texts that mean what a held-out text or an earlier made one means.

    Beside the pass by words (``drop_near_duplicate_texts``, ``contamination``), which sees no
    paraphrase. Every text is compared with every kept one: time grows with the square of their
    number, so it is for a hundred thousand texts, not for millions. What a cosine means depends
    on the model (unrelated texts have .1 in one and .8 in another): look at a few pairs first.

    Args:
        rows: Made rows; texts that are missing or empty stay.
        encode: The model.
        threshold: Cosine in (0, 1] from which two texts count as the same.
        heldout: Texts of validation and test.
        table: Name of the table, for the rejects.
        column: Column of the texts.

    Returns:
        The rows kept, in order, and the rejects with the reasons ``means_what_test_means`` and
        ``means_what_earlier_means``.

    Raises:
        InputError: If the column is missing, the threshold out of range, or the model gives
            something else than one finite vector a text.

    Source:
        Abbas et al., SemDeDup, 2023 (cosine within clusters; here without clusters, exactly).

    Example:
        >>> places = {"sofa": [1.0, 0.0], "couch": [0.99, 0.1], "cup": [0.0, 1.0]}
        >>> made = pl.DataFrame({"text": ["sofa", "couch", "cup"]})
        >>> kept, _ = embedding_near_duplicates(made, lambda texts: [places[t] for t in texts])
        >>> kept["text"].to_list()
        ['sofa', 'cup']
    """
    where = f"embedding_near_duplicates, table {table}"
    need_columns(where, rows, column)
    if not 0 < threshold <= 1:
        raise InputError(f"{where}: expected a threshold above 0 and at most 1, got {threshold}")
    texts = rows[column].fill_null("")
    # Equal texts have equal vectors: each is encoded once.
    distinct = texts.filter(texts != "").unique(maintain_order=True)
    ours = unit_vectors(encode, distinct, where)
    like_test = np.zeros(distinct.len(), np.bool_)
    if heldout is not None and (known := heldout.drop_nulls().unique().sort()).len():
        like_test = _like_any(ours, unit_vectors(encode, known, where), threshold)
    # Rounding must not keep a text from being like itself.
    repeats = _repeats(ours, like_test, threshold)
    first = texts.is_first_distinct() | (texts == "")
    test, earlier = (
        texts.is_in(distinct.filter(pl.Series(which, dtype=pl.Boolean)).implode())
        for which in (like_test, repeats)
    )
    reasons = reasons_of(
        rows.height, ("means_what_test_means", test), ("means_what_earlier_means", earlier | ~first)
    )
    return parted(rows, table, reasons)


def unit_vectors(encode: Encoder, texts: pl.Series, where: str) -> Vectors:
    """Encode texts: ``(n, dim)``, each of length 1.

    Raises:
        InputError: If the model gives something else than one finite vector a text.
    """
    if texts.len() == 0:
        return np.zeros((0, 1), np.float32)
    vectors = np.asarray(encode(texts.to_list()), np.float32)
    if vectors.ndim != 2 or vectors.shape[0] != texts.len() or not np.isfinite(vectors).all():
        raise InputError(
            f"{where}: expected of the encoder one finite vector for each of {texts.len()} texts, "
            f"got an array of shape {vectors.shape}; check the model with two texts"
        )
    norms = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.maximum(norms, 1e-12), np.float32)


def _like_any(ours: Vectors, known: Vectors, threshold: float) -> NDArray[np.bool_]:
    """Tell which vectors have one of the known within reach: ``(n,)``."""
    like = np.zeros(ours.shape[0], np.bool_)
    for start in range(0, ours.shape[0], _BLOCK):
        block = ours[start : start + _BLOCK]
        for begin in range(0, known.shape[0], _BLOCK):
            near = (block @ known[begin : begin + _BLOCK].T).max(axis=1) >= threshold - 1e-6
            like[start : start + _BLOCK] |= near
    return like


def _repeats(ours: Vectors, gone: NDArray[np.bool_], threshold: float) -> NDArray[np.bool_]:
    """Tell which vectors are like an earlier one that stays: ``(n,)``."""
    repeats = np.zeros(ours.shape[0], np.bool_)
    kept = np.zeros((0, ours.shape[1]), np.float32)
    for start in range(0, ours.shape[0], _BLOCK):
        places = np.flatnonzero(~gone[start : start + _BLOCK]) + start
        seen = _like_any(ours[places], kept, threshold)
        repeats[places[seen]] = True
        fresh = places[~seen]
        near = np.tril(ours[fresh] @ ours[fresh].T >= threshold - 1e-6, -1)
        # Only rows with an earlier one near need a look, in order: what went takes nobody along.
        for row in np.flatnonzero(near.any(axis=1)):
            repeats[fresh[row]] = bool((near[row] & ~repeats[fresh]).any())
        kept = np.concatenate([kept, ours[fresh[~repeats[fresh]]]])
    return repeats
