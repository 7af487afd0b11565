"""F1: precision and recall of a decision in one number.

In: labels, predictions and a threshold. Out: one value a unit, whose mean is the F1.
"""

from typing import ClassVar

import numpy as np

from shopsynth.evaluate.base import Better, Kind, Pairs, register


@register("f1")
class F1:
    """``2 TP / (2 TP + FP + FN)``, yes from the threshold on.

    The threshold itself says yes, so a tie there is decided one way for all. A figure of all units
    together, told by the delta method as the ratio of two means: ``value_i = F1 + (a_i − F1 b_i) /
    mean b`` with ``a`` twice the true positives and ``b`` the predicted plus the true ones. Labels
    must be 0 or 1; undefined without a positive one.

    Source:
        van Rijsbergen, Information Retrieval, 1979, chapter 7.

    Example:
        >>> pairs = Pairs(np.array([1, 1, 0]), np.array([0.9, 0.1, 0.5]))
        >>> float(F1().score(pairs).mean())
        0.5
    """

    kind: ClassVar[Kind] = "pairs"
    better: ClassVar[Better] = "higher"

    def score(self, pairs: Pairs, cutoff: int = 0) -> np.ndarray:
        """Return values with mean F1, shape ``(n_units,)``; there is no cutoff."""
        positive = pairs.positive()
        if not positive.any():
            return np.full(positive.size, np.nan)
        said = pairs.prediction >= pairs.threshold
        hit, either = 2.0 * (positive & said), positive + 1.0 * said
        f1 = hit.mean() / either.mean()
        return np.asarray(f1 + (hit - f1 * either) / either.mean())
