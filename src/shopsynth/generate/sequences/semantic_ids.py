"""Items as short codes: alike items share their first codes, no two share all.

In: one vector an item. Out: each item's code path, and the tree of all paths, which tells a decoder
what may follow what. Every item has a path, also one never bought: its vector gives it a place.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np
from numpy.typing import NDArray

Vectors = NDArray[np.float32]
Nodes = NDArray[np.int64]

_CODED_LEVELS = 2
"""Levels of quantisation; those after them only number the items of a cell."""

_CELL_ITEMS = 8
"""Items that a cell has on average, as far as a codebook's greatest size allows."""

_MOST_CODES = 256
_LEARNING_ROWS = 50_000
_ROUNDS = 15
_BLOCK_ROWS = 65_536
"""Rows compared with all centres at a time: a block of 256 centres is 64 MB."""


@dataclass(frozen=True)
class SemanticIds:
    """Code paths of items and the tree they form.

    A node of depth d is a prefix of d codes; depth 0 has one node, the root, and the nodes of depth
    ``n_levels`` are the items. Nodes of a depth are numbered in the order of their paths.

    Attributes:
        codes: ``(n_items, n_levels)`` path of each item, unique.
        sizes: Codes of each level's codebook.
        item_of: ``(n_items,)`` item_index of each node of the last depth.
        children: For each depth but the last ``(n_nodes, size)`` the node of the next depth that a
            code leads to, -1 where no item lies.

    Source:
        Residual quantisation as in Rajput et al., Recommender Systems with Generative Retrieval,
        arXiv 2305.05065, with k-means in place of their autoencoder (its section 4.2 compares).

    Example:
        >>> vectors = np.repeat(np.eye(2, dtype=np.float32), 3, axis=0)
        >>> ids = SemanticIds.fit(vectors, seed=1)
        >>> ids.item_at(ids.codes).tolist()
        [0, 1, 2, 3, 4, 5]
    """

    codes: NDArray[np.int32]
    sizes: tuple[int, ...]
    item_of: NDArray[np.int64]
    children: tuple[NDArray[np.int32], ...]

    @classmethod
    def fit(cls, vectors: Vectors, *, seed: int) -> Self:
        """Quantise vectors, ``(n_items, n_directions)``, coarse to fine; then number what is left.

        Items that no level tells apart (a catalogue without content and events) are numbered with
        as many further codes as it takes.
        """
        random = np.random.Generator(np.random.PCG64(seed))
        n_items = vectors.shape[0]
        n_codes = int(np.clip(np.sqrt(n_items / _CELL_ITEMS), 1, _MOST_CODES))
        residual = np.ascontiguousarray(vectors, dtype=np.float32)
        levels = []
        for _ in range(_CODED_LEVELS):
            centres = _centres(residual, n_codes, random)
            nearest = _nearest(residual, centres)
            residual = residual - centres[nearest]
            levels.append(nearest)
        codes = np.column_stack([*levels, *_numbered(levels, residual)]).astype(np.int32)
        return cls.of(codes)

    @classmethod
    def of(cls, codes: NDArray[np.int32]) -> Self:
        """Build the tree of given paths, ``(n_items, n_levels)``, each unique."""
        order = np.lexsort(codes.T[::-1])
        ordered = codes[order]
        sizes = tuple(int(size) + 1 for size in codes.max(axis=0))
        node = np.zeros(order.size, dtype=np.int64)
        children = []
        for level, size in enumerate(sizes):
            parent, code = node, ordered[:, level]
            key = parent * size + code
            firsts = np.flatnonzero(np.diff(key, prepend=-1))
            node = np.searchsorted(key[firsts], key)
            table = np.full((int(parent[-1]) + 1, size), -1, dtype=np.int32)
            table[parent[firsts], code[firsts]] = np.arange(firsts.size)
            children.append(table)
        return cls(codes, sizes, order, tuple(children))

    @property
    def n_items(self) -> int:
        """Size of the catalogue."""
        return self.item_of.size

    @property
    def n_levels(self) -> int:
        """Codes of a path."""
        return len(self.sizes)

    @cached_property
    def nodes(self) -> Nodes:
        """``(n_items, n_levels)`` node at which each item's path arrives after each code."""
        node = np.zeros(self.n_items, dtype=np.int64)
        passed = []
        for level, table in enumerate(self.children):
            node = table[node, self.codes[:, level]].astype(np.int64)
            passed.append(node)
        return np.column_stack(passed)

    def item_at(self, codes: NDArray[np.integer]) -> Nodes:
        """Return the item_index at the end of each path ``(n, n_levels)``, -1 where none is."""
        node = np.zeros(codes.shape[0], dtype=np.int64)
        for level, table in enumerate(self.children):
            node = np.where(node >= 0, table[node, codes[:, level]], -1)
        return np.where(node >= 0, self.item_of[node], -1)

    def children_among(self, allowed: NDArray[np.bool_]) -> tuple[NDArray[np.int32], ...]:
        """Return ``children`` of the tree that has only some of the items, nodes numbered alike.

        Args:
            allowed: ``(n_items,)`` items that may be reached.
        """
        kept = []
        for level, table in enumerate(self.children):
            alive = np.zeros(int(table.max()) + 1, dtype=np.bool_)
            alive[self.nodes[allowed, level]] = True
            kept.append(np.where(alive[table] & (table >= 0), table, -1).astype(np.int32))
        return tuple(kept)


