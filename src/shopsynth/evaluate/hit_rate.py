"""Hit rate: whether the list holds any answer.

In: answers with ranks. Out: one value a unit, 0 or 1.
"""

from typing import ClassVar

import numpy as np

from shopsynth.evaluate.base import Better, Hits, Kind, register


@register("hit_rate")
class HitRate:
    """1 if at least one answer is within the cutoff, else 0.

    Example:
        >>> hits = Hits(np.array([0, 1]), np.array([1.0, 1.0]), np.array([3.0, np.inf]), 2)
        >>> HitRate().score(hits, 10).tolist()
        [1.0, 0.0]
    """

    kind: ClassVar[Kind] = "ranking"
    better: ClassVar[Better] = "higher"

    def score(self, hits: Hits, cutoff: int) -> np.ndarray:
        """Return the hit rate at the cutoff, shape ``(n_units,)``."""
        return np.asarray(np.minimum(hits.total(hits.found(cutoff)), 1.0))
