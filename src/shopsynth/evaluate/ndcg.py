"""Normalised discounted cumulative gain.

In: answers with gains and ranks. Out: one value a unit.
"""

from typing import ClassVar

import numpy as np

from shopsynth.evaluate.base import Better, Hits, Kind, register


@register("ndcg")
class Ndcg:
    """Gain found, discounted by its place, as a share of the best possible list's.

    ``DCG = Σ gain / log2(rank + 1)`` over answers within the cutoff; the ideal list holds the
    unit's own answers by falling gain. Tied scores share their mean rank, and the discount is taken
    there: a fractional rank, never the luck of the file's order. As every item of a tie at the
    cutoff's edge then counts or none does, a list that ties more answers than fit could pass the
    ideal; the value is held at 1.

    Source:
        Järvelin & Kekäläinen, Cumulated gain-based evaluation of IR techniques, TOIS 2002.

    Example:
        >>> hits = Hits(np.array([0, 0]), np.array([1.0, 1.0]), np.array([1.0, 4.0]), 1)
        >>> Ndcg().score(hits, 10).round(4).tolist()
        [0.8772]
    """

    kind: ClassVar[Kind] = "ranking"
    better: ClassVar[Better] = "higher"

    def score(self, hits: Hits, cutoff: int) -> np.ndarray:
        """Return NDCG at the cutoff, shape ``(n_units,)``."""
        ideal_rank = hits.ideal_rank()
        ideal = hits.total(hits.gain / np.log2(ideal_rank + 1.0) * (ideal_rank <= cutoff))
        found = hits.total(hits.gain / np.log2(hits.rank + 1.0) * hits.found(cutoff))
        return np.asarray(np.minimum(found / ideal, 1.0))
