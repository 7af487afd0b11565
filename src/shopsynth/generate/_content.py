"""What a catalogue says about its items: TF-IDF vectors of their text, or of their attributes.

In: the ``items`` table. Out: one sparse unit row an item; rows of items without either are empty.
"""

from zlib import crc32

import numpy as np
import polars as pl
from scipy import sparse

from shopsynth.generate._draws import Integers
from shopsynth.schema import TABLES, InputError

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
    Without any text, the values of attribute columns that hold words, flags or lists take its
    place, each as a whole, together as one field.

    Args:
        items: The catalogue.
        item_ids: The wanted rows, in order.
        method: The method's name, for the message.

    Returns:
        ``(n_items, n_features)`` float32, rows of Euclidean length 1 or 0.

    Raises:
        InputError: If no item has any text or such attributes.

    Source:
        Salton and Buckley, Inf. Process. Manage. 24(5), 1988, weighting "ltc"; pieces of words as
        in Bojanowski et al., TACL 5, 2017.
    """
    vectors = described(items, item_ids)
    if vectors is None:
        raise InputError(
            f"generate.{method}: expected a catalogue with text in {', '.join(_FIELDS)}, or with "
            f"attributes of words, got none among columns {', '.join(items.columns)}; map a text "
            "column under [shop.items] or leave this method out"
        )
    return vectors


def described(items: pl.DataFrame, item_ids: pl.Series) -> sparse.csr_matrix | None:
    """Return what :func:`content_vectors` does, or ``None`` where there is nothing to read."""
    rows = _rows_of(items, item_ids)
    fields = [_field_vectors(rows[name]) for name in _FIELDS if name in rows.columns]
    filled = [matrix for matrix in fields if matrix.nnz] or _attribute_vectors(rows)
    if not filled:
        return None
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
    return _weighted((counts @ _word_features(distinct)).tocsr())


def _attribute_vectors(rows: pl.DataFrame) -> list[sparse.csr_matrix]:
    """Describe items by attribute values: one field, or none where there is nothing to read."""
    values = pl.concat(
        [
            pl.DataFrame(schema={"item": pl.UInt32, "value": pl.String}),
            *(
                _values(rows.select(value=pl.col(name)).with_row_index("item"), name)
                for name in rows.columns
                if name not in TABLES["items"].columns
            ),
        ]
    )
    if values.is_empty():
        return []
    distinct = values["value"].unique().sort()
    place = distinct.search_sorted(values["value"]).to_numpy()
    counts = sparse.csr_matrix(
        (np.ones(place.size), (values["item"].to_numpy(), place)),
        shape=(rows.height, distinct.len()),
    )
    return [_weighted(counts)]


def _values(column: pl.DataFrame, name: str) -> pl.DataFrame:
    """List an attribute's values by item; numbers count in lists only, where they are codes."""
    if column.schema["value"] == pl.String:
        # As ingest writes lists of words.
        column = column.with_columns(pl.col("value").str.split(" > "))
    in_list = isinstance(column.schema["value"], pl.List)
    if in_list:
        column = column.explode("value")
    dtype = column.schema["value"]
    told = dtype in (pl.String, pl.Boolean, pl.Categorical, pl.Enum)
    if not told and not (in_list and dtype.is_integer()):
        column = column.clear()
    text = pl.col("value").cast(pl.String).str.to_lowercase()
    return column.select("item", value=pl.lit(f"{name}:") + text).drop_nulls()


def _weighted(counts: sparse.csr_matrix) -> sparse.csr_matrix:
    """Weigh ``(item, feature)`` counts by TF-IDF, rows of length 1."""
    features = counts.copy()
    features.data = 1 + np.log(features.data)
    n_items, n_features = features.shape
    n_with = np.bincount(features.indices, minlength=n_features)
    rarity = np.log((1 + n_items) / (1 + n_with)) + 1
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
