"""Near duplicates among millions of texts: pairs and groups whose words are mostly the same.

In: texts. Out: pairs with their similarity, or one group number a text.

Four steps. Texts that read the same become one. Of each other text a sketch of 64 numbers is made,
in which two texts agree in a place as often as their sets are similar. Texts that agree in all
places of some band of the sketch become candidates; most of those that are none are seen by the
whole sketch. What is left is decided on the sets themselves: a pair that comes out is one.

Why not a library: rensa leaves cutting texts into shingles to Python and reports in bulk who has a
duplicate, not which; gaoya cuts into words or characters, not both. With the cutting done in NumPy,
the sketch is the cheaper part. ``benchmarks/near_duplicates.py`` measures rensa beside this.
"""

from typing import TYPE_CHECKING

import numpy as np
import polars as pl
from numpy.typing import NDArray

from shopsynth.schema import InputError
from shopsynth.text.shingles import (
    ELEMENT_BITS,
    Hashes,
    Integers,
    SetCollector,
    ShingleSets,
    shingle_blocks,
)
from shopsynth.text.sketches import Sketches
from shopsynth.text.words import spell_alike

if TYPE_CHECKING:
    from scipy.sparse import csr_array

PAIR_COLUMNS = pl.Schema({"left": pl.UInt32(), "right": pl.UInt32(), "similarity": pl.Float64()})

_BLOCK_PAIRS = 1 << 13
_ROW_BITS = np.uint64(32)
_ROW_MASK = np.uint64(0xFFFFFFFF)


def near_duplicate_pairs(
    texts: pl.Series, threshold: float = 0.7, *, apart: pl.Series | None = None, seed: int = 0
) -> pl.DataFrame:
    """Find pairs of texts that are nearly the same.

    Texts are compared as :func:`~shopsynth.text.words.spell_alike` spells them, by the Jaccard
    similarity of their sets of words and runs of four characters. Texts without words are like
    nobody. Of texts with equal spelling the first stands for all: each other one makes a pair with
    it, and with nobody else.

    Every pair returned is one. A pair is missed with a chance of at most 15 % where its
    similarity is the threshold (11 % at .7), of 1 % at .8 for .7; and where more than 32 texts look
    alike in every respect that is compared, not all of their pairs are looked at, but chains of
    them.

    Some 12 microseconds a product title, 28 among ten million; memory some 600 bytes a title, the
    texts included. Not for translations, nor for texts that say the same in other words.

    Args:
        texts: Any strings; nulls have no words.
        threshold: Least similarity, in (0, 1]. Below .3 nearly everything is a candidate.
        apart: As many values; texts with different ones make no pair. A null is a value.
        seed: Seed of the sketches.

    Returns:
        ``left`` and ``right``, row numbers with left before right, and ``similarity``; sorted.

    Raises:
        InputError: If the threshold or the length of ``apart`` is wrong.

    Source:
        Broder, SEQUENCES 1997 (resemblance); Li, Owen and Zhang, One permutation hashing, NIPS
        2012; Shrivastava and Li, Densifying one permutation hashing, ICML 2014 (empty bins);
        Leskovec, Rajaraman and Ullman, Mining of Massive Datasets, 2014, section 3.4 (bands).

    Example:
        >>> titles = pl.Series(["Steel water bottle, black", "steel water bottle black", "Tea cup",
        ...                     "Steel water bottle black new", None])
        >>> near_duplicate_pairs(titles).select("left", "right").rows()
        [(0, 1), (0, 3)]
    """
    _check(texts, threshold, apart)
    repeats, rows, sets, sketches = _sketched(texts, threshold, apart, seed)
    codes = None
    if apart is not None:
        ranks = apart.gather(rows).rank("dense").fill_null(0)
        codes = ranks.to_numpy().astype(np.int64)
    pairs = sketches.candidates(sets.sizes, codes)
    del sketches
    left, right, similarity = _verified(sets, pairs, threshold)
    similar = pl.DataFrame({"left": rows[left], "right": rows[right], "similarity": similarity})
    return pl.concat([repeats, similar.cast(PAIR_COLUMNS)]).sort("left", "right")


