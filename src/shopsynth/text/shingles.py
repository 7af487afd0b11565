"""Texts as sets of shingles: words and runs of four characters, hashed.

In: texts, as :func:`~shopsynth.text.words.spell_alike` spells them. Out: their sets, in flat
arrays, block by block or as a whole.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

Hashes = NDArray[np.uint64]
Integers = NDArray[np.int64]

_GRAM = 4
"""Characters of a run, the blank between words being one of them."""

_BLOCK_CHARACTERS = 1 << 17
"""Hashed at once: every array then fits a processor's cache, which is ten times the speed."""

ELEMENT_BITS = 31
"""Of an element's hash: two sets of 100 elements meet falsely in one of 200,000 comparisons, and
the elements still fit the column numbers of a sparse matrix."""

_CHARACTER_BITS = np.uint64(16)
_BASIC = 0xFFFF
_BLANK = ord(" ")
_WORD_BASE = 0xD1B54A32D192ED03
_MULTIPLIERS = np.array([0x9E3779B97F4A7C15, 0xD6E8FEB86659FD93], dtype=np.uint64)
_HALF, _THIRD = np.uint64(32), np.uint64(29)


@dataclass(frozen=True)
class ShingleSets:
    """Sets of shingles, flat.

    Attributes:
        elements: ``(n_elements,)`` int32 hashes, sorted and distinct within a text.
        offsets: ``(n_texts + 1,)``; the set of text ``i`` is
            ``elements[offsets[i]:offsets[i + 1]]``.
    """

    elements: NDArray[np.int32]
    offsets: Integers

    @property
    def sizes(self) -> Integers:
        """Number of elements of each set, ``(n_texts,)``."""
        return np.diff(self.offsets)


@dataclass(frozen=True)
class ShingleBlock:
    """The shingles of some neighbouring texts, repeated ones included.

    Attributes:
        start: Row of the first text.
        n_texts: Number of texts.
        hashes: ``(n_shingles,)`` 64-bit hashes, not yet mixed: for :func:`mix_hashes` to do.
        owners: ``(n_shingles,)`` text of each, counted from ``start``.
    """

    start: int
    n_texts: int
    hashes: Hashes
    owners: Integers


def shingle_sets(spelled: pl.Series) -> ShingleSets:
    """Return the set of each text: its words and its runs of four characters.

    Args:
        spelled: Texts with single blanks, no nulls; the set of an empty one is empty.

    Returns:
        One set a text, in order: four bytes a shingle, some 300 for a product title.

    Source:
        Broder, On the resemblance and containment of documents, SEQUENCES 1997.

    Example:
        >>> shingle_sets(pl.Series(["red shoe", "", "red"])).sizes.tolist()
        [6, 0, 1]
    """
    collected = SetCollector(spelled)
    for block in shingle_blocks(spelled):
        collected.add(block)
    return collected.sets()


class SetCollector:
    """Collects the sets of blocks, in one array that is never copied.

    Args:
        spelled: All the texts; they say how long the array can get.
    """

    def __init__(self, spelled: pl.Series) -> None:
        """Set up for the blocks of these texts."""
        # A text of n characters has fewer than n runs and at most half as many words. What is not
        # written to takes no memory.
        most = spelled.len() + 3 * int(spelled.str.len_chars().sum()) // 2
        self._elements = np.empty(most, dtype=np.int32)
        self._offsets = np.zeros(spelled.len() + 1, dtype=np.int64)

    def add(self, block: ShingleBlock) -> None:
        """Turn the next block into sets."""
        keys = block.owners.astype(np.uint64) << np.uint64(ELEMENT_BITS)
        keys |= mix_hashes(block.hashes, _MULTIPLIERS[0]) >> np.uint64(64 - ELEMENT_BITS)
        keys = sorted_distinct(keys)
        owners = (keys >> np.uint64(ELEMENT_BITS)).astype(np.int64)
        ends = self._offsets[block.start] + np.cumsum(np.bincount(owners, minlength=block.n_texts))
        elements = (keys & np.uint64((1 << ELEMENT_BITS) - 1)).astype(np.int32)
        self._elements[self._offsets[block.start] : ends[-1]] = elements
        self._offsets[block.start + 1 : block.start + 1 + block.n_texts] = ends

    def sets(self) -> ShingleSets:
        """Return all sets; every block must have been added, in order."""
        return ShingleSets(self._elements[: self._offsets[-1]], self._offsets)


