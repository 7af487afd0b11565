"""Items as vectors of their words, pieces of words and attributes.

In: the ``items`` table. Out: a TF-IDF matrix with rows of length 1.
"""

from collections.abc import Iterator

import numpy as np
import polars as pl
from scipy import sparse

from shopsynth.schema import TABLES, InputError, stable_bucket

_TEXT_COLUMNS = ("title", "brand", "category", "description")
_N_FEATURES = 1 << 18  # 3,000 to 12,000 items have some 20,000 features: few collide
_PIECE = 3  # letters; the usual size for misspellings and inflections in Latin scripts
_SHORT_PIECE = 2  # letters; scripts that write no spaces mostly have words of two characters
_UNSPACED = r"[\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}]"
_MAX_LETTERS = 5000  # of one item's text: the start of a description says what an item is


def content_features(items: pl.DataFrame) -> sparse.csr_matrix:
    """Turn a catalogue into TF-IDF vectors.

    Features are words of ``title``, ``brand``, ``category`` and ``description`` in lower case,
    pieces of three letters (two where a script writes no spaces), the brand and each level of the
    category path as a whole. Without any of these columns, attribute columns that hold words,
    flags or lists of them take their place. Term counts are damped by a logarithm.

    Args:
        items: The catalogue.

    Returns:
        ``(item, feature)`` float32, rows of Euclidean length 1; all 0 for an item without text.

    Raises:
        InputError: If the catalogue has neither text nor such attributes.

    Source:
        Salton and Buckley, Term-weighting approaches in automatic text retrieval, 1988.
    """
    features = pl.concat(_parts(items)).group_by("item", "feature").agg(pl.len().alias("n"))
    if features.height == 0:
        present = ", ".join(items.columns)
        raise InputError(
            f"content_knn: expected items with text ({', '.join(_TEXT_COLUMNS)}) or attributes of "
            f"words; the {items.height} items have only empty cells or none of these. "
            f"Present: {present}. Map a text column under [shop.items], or leave the model out."
        )
    features = features.with_columns(stable_bucket(features["feature"], _N_FEATURES))
    counts = sparse.csr_matrix(
        (
            1.0 + np.log(features["n"].to_numpy()),
            (features["item"].to_numpy(), features["bucket"].to_numpy().astype(np.int64)),
        ),
        shape=(items.height, _N_FEATURES),
    )
    counts.sort_indices()
    n_with = np.bincount(counts.indices, minlength=_N_FEATURES)
    rarity = np.log((1 + items.height) / (1 + n_with)) + 1
    weighted = (counts @ sparse.diags_array(rarity)).tocsr()
    return unit_rows(weighted)


def unit_rows(matrix: sparse.csr_matrix) -> sparse.csr_matrix:
    """Scale every row to Euclidean length 1; empty rows stay empty."""
    lengths = np.sqrt(np.asarray(matrix.power(2).sum(axis=1)).ravel())
    scale = np.divide(1.0, lengths, out=np.zeros_like(lengths), where=lengths > 0)
    return (sparse.diags_array(scale) @ matrix).tocsr().astype(np.float32)


def _parts(items: pl.DataFrame) -> Iterator[pl.DataFrame]:
    """Yield frames of ``item`` (row number) and ``feature``, one row an occurrence."""
    indexed = items.with_columns(pl.int_range(pl.len(), dtype=pl.Int64).alias("item"))
    empty = pl.DataFrame(schema={"item": pl.Int64, "feature": pl.String})
    yield empty
    texts = [name for name in _TEXT_COLUMNS if name in items.columns]
    if any(items[name].str.strip_chars().fill_null("").ne("").any() for name in texts):
        yield from _text_parts(indexed, texts)
    else:
        yield from _attribute_parts(indexed)


def _text_parts(indexed: pl.DataFrame, texts: list[str]) -> Iterator[pl.DataFrame]:
    text = pl.concat_str(texts, separator=" ", ignore_nulls=True)
    words = (
        indexed.select(
            "item",
            text.str.slice(0, _MAX_LETTERS)
            .str.to_lowercase()
            .str.extract_all(r"[\p{L}\p{N}]+")
            .alias("word"),
        )
        .explode("word")
        .drop_nulls()
    )
    yield words.select("item", (pl.lit("word:") + pl.col("word")).alias("feature"))
    pieces = _pieces(words["word"].unique())
    yield words.join(pieces, on="word").select("item", "feature")
    if "brand" in texts:
        brand = pl.col("brand").str.to_lowercase().str.strip_chars()
        yield indexed.select("item", (pl.lit("brand:") + brand).alias("feature")).drop_nulls()
    if "category" in texts:
        levels = pl.col("category").str.to_lowercase().str.split(">")
        paths = indexed.select("item", levels.alias("level")).drop_nulls().with_row_index("path")
        level = paths.explode("level").with_columns(pl.col("level").str.strip_chars())
        yield level.select("item", (pl.lit("level:") + pl.col("level")).alias("feature"))


def _pieces(words: pl.Series) -> pl.DataFrame:
    """Cut each distinct word, with its ends marked, into overlapping pieces."""
    frame = pl.DataFrame({"word": words})
    unspaced = pl.col("word").str.contains(_UNSPACED)
    size = pl.when(unspaced).then(_SHORT_PIECE).otherwise(_PIECE)
    marked = frame.with_columns(pl.format("<{}>", "word").alias("marked"), size.alias("size"))
    starts = pl.int_ranges(pl.col("marked").str.len_chars() - pl.col("size") + 1)
    cut = marked.with_columns(starts.alias("start")).explode("start").drop_nulls()
    piece = pl.col("marked").str.slice(pl.col("start"), pl.col("size"))
    return cut.select("word", (pl.lit("piece:") + piece).alias("feature"))


def _attribute_parts(indexed: pl.DataFrame) -> Iterator[pl.DataFrame]:
    standard = {"item", *TABLES["items"].columns}
    for name, dtype in indexed.schema.items():
        if name in standard:
            continue
        values = indexed.select("item", pl.col(name).alias("value"))
        if dtype == pl.String:
            # As ingest writes lists of words.
            values = values.with_columns(pl.col("value").str.split(" > "))
        if isinstance(values.schema["value"], pl.List):
            values = values.explode("value")
        inner = values.schema["value"]
        if inner in (pl.String, pl.Boolean, pl.Categorical, pl.Enum) or (
            inner.is_integer() and isinstance(dtype, pl.List)
        ):
            feature = pl.lit(f"{name}:") + pl.col("value").cast(pl.String).str.to_lowercase()
            yield values.select("item", feature.alias("feature")).drop_nulls()
