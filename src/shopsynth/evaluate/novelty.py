"""Novelty: how little known the listed items are, in bits.

In: lists and the training events of every item. Out: one value a unit.
"""

from typing import ClassVar

import numpy as np

from shopsynth.evaluate.base import Better, Kind, Lists, register


@register("novelty")
class Novelty:
    """Mean self-information of the listed items, ``−log2 p(item)``.

    ``p`` is the item's share of the real training events, with one event added to every item, so
    that an item without any is finite: at most ``log2`` of all events and items together. A plain
    mean over units. Ties at the cutoff are in or out as a whole (:meth:`Lists.shown`). An empty
    list shows nothing new: 0.

    Not for saying that lists are good: random lists are the most novel.

    Source:
        Zhou et al., Solving the apparent diversity-accuracy dilemma of recommender systems, PNAS
        2010 (surprisal), with shares of events for shares of users.

    Example:
        >>> lists = Lists(np.array([0, 0]), np.array([0, 1]), np.array([1.0, 2.0]), 1,
        ...               n_events=np.array([7, 3, 3]))
        >>> Novelty().score(lists, 1).tolist(), Novelty().score(lists, 2).tolist()
        ([1.0], [1.5])
    """

    kind: ClassVar[Kind] = "list"
    better: ClassVar[Better] = "higher"

    def score(self, lists: Lists, cutoff: int) -> np.ndarray:
        """Return novelty at the cutoff, in bits, shape ``(n_units,)``."""
        unit, item = lists.shown(cutoff)
        known = lists.n_events + 1.0
        bits = np.log2(known.sum() / known)
        total = np.bincount(unit, weights=bits[item], minlength=lists.n_units)
        return np.asarray(total / np.maximum(np.bincount(unit, minlength=lists.n_units), 1))
