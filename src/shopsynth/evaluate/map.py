"""Average precision; its mean over units is the MAP.

In: answers with ranks. Out: one value a unit.
"""

from typing import ClassVar

import numpy as np

from shopsynth.evaluate.base import Better, Hits, Kind, register


@register("map")
class Map:
    """Precision at the place of every answer found, added up and divided by all answers.

    ``AP = 1/R · Σ place among the answers / place among all items``, over answers within the
    cutoff. Divided by all ``R`` answers, as trec_eval's ``map_cut`` does: with more answers than
    the cutoff the best possible value is below 1. Tied scores share their mean rank both among the
    answers and among all items. Gains do not count.

    Source:
        Buckley & Voorhees, Retrieval evaluation with incomplete information, SIGIR 2004 (mean
        average precision as trec_eval computes it).

    Example:
        >>> hits = Hits(np.array([0, 0]), np.array([1.0, 1.0]), np.array([4.0, 1.0]), 1)
        >>> Map().score(hits, 10).tolist()
        [0.75]
    """

    kind: ClassVar[Kind] = "ranking"
    better: ClassVar[Better] = "higher"

    def score(self, hits: Hits, cutoff: int) -> np.ndarray:
        """Return average precision at the cutoff, shape ``(n_units,)``."""
        within = hits.rank <= cutoff
        precision = np.zeros(hits.unit.size)
        precision[within] = _mean_rank(hits.unit[within], hits.rank[within]) / hits.rank[within]
        return np.asarray(hits.total(precision) / hits.total(np.ones(hits.unit.size)))


def _mean_rank(unit: np.ndarray, rank: np.ndarray) -> np.ndarray:
    """Rank answers among the answers of their unit, equals at their mean rank.

    Args:
        unit: Unit of each answer, ascending, shape ``(answers,)``.
        rank: Place of each among all items, shape ``(answers,)``.
    """
    order = np.lexsort((rank, unit))
    unit, rank = unit[order], rank[order]
    starts = np.ones((2, unit.size), dtype=bool)
    starts[0, 1:] = unit[1:] != unit[:-1]
    starts[1, 1:] = starts[0, 1:] | (rank[1:] != rank[:-1])
    first_of_unit, first_of_tie = (np.flatnonzero(each) for each in starts)
    n_tied = np.diff(np.append(first_of_tie, unit.size))
    middle = first_of_tie + (n_tied + 1) / 2
    place = np.repeat(middle, n_tied) - first_of_unit[np.cumsum(starts[0]) - 1]
    found = np.empty(unit.size)
    found[order] = place
    return found
