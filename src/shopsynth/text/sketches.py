"""Sketches of texts: small fixed numbers in which similar sets of shingles often agree.

In: shingles, block by block. Out: a sketch a text, and the pairs of texts that sketches bring
together, few of which are false.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from shopsynth.text.shingles import Hashes, Integers, ShingleBlock, mix_hashes, sorted_distinct

_BINS = 32
"""Numbers taken of one order of the hashes: of a title with 70 shingles few bins stay empty."""

_PLACES = 2 * _BINS
"""Of a sketch: at Jaccard .7, 12 bands of 5 find 99.9 % of the planted pairs of
benchmarks/near_duplicates.py and 95 % of the pairs that 24 bands of 4 find, for twice the time."""

_LEAST_CHANCE = 0.85
"""That two texts just as similar as asked meet; more similar ones meet more surely."""

_LEAST_BANDS = 4
"""One changed word must not hide a pair."""

_SLACK = 0.2
"""A sketch of 64 places is off by more than .2 once in 4,000 pairs of similarity .7."""

_NEIGHBOURS = 32
"""Texts of a band's bucket that a text is compared with: those that follow it. Buckets of products
that differ in a number hold thousands; all their pairs would be millions."""

_BLOCK_ROWS = 1 << 16
_EMPTY = np.uint32(0xFFFFFFFF)
_ROW_BITS = np.uint64(32)
_ROW_MASK = np.uint64(0xFFFFFFFF)
_KEY_MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)
_STEP = np.uint32(0x9E3779B1)
_BYTE_SUM = np.uint64(0x0101010101010101)


class Sketches:
    """Sketches of a list of texts, added block by block.

    Args:
        n_texts: Number of texts that will be added; each must have a shingle.
        threshold: Jaccard similarity of the pairs that are looked for.
        seed: Seed of the orders in which hashes are least.

    Source:
        Li, Owen and Zhang, One permutation hashing, NIPS 2012; Shrivastava and Li, Densifying one
        permutation hashing via rotation, ICML 2014; Leskovec, Rajaraman and Ullman, Mining of
        Massive Datasets, 2014, section 3.4 (bands).
    """

    def __init__(self, n_texts: int, threshold: float, seed: int) -> None:
        """Set up for texts that :meth:`add` brings."""
        self._threshold = threshold
        self._n_rows, n_bands = bands_for(threshold)
        self._places = np.zeros((n_texts, _PLACES), dtype=np.uint8)
        self._keys = np.zeros((n_bands, n_texts), dtype=np.uint32)
        random = np.random.Generator(np.random.PCG64(seed))
        self._multipliers = random.integers(0, 1 << 63, size=2, dtype=np.uint64) * 2 + 1

    def add(self, block: ShingleBlock) -> None:
        """Make the sketches of a block of texts."""
        rows = slice(block.start, block.start + block.n_texts)
        sketch = np.hstack([_minima(block, multiplier) for multiplier in self._multipliers])
        # A byte a place tells whether two sketches agree there: it errs once in 256.
        self._places[rows] = sketch.astype(np.uint8)
        self._keys[:, rows] = _band_keys(sketch, self._n_rows, self._keys.shape[0])

    def candidates(self, sizes: Integers, apart: Integers | None) -> Hashes:
        """List pairs of texts that share a band and look similar by the whole sketch.

        Args:
            sizes: ``(n_texts,)`` number of shingles of each text.
            apart: ``(n_texts,)`` codes; texts with different ones are no pair.

        Returns:
            ``left << 32 | right`` of each pair, left below right; sorted, distinct.
        """
        least_equal = (self._threshold - _SLACK) * _PLACES
        found = np.zeros(0, dtype=np.uint64)
        for keys in self._keys:
            new = [found]
            for left, right in _bucket_mates(keys):
                smaller = np.minimum(sizes[left], sizes[right])
                close = smaller >= self._threshold * np.maximum(sizes[left], sizes[right])
                if apart is not None:
                    close &= apart[left] == apart[right]
                one, other = left[close], right[close]
                # Eight places at once: bytes of 0 or 1 add up without a carry.
                agree = (self._places[one] == self._places[other]).view(np.uint64)
                n_equal = (agree.sum(axis=1, dtype=np.uint64) * _BYTE_SUM) >> np.uint64(56)
                alike = n_equal >= least_equal
                new.append((one[alike] << _ROW_BITS) | other[alike])
            found = sorted_distinct(np.concatenate(new))
        return found


def bands_for(threshold: float) -> tuple[int, int]:
    """Choose the longest bands in which pairs at the threshold still meet.

    Returns:
        Places of a band, and the number of bands.

    Example:
        >>> bands_for(0.7)
        (5, 12)
    """
    lengths = np.arange(_PLACES // _LEAST_BANDS, 0, -1)
    chances = 1 - (1 - threshold**lengths) ** (_PLACES // lengths)
    good = chances >= _LEAST_CHANCE
    length = int(lengths[np.argmax(good)]) if good.any() else 1
    return length, _PLACES // length


def _minima(block: ShingleBlock, multiplier: np.uint64) -> NDArray[np.uint32]:
    """Return the least hash of each text in each bin, ``(n_texts, bins)``.

    An empty bin takes the number of the next filled one of its text, changed by the distance.
    """
    mixed = mix_hashes(block.hashes, multiplier)
    bins = block.owners * _BINS + (mixed & np.uint64(_BINS - 1)).astype(np.int64)
    least = np.full(block.n_texts * _BINS, _EMPTY, dtype=np.uint32)
    np.minimum.at(least, bins, (mixed >> _ROW_BITS).astype(np.uint32))
    empty = np.flatnonzero(least == _EMPTY)
    filled = np.flatnonzero(least != _EMPTY)
    start = empty // _BINS * _BINS
    following = np.searchsorted(filled, empty)
    place = filled[np.minimum(following, filled.size - 1)]
    outside = (following == filled.size) | (place >= start + _BINS)
    place[outside] = filled[np.searchsorted(filled, start[outside])]
    distance = ((place - empty) % _BINS).astype(np.uint32)
    least[empty] = (least[place] + distance) * _STEP
    return least.reshape(block.n_texts, _BINS)


def _band_keys(sketch: NDArray[np.uint32], n_rows: int, n_bands: int) -> NDArray[np.uint32]:
    """Hash each band of sketches: ``(n_bands, n_texts)``."""
    bands = sketch[:, : n_rows * n_bands].reshape(-1, n_bands, n_rows)
    keys = np.zeros(bands.shape[:2], dtype=np.uint64)
    for row in range(n_rows):
        keys = mix_hashes(keys ^ bands[:, :, row], _KEY_MULTIPLIER)
    return (keys >> _ROW_BITS).astype(np.uint32).T


def _bucket_mates(band: NDArray[np.uint32]) -> Iterator[tuple[Hashes, Hashes]]:
    """Yield pairs of rows with equal keys, the first one lower, some blocks at a time."""
    order = (band.astype(np.uint64) << _ROW_BITS) | np.arange(band.size, dtype=np.uint64)
    order.sort()
    for start in range(0, band.size, _BLOCK_ROWS):
        block = order[start : start + _BLOCK_ROWS + _NEIGHBOURS]
        bucket, row = block >> _ROW_BITS, block & _ROW_MASK
        live = np.arange(min(_BLOCK_ROWS, block.size))
        for step in range(1, _NEIGHBOURS + 1):
            live = live[live + step < block.size]
            live = live[bucket[live] == bucket[live + step]]
            if not live.size:
                break
            yield row[live], row[live + step]
