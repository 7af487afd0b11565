"""Reciprocal rank of the first answer; its mean over units is the MRR.

In: answers with ranks. Out: one value a unit.
"""

from typing import ClassVar

import numpy as np

from shopsynth.evaluate.base import Better, Hits, Kind, register


@register("mrr")
class Mrr:
    """One over the best rank of any answer, 0 beyond the cutoff. Gains do not count.

    Example:
        >>> hits = Hits(np.array([0, 0]), np.array([1.0, 1.0]), np.array([4.0, 2.0]), 1)
        >>> Mrr().score(hits, 10).tolist()
        [0.5]
    """

    kind: ClassVar[Kind] = "ranking"
    better: ClassVar[Better] = "higher"

    def score(self, hits: Hits, cutoff: int) -> np.ndarray:
        """Return the reciprocal rank at the cutoff, shape ``(n_units,)``."""
        best = np.full(hits.n_units, np.inf)
        np.minimum.at(best, hits.unit, hits.rank)
        return np.where(best <= cutoff, 1.0 / best, 0.0)
