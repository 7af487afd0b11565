"""A map of histories: where synthetic users lie among real ones.

In: real and synthetic events. Out: two coordinates a history, for the report's picture.
"""

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from shopsynth.evaluate.histories import Histories, shared_catalogue
from shopsynth.schema import EVALUATION_COLUMNS, REAL, derived_seed

if TYPE_CHECKING:
    from scipy.sparse import csr_array

_N_FACTORS = 16
"""Taste dimensions kept before the projection to two; more only add single-item noise."""

_DENSE_LIMIT = 64
"""Up to this many users or items a dense decomposition is exact and faster."""

_DECIMALS = 6
"""Coordinates are rounded: the last bits of a decomposition depend on the machine's threads."""


def embed_histories(
    train: pl.DataFrame, synthetic: pl.DataFrame, seed: int, max_points: int = 2_000
) -> pl.DataFrame:
    """Place histories in two dimensions that real data alone define.

    Each history is a vector of ``log(1 + count)`` by item, scaled to length 1. A truncated singular
    value decomposition of the real vectors gives taste dimensions, a principal component analysis
    of the real users in them gives the two axes, and synthetic histories are put in the same map.
    Items that real users never bought do not count.

    Args:
        train: Real events.
        synthetic: Synthetic events; may be empty.
        seed: Of the sample of histories shown.
        max_points: Points in all; each of the three panels gets a third.

    Returns:
        Columns of ``EVALUATION_COLUMNS["embedding"]``; origins ``real``, ``synthetic`` and
        ``combined`` (a sample of both in proportion), so that all panels are equally dense.
    """
    catalogue = shared_catalogue([train, synthetic])
    real = _vectors(Histories.encode(train, catalogue))
    made = _vectors(Histories.encode(synthetic, catalogue))
    places = _project(real, made)
    generator = np.random.Generator(np.random.PCG64(derived_seed(seed, "embedding")))
    panels = {
        REAL: places[: real.shape[0]],
        "synthetic": places[real.shape[0] :],
        "combined": places,
    }
    frames = []
    for origin, panel in panels.items():
        n_shown = min(max_points // 3, panel.shape[0])
        shown = panel[np.sort(generator.permutation(panel.shape[0])[:n_shown])].round(_DECIMALS)
        frames.append(
            pl.DataFrame(
                {"origin": [origin] * n_shown, "x": shown[:, 0], "y": shown[:, 1]},
                schema=EVALUATION_COLUMNS["embedding"],
            )
        )
    return pl.concat(frames)


def _vectors(histories: Histories) -> "csr_array":
    """Return unit vectors of log counts, shape ``(users, n_items)``."""
    from scipy.sparse import csr_array

    shape = (histories.n_users, histories.n_items)
    ones = np.ones(histories.item.size)
    counts = csr_array((ones, (histories.user, histories.item)), shape=shape)
    counts.sum_duplicates()
    counts.data = np.log1p(counts.data)
    lengths = np.sqrt(counts.power(2).sum(axis=1))
    return csr_array(counts.multiply(1 / np.maximum(lengths, 1e-12)[:, None]))


def _project(real: "csr_array", made: "csr_array") -> np.ndarray:
    """Put real, then synthetic histories on two axes; shape ``(users, 2)``."""
    tastes = right_vectors(real, _N_FACTORS)
    factors = real @ tastes
    centre = factors.mean(axis=0)
    _, axes = np.linalg.eigh(np.cov(factors, rowvar=False, bias=True).reshape(tastes.shape[1], -1))
    axes = _with_fixed_signs(axes[:, ::-1][:, :2])
    places = np.concatenate([factors - centre, made @ tastes - centre]) @ axes
    return np.pad(places, ((0, 0), (0, 2 - places.shape[1])))


def right_vectors(real: "csr_array", n: int) -> np.ndarray:
    """Return the leading right singular vectors, shape ``(columns, n)`` or fewer.

    Args:
        real: Non-negative; more than ``n`` rows and columns, or no more than 64 of either.
        n: Wanted vectors, below 64.
    """
    from scipy.sparse.linalg import svds

    smaller = min(real.shape)
    if smaller <= _DENSE_LIMIT:
        return np.asarray(np.linalg.svd(real.toarray(), full_matrices=False)[2][:n].T)
    # A fixed start vector makes the iteration repeatable; ones are never orthogonal to the first
    # singular vector of a non-negative matrix.
    _, strengths, right = svds(real, k=n, v0=np.ones(smaller))
    return np.asarray(right[np.argsort(-strengths)].T)


def _with_fixed_signs(axes: np.ndarray) -> np.ndarray:
    """Turn each axis so that its largest entry is positive; a decomposition leaves it open."""
    largest = np.abs(axes).argmax(axis=0)
    return np.asarray(axes * np.sign(axes[largest, np.arange(axes.shape[1])]))
