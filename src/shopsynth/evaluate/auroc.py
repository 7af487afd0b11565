"""AUROC: how surely a random positive pair is scored above a random negative one.

In: labels and predictions. Out: one value a unit, whose mean is the area.
"""

from typing import ClassVar

import numpy as np

from shopsynth.evaluate.base import Better, Kind, Pairs, register


@register("auroc")
class Auroc:
    """Area under the receiver operating characteristic; a tie counts a half.

    A figure of all units together. Its per-unit values are DeLong's placements: for a positive the
    share of negatives scored below, for a negative the share of positives scored above, each
    weighed by one over its class's share. Labels must be 0 or 1; undefined without both.

    Source:
        DeLong, DeLong & Clarke-Pearson, Biometrics 1988.

    Example:
        >>> pairs = Pairs(np.array([1, 1, 0, 0]), np.array([0.9, 0.4, 0.4, 0.1]))
        >>> float(Auroc().score(pairs).mean())
        0.875
    """

    kind: ClassVar[Kind] = "pairs"
    better: ClassVar[Better] = "higher"

    def score(self, pairs: Pairs, cutoff: int = 0) -> np.ndarray:
        """Return values with mean AUROC, shape ``(n_units,)``; there is no cutoff."""
        positive = pairs.positive()
        n_units, n_positive = positive.size, int(positive.sum())
        if n_positive in (0, n_units):
            return np.full(n_units, np.nan)
        ups, downs = pairs.prediction[positive], pairs.prediction[~positive]
        placement = np.empty(n_units)
        placement[positive] = _share_below(ups, downs)
        placement[~positive] = 1.0 - _share_below(downs, ups)
        area = placement[positive].mean()
        weight = np.where(positive, n_units / n_positive, n_units / (n_units - n_positive))
        return np.asarray(area + weight * (placement - area))


def _share_below(asked: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Return the share of ``others`` below each of ``asked``, equals counting a half."""
    ordered = np.sort(others)
    below, up_to = (np.searchsorted(ordered, asked, side=side) for side in ("left", "right"))
    return np.asarray((below + up_to) / (2.0 * others.size))
