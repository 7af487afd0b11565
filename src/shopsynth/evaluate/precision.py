"""Precision: the share of the list that are answers.

In: answers with ranks. Out: one value a unit.
"""

from typing import ClassVar

import numpy as np

from shopsynth.evaluate.base import Better, Hits, Kind, register


@register("precision")
class Precision:
    """Answers within the cutoff divided by the cutoff, also where fewer items were listed.

    Equal scores share their mean rank: a tie at the cutoff counts whole or not at all. Where it
    counts more answers than the list has places, the value is held at 1.

    Example:
        >>> hits = Hits(np.array([0, 0]), np.array([1.0, 1.0]), np.array([1.0, 40.0]), 1)
        >>> Precision().score(hits, 10).tolist()
        [0.1]
    """

    kind: ClassVar[Kind] = "ranking"
    better: ClassVar[Better] = "higher"

    def score(self, hits: Hits, cutoff: int) -> np.ndarray:
        """Return precision at the cutoff, shape ``(n_units,)``."""
        return np.asarray(np.minimum(hits.total(hits.found(cutoff)) / cutoff, 1.0))
