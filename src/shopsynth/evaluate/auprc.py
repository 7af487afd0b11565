"""AUPRC: average precision over all thresholds of a prediction.

In: labels and predictions. Out: one value a unit, whose mean is the area.
"""

from typing import ClassVar

import numpy as np

from shopsynth.evaluate.base import Better, Kind, Pairs, register


@register("auprc")
class Auprc:
    """Area under the precision-recall curve, by steps: ``Σ (R_t − R_{t−1}) P_t``.

    Tied predictions are one threshold, and nothing is interpolated between thresholds. A figure of
    all units together; its per-unit values are the infinitesimal jackknife (the derivative by the
    unit's weight). Labels must be 0 or 1; undefined without a positive one. Without skill it is the
    share of positives, so values of data with different shares do not compare.

    Source:
        Davis & Goadrich, The relationship between precision-recall and ROC curves, ICML 2006 (why
        not to interpolate); Efron, The jackknife, the bootstrap and other resampling plans, 1982,
        chapter 6.

    Example:
        >>> pairs = Pairs(np.array([1, 0, 1, 0]), np.array([0.9, 0.8, 0.7, 0.1]))
        >>> round(float(Auprc().score(pairs).mean()), 4)
        0.8333
    """

    kind: ClassVar[Kind] = "pairs"
    better: ClassVar[Better] = "higher"

    def score(self, pairs: Pairs, cutoff: int = 0) -> np.ndarray:
        """Return values with mean AUPRC, shape ``(n_units,)``; there is no cutoff."""
        positive = pairs.positive()
        n_units, n_positive = positive.size, int(positive.sum())
        if not n_positive:
            return np.full(n_units, np.nan)
        # One group a threshold, by falling prediction.
        _, group = np.unique(-pairs.prediction, return_inverse=True)
        n_at = np.bincount(group)
        ups_at = np.bincount(group, weights=positive, minlength=n_at.size)
        n_from, ups_from = np.cumsum(n_at), np.cumsum(ups_at)
        precision = ups_from / n_from
        # No matrix product: a BLAS with more threads would add in another order.
        area = float((ups_at * precision).sum()) / n_positive
        # A unit changes the precision at its own threshold and at every lower one.
        as_positive = _from_here(ups_at / n_from)[group] + precision[group] - area
        as_any = _from_here(ups_at * precision / n_from)[group]
        influence = np.where(positive, as_positive, 0.0) - as_any
        return np.asarray(area + n_units / n_positive * influence)


def _from_here(values: np.ndarray) -> np.ndarray:
    """Add up each value and all after it."""
    return np.asarray(np.cumsum(values[::-1])[::-1])