def shingle_blocks(spelled: pl.Series) -> Iterator[ShingleBlock]:
    """Hash texts, a few thousand at a time.

    Equal shingles have equal hashes, in every run and on every machine. A word of four characters
    is the same shingle as the run; a text of fewer has its words only.

    Args:
        spelled: Texts with single blanks, no nulls.

    Yields:
        Blocks in the order of the texts.
    """
    ends = np.cumsum(spelled.str.len_chars().to_numpy().astype(np.int64) + 1)
    if not ends.size:
        return
    # At least one text a block, however long it is.
    cuts = np.flatnonzero(np.diff(ends // _BLOCK_CHARACTERS, prepend=0, append=-1))
    bounds = np.unique(np.concatenate(([0], cuts, [ends.size])))
    sizes = ends[bounds[1:] - 1] - np.concatenate(([0], ends))[bounds[:-1]]
    powers = _powers(_WORD_BASE, int(sizes.max()))
    inverses = _powers(pow(_WORD_BASE, -1, 1 << 64), int(sizes.max()))
    for start, stop in zip(bounds[:-1].tolist(), bounds[1:].tolist(), strict=True):
        texts = spelled.slice(start, stop - start)
        hashes, owners = _hashed(texts, powers, inverses)
        yield ShingleBlock(start, stop - start, hashes, owners)


def mix_hashes(hashes: Hashes, multiplier: np.uint64) -> Hashes:
    """Spread 64-bit numbers evenly; another odd multiplier gives another order of them.

    Source:
        Steele, Lea and Flood, Fast splittable pseudorandom number generators, OOPSLA 2014.
    """
    mixed = hashes * multiplier
    mixed ^= mixed >> _HALF
    mixed *= _MULTIPLIERS[1]
    mixed ^= mixed >> _THIRD
    return mixed


def sorted_distinct(keys: Hashes) -> Hashes:
    """Sort in place and leave out repeats; several times faster than ``np.unique``."""
    keys.sort()
    differs = np.ones(keys.size, dtype=bool)
    np.not_equal(keys[1:], keys[:-1], out=differs[1:])
    return keys[differs]


def _hashed(texts: pl.Series, powers: Hashes, inverses: Hashes) -> tuple[Hashes, Integers]:
    """Hash the shingles of a block: ``(hashes, owners)``."""
    # The blank behind each text parts it from the next; the last runs need three more.
    joined = " ".join(texts.to_list()) + " " * _GRAM
    codes = np.frombuffer(joined.encode("utf-32-le"), dtype=np.uint32).astype(np.uint64)
    rare = np.flatnonzero(codes > _BASIC)
    codes[rare] = mix_hashes(codes[rare], _MULTIPLIERS[0]) >> (np.uint64(64) - _CHARACTER_BITS)
    lengths = texts.str.len_chars().to_numpy().astype(np.int64) + 1
    ends = np.cumsum(lengths)
    n = int(ends[-1])
    owners = np.repeat(np.arange(texts.len()), lengths)
    runs = codes[:n].copy()
    for step in range(1, _GRAM):
        runs |= codes[step : step + n] << (np.uint64(step) * _CHARACTER_BITS)
    whole = np.repeat(ends, lengths) - np.arange(n) > _GRAM

    blanks = np.flatnonzero(codes[:n] == _BLANK)
    starts = np.concatenate(([0], blanks[:-1] + 1))
    # A polynomial's value, whatever the place: sum of codes times powers, over the first power.
    weighted = codes[:n] * powers[:n]
    words = (np.add.reduceat(weighted, starts) - weighted[blanks]) * inverses[starts]
    sizes = blanks - starts
    told = (sizes > 0) & (sizes != _GRAM)
    words = mix_hashes(words[told], _MULTIPLIERS[1])
    return (
        np.concatenate((runs[whole], words)),
        np.concatenate((owners[whole], owners[starts[told]])),
    )


def _powers(base: int, n: int) -> Hashes:
    """Return ``base ** 0`` to ``base ** (n - 1)`` modulo 2 ** 64."""
    factors = np.full(n, base, dtype=np.uint64)
    factors[:1] = 1
    return np.cumprod(factors, dtype=np.uint64)