def near_duplicate_groups(
    texts: pl.Series, threshold: float = 0.7, *, apart: pl.Series | None = None, seed: int = 0
) -> Integers:
    """Put texts that are nearly the same into one group, and with them those nearly the same.

    A group holds everything that a chain of pairs connects: its ends may differ a lot.

    Args:
        texts: As :func:`near_duplicate_pairs`.
        threshold: As there.
        apart: As there: a group has one value.
        seed: As there.

    Returns:
        ``(n_texts,)`` row number of the first text of each text's group.

    Raises:
        InputError: As there.

    Example:
        >>> titles = pl.Series(["Tea cup, white", "Spoon", "tea cup white", "A tea cup, white"])
        >>> near_duplicate_groups(titles).tolist()
        [0, 1, 0, 0]
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    pairs = near_duplicate_pairs(texts, threshold, apart=apart, seed=seed)
    n = texts.len()
    places = (pairs["left"].to_numpy(), pairs["right"].to_numpy())
    links = coo_array((np.ones(pairs.height, dtype=np.int8), places), shape=(n, n))
    _, number = connected_components(links, directed=False)
    _, first = np.unique(number, return_index=True)
    groups: Integers = first[number].astype(np.int64)
    return groups


def _check(texts: pl.Series, threshold: float, apart: pl.Series | None) -> None:
    if not 0 < threshold <= 1:
        raise InputError(
            f"near duplicates: expected a threshold above 0 and at most 1, got {threshold}; "
            "it is a Jaccard similarity, 0.7 for product titles"
        )
    if apart is not None and apart.len() != texts.len():
        raise InputError(
            f"near duplicates: expected one value of apart for each of {texts.len()} texts, got "
            f"{apart.len()}; pass columns of one table"
        )


def _sketched(
    texts: pl.Series, threshold: float, apart: pl.Series | None, seed: int
) -> tuple[pl.DataFrame, NDArray[np.uint32], ShingleSets, Sketches]:
    """Put texts of equal spelling together, and make the sets and sketches of the others.

    Returns:
        The pairs of equal spelling; the row of each other text, ``(n_distinct,)``; and for these
        in order sets and sketches. The spelled texts are not kept: they are as large as the texts.
    """
    frame = pl.DataFrame({"spelled": spell_alike(texts)}).with_row_index("right")
    key = ["spelled"]
    if apart is not None:
        frame, key = frame.with_columns(apart=apart), ["spelled", "apart"]
    frame = frame.filter(pl.col("spelled") != "")
    left = frame.select(left=pl.col("right").first().over(key))["left"]
    first = left == frame["right"]
    repeats = pl.DataFrame({"left": left, "right": frame["right"], "similarity": 1.0})
    repeats = repeats.filter(~first).cast(PAIR_COLUMNS)
    spelled = frame.filter(first)["spelled"]
    del frame
    collected = SetCollector(spelled)
    sketches = Sketches(spelled.len(), threshold, seed)
    for block in shingle_blocks(spelled):
        collected.add(block)
        sketches.add(block)
    return repeats, left.filter(first).to_numpy(), collected.sets(), sketches


def _verified(
    sets: ShingleSets, pairs: Hashes, threshold: float
) -> tuple[Integers, Integers, NDArray[np.float64]]:
    """Keep pairs whose sets reach the threshold: ``(left, right, similarity)``."""
    sizes, kept, similarities = sets.sizes, [], []
    for start in range(0, pairs.size, _BLOCK_PAIRS):
        block = pairs[start : start + _BLOCK_PAIRS]
        left, right = (block >> _ROW_BITS).astype(np.int64), (block & _ROW_MASK).astype(np.int64)
        shared = np.diff(_rows(sets, left).multiply(_rows(sets, right)).indptr)
        similarity = shared / (sizes[left] + sizes[right] - shared)
        # As fractions of small whole numbers, so that 7 of 10 reach .7.
        enough = similarity >= threshold - 1e-12
        kept.append(block[enough])
        similarities.append(similarity[enough])
    pair = np.concatenate([np.zeros(0, dtype=np.uint64), *kept])
    return (
        (pair >> _ROW_BITS).astype(np.int64),
        (pair & _ROW_MASK).astype(np.int64),
        np.concatenate([np.zeros(0), *similarities]),
    )


def _rows(sets: ShingleSets, wanted: Integers) -> "csr_array":
    """Return some sets as a matrix of ones, ``(n_wanted, elements)``."""
    from scipy.sparse import csr_array

    sizes = sets.sizes[wanted]
    offsets = np.concatenate(([0], np.cumsum(sizes)))
    place = np.arange(offsets[-1]) + np.repeat(sets.offsets[wanted] - offsets[:-1], sizes)
    ones = np.ones(place.size, dtype=np.int8)
    shape = (wanted.size, 1 << ELEMENT_BITS)
    matrix = csr_array((ones, sets.elements[place], offsets.astype(np.int32)), shape=shape)
    matrix.has_canonical_format = True
    return matrix
