"""What a catalogue says about its items: hashed TF-IDF vectors of their text.

In: the ``items`` table. Out: one sparse unit row an item; rows of items without text are empty.
"""

from zlib import crc32

import numpy as np
import polars as pl
from scipy import sparse

from shopsynth.generate._draws import Integers
from shopsynth.schema import InputError

_FIELDS = ("title", "brand", "category", "description")
_N_FEATURES = 1 << 18
_GRAM_SIZES = (3, 4)
"""Letters of a word's pieces: they match plurals and spellings in Latin scripts."""

_SHORT_GRAM_SIZES = (1, 2)
"""The same for scripts without spaces, whose words are mostly two characters long."""

_UNSPACED = r"[\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}]"
_MAX_CHARACTERS = 4000
"""Read of a field: bounds the work a single huge description can cause."""


def content_vectors(items: pl.DataFrame, item_ids: pl.Series, method: str) -> sparse.csr_matrix:
    """Describe items by the words, and pieces of words, of title, brand, category, description.

    Each field is weighted by TF-IDF (1 + log of the count, times log of the inverse document
    frequency) and scaled to length 1 by itself, so that a long description does not drown a title.

    Args:
        items: The catalogue.
        item_ids: The wanted rows, in order.
        method: The method's name, for the message.

    Returns:
        ``(n_items, n_fields * 2**18)`` float32, rows of Euclidean length 1 or 0.

    Raises:
        InputError: If no item has any text.

    Source:
        Salton and Buckley, Inf. Process. Manage. 24(5), 1988, weighting "ltc"; pieces of words as
        in Bojanowski et al., TACL 5, 2017.
    """
    rows = _rows_of(items, item_ids)
    fields = [_field_vectors(rows[name]) for name in _FIELDS if name in rows.columns]
    filled = [matrix for matrix in fields if matrix.nnz]
    if not filled:
        raise InputError(
            f"generate.{method}: expected a catalogue with text in {', '.join(_FIELDS)}, got none "
            f"among columns {', '.join(items.columns)}; map a text column under [shop.items] or "
            "leave this method out"
        )
    return _unit_rows(sparse.hstack(filled, format="csr")).astype(np.float32)


def _field_vectors(texts: pl.Series) -> sparse.csr_matrix:
    lowered = texts.cast(pl.String).str.slice(0, _MAX_CHARACTERS).str.to_lowercase()
    words = (
        pl.DataFrame({"text": lowered.str.extract_all(r"[\p{L}\p{N}]+")})
        .with_row_index("item")
        .explode("text")
        .drop_nulls()
    )
    distinct = words["text"].unique().sort()
    if distinct.is_empty():
        return sparse.csr_matrix((texts.len(), _N_FEATURES))
    place = distinct.search_sorted(words["text"]).to_numpy()
    counts = sparse.csr_matrix(
        (np.ones(place.size), (words["item"].to_numpy(), place)),
        shape=(texts.len(), distinct.len()),
    )
    features = (counts @ _word_features(distinct)).tocsr()
    features.data = 1 + np.log(features.data)
    n_with = np.bincount(features.indices, minlength=_N_FEATURES)
    rarity = np.log((1 + texts.len()) / (1 + n_with)) + 1
    return _unit_rows((features @ sparse.diags_array(rarity)).tocsr())


def _word_features(words: pl.Series) -> sparse.csr_matrix:
    """Hash each distinct word and its pieces: only here a Python loop, over the vocabulary."""
    unspaced = words.str.contains(_UNSPACED).to_list()
    hashed = [_hashes(word, short) for word, short in zip(words.to_list(), unspaced, strict=True)]
    sizes = [len(features) for features in hashed]
    columns = np.concatenate([np.array(features) for features in hashed])
    row = np.repeat(np.arange(words.len()), sizes)
    return sparse.csr_matrix(
        (np.ones(columns.size), (row, columns)), shape=(words.len(), _N_FEATURES)
    )


def _hashes(word: str, unspaced: bool) -> list[int]:
    marked = word if unspaced else f"<{word}>"
    pieces = [
        marked[start : start + size]
        for size in (_SHORT_GRAM_SIZES if unspaced else _GRAM_SIZES)
        for start in range(len(marked) - size + 1)
    ]
    return [crc32(piece.encode()) % _N_FEATURES for piece in (f"word {word}", *pieces)]


def _unit_rows(matrix: sparse.csr_matrix) -> sparse.csr_matrix:
    lengths = np.sqrt(np.asarray(matrix.multiply(matrix).sum(axis=1)).ravel())
    scale = np.divide(1.0, lengths, out=np.zeros_like(lengths), where=lengths > 0)
    return (sparse.diags_array(scale) @ matrix).tocsr()


def categories(items: pl.DataFrame, item_ids: pl.Series) -> Integers | None:
    """Number each item's category; items without one share a number.

    Returns:
        ``(n_items,)``, or ``None`` if the catalogue has no categories.
    """
    if "category" not in items.columns or items["category"].null_count() == items.height:
        return None
    numbers = _rows_of(items, item_ids)["category"].rank("dense").fill_null(0)
    return numbers.to_numpy().astype(np.int64)


def _rows_of(items: pl.DataFrame, item_ids: pl.Series) -> pl.DataFrame:
    first = items.unique("item_id", keep="first", maintain_order=True)
    wanted = pl.DataFrame({"item_id": item_ids})
    return wanted.join(first, on="item_id", how="left", maintain_order="left")
