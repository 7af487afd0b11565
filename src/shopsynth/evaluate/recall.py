"""Recall: the share of a unit's answers that the list holds.

In: answers with ranks. Out: one value a unit.
"""

from typing import ClassVar

import numpy as np

from shopsynth.evaluate.base import Better, Hits, Kind, register


@register("recall")
class Recall:
    """Answers within the cutoff as a share of all answers, whatever their gain.

    With more answers than the cutoff the best possible value is below 1, as in trec_eval.

    Example:
        >>> hits = Hits(np.array([0, 0]), np.array([1.0, 1.0]), np.array([1.0, 40.0]), 1)
        >>> Recall().score(hits, 10).tolist()
        [0.5]
    """

    kind: ClassVar[Kind] = "ranking"
    better: ClassVar[Better] = "higher"

    def score(self, hits: Hits, cutoff: int) -> np.ndarray:
        """Return recall at the cutoff, shape ``(n_units,)``."""
        return np.asarray(hits.total(hits.found(cutoff)) / hits.total(np.ones(hits.unit.size)))
