"""Coverage-aware selection: of many made texts those few that lie where the real ones lie.

In: made rows and real texts, a category of both where there is one, vectors where a model gives
them. Out: the rows chosen, and the rejects.
"""

from typing import Any, Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray

from shopsynth.combine.filters._rows import need_columns, parted, reasons_of
from shopsynth.combine.filters.embedding_near_duplicates import Encoder, Vectors, unit_vectors
from shopsynth.schema import InputError, derived_seed
from shopsynth.text.shingles import mix_hashes, shingle_sets
from shopsynth.text.words import spell_alike

_ANCHORS = 1024
"""Real texts of a category that stand for it: a k-medoid cost on so many lies within a few percent
of that on all (Mishra et al. 2001), and memory and time stay what they are for any number."""

_MISS = 0.1
"""Epsilon of stochastic greedy: the choice reaches 1 - 1/e - .1 of the best in expectation."""

_ENOUGH = 0.01
"""A round ends where the best text brings less than this share of what its first one brought."""

_BLOCK = 4096

_DIM = 256
"""Length of hashed gram vectors: signed hashing errs by about 1/16 in a cosine."""

How = Literal["facility_location", "k_centre"]


def coverage_aware_selection(
    rows: pl.DataFrame,
    real: pl.DataFrame,
    n: int,
    *,
    seed: int,
    how: How = "facility_location",
    encode: Encoder | None = None,
    category: str | None = None,
    table: str = "queries",
    column: str = "text",
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Choose ``n`` made texts that cover the real ones.

    Each category gets its share of the real texts, at least one text where there is any. Within
    it texts are chosen one by one; 1,024 drawn real texts stand for all. ``facility_location``
    takes, of some drawn texts, the one that brings all real texts nearest to a chosen one, so the
    choice lies where many lie. ``k_centre`` takes the one nearest to the real text that is worst
    off, so it reaches the rare ones, and errors among them. Once hardly anything is left to cover,
    covering begins anew. Not for choosing what is true or well written; filter first.

    Some 40 microseconds a made text on one core, whatever ``n``; a kilobyte of memory each.

    Args:
        rows: Made rows.
        real: Real rows of the training part, with the same columns for text and category.
        n: Texts wanted; all are kept if there are fewer.
        seed: Of all chance.
        how: What is covered.
        encode: A model's vectors; without one, words and runs of four characters, hashed.
        category: Column of both; none for one category.
        table: Name of the table, for the rejects.
        column: Column of the texts.

    Returns:
        The rows chosen, in order, and the rejects with the reason ``covers_nothing_more``.

    Raises:
        InputError: If a column is missing, ``n`` is less than 1, or there is no real text.

    Source:
        Sener and Savarese, Active learning for convolutional neural networks: a core-set
        approach, ICLR 2018 (k-centre); Wei, Iyer and Bilmes, ICML 2015 (facility location);
        Mirzasoleiman et al., Lazier than lazy greedy, AAAI 2015 (candidates drawn).
    """
    where = f"coverage_aware_selection, table {table}"
    names = [column] + ([category] if category is not None else [])
    for frame in (rows, real):
        need_columns(where, frame, *names)
    if n < 1 or real.height == 0:
        raise InputError(
            f"{where}: expected n of at least 1 and real texts to cover, got n = {n} and "
            f"{real.height} real texts; leave the filter out where there are none"
        )
    chosen = np.zeros(rows.height, np.bool_)
    for number, (ours, theirs, quota) in enumerate(_quotas(rows, real, n, category)):
        random = np.random.Generator(np.random.PCG64(derived_seed(seed, "coverage", number)))
        if quota in (0, ours.size) or theirs.size == 0:
            chosen[ours[random.permutation(ours.size)[:quota]]] = True
            continue
        if theirs.size > _ANCHORS:
            theirs = np.sort(random.choice(theirs, _ANCHORS, replace=False))
        made, anchors = (
            _vectors(frame[column].gather(places), encode, where)
            for frame, places in ((rows, ours), (real, theirs))
        )
        if how == "k_centre":
            same = rows[column].gather(ours).fill_null("").rank("dense").to_numpy() - 1
            chosen[ours[_centres(made, anchors, quota, same)]] = True
        else:
            chosen[ours[_facilities(made, anchors, quota, random)]] = True
    reasons = reasons_of(rows.height, ("covers_nothing_more", pl.Series(~chosen)))
    return parted(rows, table, reasons)


def _quotas(
    rows: pl.DataFrame, real: pl.DataFrame, n: int, category: str | None
) -> list[tuple[NDArray[np.int64], NDArray[np.int64], int]]:
    """Part ``n`` over categories: places of made rows, places of real ones, how many to choose."""
    if category is None:
        return [(np.arange(rows.height), np.arange(real.height), min(n, rows.height))]
    names = rows[category].unique().sort()
    places = [
        (_places(rows[category], name), _places(real[category], name)) for name in names.to_list()
    ]
    there = np.array([ours.size for ours, _ in places], np.int64)
    wanted = np.array([theirs.size for _, theirs in places], np.float64)
    quota = _shares(there, wanted, min(n, rows.height))
    return [
        (ours, theirs, number)
        for (ours, theirs), number in zip(places, quota.tolist(), strict=True)
    ]


def _places(cells: pl.Series, name: object) -> NDArray[np.int64]:
    return np.flatnonzero(cells.eq_missing(name).to_numpy())


def _shares(there: NDArray[np.int64], wanted: NDArray[np.float64], n: int) -> NDArray[np.int64]:
    """Part ``n`` by shares, none above what is there; one each first, as far as it reaches."""
    quota = np.zeros(there.size, np.int64)
    # The largest first: with fewer texts than categories the rarest go without.
    order = np.lexsort((-there, -wanted))
    quota[order[(wanted[order] > 0)][:n]] = 1
    while quota.sum() < n:
        left = n - int(quota.sum())
        open_ = there > quota
        weights = np.where(open_, wanted, 0.0)
        # Categories that no real text has come last, by what was made of them.
        weights = weights if weights.sum() else np.where(open_, there - quota, 0).astype(np.float64)
        lack = np.maximum(weights / weights.sum() * n - quota, 0.0) * open_
        lack = lack if lack.sum() else weights
        exact = lack / lack.sum() * left
        step = np.minimum(np.floor(exact).astype(np.int64), there - quota)
        if step.sum() == 0:
            step[np.argsort(-exact * (there > quota), kind="stable")[:1]] = 1
        quota += step
    return quota


def _vectors(texts: pl.Series, encode: Encoder | None, where: str) -> Vectors:
    if encode is not None:
        return unit_vectors(encode, texts.fill_null(""), where)
    sets = shingle_sets(spell_alike(texts))
    sizes = np.diff(sets.offsets)
    mixed = mix_hashes(sets.elements.astype(np.uint64), np.uint64(0xD6E8FEB86659FD93))
    cell = np.repeat(np.arange(sizes.size), sizes) * _DIM + (mixed >> np.uint64(56)).astype(
        np.int64
    )
    sign = 1.0 - 2.0 * ((mixed >> np.uint64(55)) & np.uint64(1)).astype(np.float64)
    sums = np.bincount(cell, weights=sign, minlength=sizes.size * _DIM)
    vectors = sums.reshape(sizes.size, _DIM)
    norms = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.maximum(norms, 1e-12), np.float32)


def _facilities(
    made: Vectors, anchors: Vectors, n: int, random: np.random.Generator
) -> NDArray[np.int64]:
    """Choose rows one by one, each the best of some drawn ones for all anchors: ``(n,)`` places."""
    # One shuffled ring, read on and on past what is chosen, draws without a draw each.
    ring = random.permutation(made.shape[0])
    free = np.ones(made.shape[0], np.bool_)
    n_drawn = max(int(np.ceil(made.shape[0] / n * np.log(1 / _MISS))), 2)
    covered = np.zeros(anchors.shape[0], np.float32)
    place, first, chosen = 0, 0.0, 0
    while chosen < n:
        if place >= ring.size:
            ring, place = random.permutation(np.flatnonzero(free)), 0
        drawn = ring[place : place + n_drawn]
        place += n_drawn
        drawn = drawn[free[drawn]]
        if drawn.size == 0:
            continue
        gains = np.maximum(made[drawn] @ anchors.T - covered, 0.0).sum(axis=1)
        if covered.any() and gains.max() < _ENOUGH * first:
            covered[:] = 0.0
            gains = np.maximum(made[drawn] @ anchors.T, 0.0).sum(axis=1)
        best = drawn[int(np.argmax(gains))]
        if not covered.any():
            first = float(gains.max())
        covered = np.maximum(covered, made[best] @ anchors.T)
        free[best] = False
        chosen += 1
    return np.flatnonzero(~free)


def _centres(made: Vectors, anchors: Vectors, n: int, same: NDArray[Any]) -> NDArray[np.int64]:
    """Choose rows one by one, each the nearest to the anchor that lacks most: ``(n,)`` places.

    Rows of one text, by their number in ``same``, ``(n_made,)``, take turns as one: a look at all
    of them for each that is chosen would take the square of their number.
    """
    _, first, number, copies = np.unique(
        same, return_index=True, return_inverse=True, return_counts=True
    )
    # In the order of the rows, so that of equally near texts the earliest is chosen.
    order = np.argsort(first)
    distinct, copies = made[first[order]], copies[order]
    which, taken = np.argsort(order)[number], np.zeros_like(copies)
    chosen = 0
    while chosen < n:
        nearest, reach = _nearest(distinct, anchors, taken < copies)
        # What is out of reach of every text is nobody's fault: an anchor lacks what it could have.
        covered = np.full(anchors.shape[0], -1.0, np.float32)
        free = np.ones(copies.size, np.bool_)
        while chosen < n:
            farthest = int(np.argmax(reach - covered))
            if reach[farthest] - covered[farthest] <= 1e-6:
                break
            best = nearest[farthest]
            covered = np.maximum(covered, anchors @ distinct[best])
            covered[farthest] = reach[farthest]
            chosen += int(free[best])
            taken[best] += int(free[best])
            free[best] = False
    turn = np.empty(same.size, np.int64)
    turn[np.argsort(which, kind="stable")] = np.arange(same.size) - np.repeat(
        np.cumsum(copies) - copies, copies
    )
    return np.flatnonzero(turn < taken[which])


def _nearest(
    made: Vectors, anchors: Vectors, free: NDArray[np.bool_]
) -> tuple[NDArray[np.int64], Vectors]:
    """Find each anchor's nearest free row and its cosine: ``(n_anchors,)`` each."""
    places = np.flatnonzero(free)
    nearest = np.zeros(anchors.shape[0], np.int64)
    reach = np.full(anchors.shape[0], -2.0, np.float32)
    for start in range(0, places.size, _BLOCK):
        block = places[start : start + _BLOCK]
        near = made[block] @ anchors.T
        best = near.argmax(axis=0)
        value = near[best, np.arange(best.size)]
        better = value > reach
        nearest[better], reach[better] = block[best[better]], value[better]
    return nearest, reach