def _centres(rows: Vectors, n_codes: int, random: np.random.Generator) -> Vectors:
    """Find centres by k-means, from starts that k-means++ spreads; fewer if rows are alike.

    Source:
        Arthur and Vassilvitskii, SODA 2007, for the starts.
    """
    if rows.shape[0] > _LEARNING_ROWS:
        rows = rows[np.sort(random.choice(rows.shape[0], _LEARNING_ROWS, replace=False))]
    centres = _spread_starts(rows, n_codes, random)
    for _ in range(_ROUNDS):
        nearest = _nearest(rows, centres)
        counts = np.bincount(nearest, minlength=centres.shape[0])
        order = np.argsort(nearest, kind="stable")
        filled = counts > 0
        starts = (np.cumsum(counts) - counts)[filled]
        # A centre that lost all rows stays where it was.
        centres[filled] = np.add.reduceat(rows[order], starts, axis=0) / counts[filled, None]
    return centres


def _spread_starts(rows: Vectors, n_codes: int, random: np.random.Generator) -> Vectors:
    chosen = [int(random.integers(rows.shape[0]))]
    distance = _square_distances(rows, rows[chosen])[:, 0].astype(np.float64)
    while len(chosen) < n_codes and distance.sum() > 1e-6:
        chosen.append(int(random.choice(rows.shape[0], p=distance / distance.sum())))
        distance = np.minimum(distance, _square_distances(rows, rows[chosen[-1:]])[:, 0])
        distance[chosen] = 0.0
    return rows[chosen].copy()


def _nearest(rows: Vectors, centres: Vectors) -> NDArray[np.int64]:
    blocks = [
        np.argmin(_square_distances(rows[start : start + _BLOCK_ROWS], centres), axis=1)
        for start in range(0, rows.shape[0], _BLOCK_ROWS)
    ]
    return np.concatenate(blocks)


def _square_distances(rows: Vectors, centres: Vectors) -> Vectors:
    lengths = np.einsum("ij,ij->i", rows, rows)[:, None]
    distances: Vectors = lengths - 2 * rows @ centres.T + np.einsum("ij,ij->i", centres, centres)
    return np.maximum(distances, 0.0)


def _numbered(levels: list[NDArray[np.int64]], residual: Vectors) -> list[NDArray[np.int64]]:
    """Number the items of each cell along its widest direction, in digits of a codebook's size."""
    cell = np.ravel_multi_index(tuple(levels), tuple(int(level.max()) + 1 for level in levels))
    centred = residual - residual.mean(axis=0)
    direction = np.linalg.eigh(centred.T @ centred)[1][:, -1]
    order = np.lexsort((np.round(residual @ direction, 5), cell))
    ordered = cell[order]
    rank = np.empty(cell.size, dtype=np.int64)
    rank[order] = np.arange(cell.size) - np.searchsorted(ordered, ordered)
    digits = [rank % _MOST_CODES]
    while (rank := rank // _MOST_CODES).any():
        digits.append(rank % _MOST_CODES)
    return digits[::-1]
