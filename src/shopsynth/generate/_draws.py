"""Drawing for many rows at once: weighted choices, observed values, evenly spread uniforms.

In: triples of row, choice and weight, or observed values. Out: arrays of what was drawn.
"""

from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from numpy.typing import NDArray

Integers = NDArray[np.integer]
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class DrawTable:
    """Rows of weighted choices, kept as one array of cumulative weights.

    Attributes:
        pointers: ``(n_rows + 1,)``; row ``r`` has the entries ``pointers[r]:pointers[r + 1]``.
        choices: ``(n_entries,)`` what each entry stands for.
        cumulative: ``(n_entries + 1,)`` sum of the weights of all entries before each place.

    Example:
        >>> table = DrawTable.of(np.array([0, 0, 2]), np.array([7, 8, 9]), np.array([1, 3, 1]), 3)
        >>> table.draw(np.array([0, 0, 1, 2]), np.array([0.2, 0.3, 0.5, 0.9])).tolist()
        [7, 8, -1, 9]
    """

    pointers: NDArray[np.int64]
    choices: NDArray[np.int32]
    cumulative: Floats

    @classmethod
    def of(cls, rows: Integers, choices: Integers, weights: Integers | Floats, n_rows: int) -> Self:
        """Build the table; weights of equal (row, choice) pairs add up."""
        width = int(choices.max()) + 1 if choices.size else 1
        keys, place = np.unique(rows.astype(np.int64) * width + choices, return_inverse=True)
        summed = np.bincount(place, weights=weights, minlength=keys.size)
        sizes = np.bincount(keys // width, minlength=n_rows)
        return cls(
            pointers=np.concatenate(([0], np.cumsum(sizes))),
            choices=(keys % width).astype(np.int32),
            cumulative=np.concatenate(([0.0], np.cumsum(summed))),
        )

    def sizes(self) -> NDArray[np.int64]:
        """Return each row's number of choices, ``(n_rows,)``."""
        return np.diff(self.pointers)

    def totals(self) -> Floats:
        """Return each row's total weight, ``(n_rows,)``."""
        return np.diff(self.cumulative[self.pointers])

    def with_empty_row(self) -> Self:
        """Return the table with one more row, which has no choices."""
        return replace(self, pointers=np.append(self.pointers, self.pointers[-1]))

    def draw(self, rows: Integers, uniforms: Floats) -> NDArray[np.int32]:
        """Draw one choice for each wanted row.

        Args:
            rows: ``(n,)`` row numbers.
            uniforms: ``(n,)`` in [0, 1).

        Returns:
            ``(n,)`` choices, -1 where a row is empty.
        """
        low, high = self.pointers[rows], self.pointers[rows + 1]
        start = self.cumulative[low]
        target = start + uniforms * (self.cumulative[high] - start)
        entry = np.searchsorted(self.cumulative, target, side="right") - 1
        # Rounding may carry the target over the row's end.
        entry = np.clip(entry, low, np.maximum(high - 1, low))
        drawn = np.full(rows.shape, -1, dtype=np.int32)
        filled = high > low
        drawn[filled] = self.choices[entry[filled]]
        return drawn


def spread_uniforms(groups: Integers, random: np.random.Generator) -> Floats:
    """Draw uniforms that are spread evenly over [0, 1) within each group.

    Each is uniform by itself; together they keep a row's shares better than independent draws, so
    fewer transitions get lost by chance.

    Args:
        groups: ``(n,)`` group of each draw.
        random: Source of randomness.

    Returns:
        ``(n,)`` uniforms.

    Source:
        Systematic sampling: Kitagawa, J. Comput. Graph. Stat. 5(1), 1996, appendix.
    """
    shuffled = random.permutation(groups.size)
    order = shuffled[np.argsort(groups[shuffled], kind="stable")]
    ordered = groups[order]
    first = np.flatnonzero(np.concatenate(([True], ordered[1:] != ordered[:-1])))
    sizes = np.diff(np.concatenate((first, [groups.size])))
    rank = np.arange(groups.size) - np.repeat(first, sizes)
    uniforms = np.empty(groups.size)
    uniforms[order] = (rank + random.random(groups.size)) / np.repeat(sizes, sizes)
    return np.minimum(uniforms, np.nextafter(1.0, 0.0))


def empirical_draws(values: Integers, n: int, random: np.random.Generator) -> Integers:
    """Draw ``n`` values whose distribution is as close to that of ``values`` as ``n`` allows."""
    ordered = np.sort(values)
    place = spread_uniforms(np.zeros(n, dtype=np.int8), random) * values.size
    drawn: Integers = ordered[place.astype(np.int64)]
    return drawn


@dataclass(frozen=True)
class Pool:
    """Observed values by bucket.

    Attributes:
        pointers: ``(n_buckets + 1,)`` places in ``values``.
        values: Observed values, bucket after bucket.
    """

    pointers: NDArray[np.int64]
    values: NDArray[np.int64]

    @classmethod
    def of(cls, buckets: Integers, values: NDArray[np.int64], n_buckets: int) -> Self:
        """Collect values by bucket, in their own order within each."""
        order = np.lexsort((values, buckets))
        sizes = np.bincount(buckets, minlength=n_buckets)
        return cls(np.concatenate(([0], np.cumsum(sizes))), values[order])

    def draw(self, buckets: Integers, random: np.random.Generator) -> NDArray[np.int64]:
        """Draw one observed value for each ``(n,)`` bucket, 0 where a bucket is empty."""
        low, size = self.pointers[buckets], np.diff(self.pointers)[buckets]
        drawn = np.zeros(buckets.size, dtype=np.int64)
        filled = size > 0
        place = low[filled] + (random.random(buckets.size)[filled] * size[filled]).astype(np.int64)
        drawn[filled] = self.values[place]
        return drawn


def size_bucket(sizes: Integers) -> NDArray[np.int64]:
    """Put 1, 2-3, 4-7, 8-15, ... into buckets 0, 1, 2, 3, ..."""
    return np.log2(np.maximum(sizes, 1)).astype(np.int64)
