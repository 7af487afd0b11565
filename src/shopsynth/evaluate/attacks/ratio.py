"""A small classifier between released and real histories: their density ratio.

In: item sets. Out: log-odds of "released" for the people asked.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from shopsynth.schema import derived_seed

if TYPE_CHECKING:
    from scipy.sparse import csr_array

_DIRECTIONS = 64
_RIDGE = 1e-2
_STEPS = 8
"""Newton's method on 66 weights is done after five or six steps."""


def density_ratio(
    released: "csr_array", reference: "csr_array", asked: Sequence["csr_array"]
) -> list[np.ndarray]:
    """Learn to tell released from reference histories, and judge others.

    Features are 64 random sums of items and the length: memory shows where these sums crowd
    around people who were read.

    Args:
        released: Item sets of the release, shape ``(released, n_items)``.
        reference: Item sets of real people, shape ``(reference, n_items)``.
        asked: Groups of item sets to judge.

    Returns:
        Log-odds of "released" of every group, each of shape ``(group,)``.
    """
    if not released.shape[0] or not reference.shape[0]:
        return [np.zeros(each.shape[0]) for each in asked]
    generator = np.random.Generator(np.random.PCG64(derived_seed(0, "audit", "density")))
    signs = generator.choice(np.array([-1.0, 1.0]), (released.shape[1], _DIRECTIONS))

    def features(sets: "csr_array") -> np.ndarray:
        length = np.maximum(np.diff(sets.indptr), 1)[:, None]
        return np.hstack([(sets @ signs) / np.sqrt(length), np.log(length), np.ones_like(length)])

    rows = np.vstack([features(released), features(reference)])
    centre, width = rows.mean(axis=0), rows.std(axis=0)
    centre[-1], width[width == 0] = 0.0, 1.0
    label = np.repeat([1.0, 0.0], [released.shape[0], reference.shape[0]])
    weights = _logistic((rows - centre) / width, label)
    return [((features(each) - centre) / width) @ weights for each in asked]


def _logistic(rows: np.ndarray, label: np.ndarray) -> np.ndarray:
    """Fit a ridge logistic regression by Newton's method, both classes of equal weight."""
    share = label.mean()
    balance = np.where(label == 1, 0.5 / share, 0.5 / (1 - share))
    weights = np.zeros(rows.shape[1])
    ridge = _RIDGE * len(label) * np.eye(rows.shape[1])
    for _ in range(_STEPS):
        chance = 1 / (1 + np.exp(-np.clip(rows @ weights, -30, 30)))
        gradient = rows.T @ (balance * (chance - label)) + ridge @ weights
        curvature = (rows * (balance * chance * (1 - chance))[:, None]).T @ rows + ridge
        weights -= np.linalg.solve(curvature, gradient)
    return weights
