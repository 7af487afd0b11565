"""Coverage: the share of the catalogue that anybody is shown.

In: lists and the catalogue. Out: one value a unit, whose mean is the coverage.
"""

from typing import ClassVar

import numpy as np

from shopsynth.evaluate.base import Better, Kind, Lists, jackknife, register


@register("coverage")
class Coverage:
    """Items on at least one unit's list, divided by the items of the catalogue.

    A figure of all units together, told as centred jackknife values (:func:`jackknife`): what a
    unit adds is the items that only its list holds. Ties at the cutoff are in or out as a whole
    (:meth:`Lists.shown`).

    The interval is wider than chance, in the tests' shops up to twice, most where the average item
    is listed a few times: a claim errs to the safe side. Resampling units and counting again is no
    alternative: a resample holds 63 % of the units, so its coverage lies far below.

    Source:
        Ge et al., Beyond accuracy: evaluating recommender systems by coverage and serendipity,
        RecSys 2010 (catalogue coverage).

    Example:
        >>> lists = Lists(np.array([0, 0, 1]), np.array([0, 1, 1]), np.array([1.0, 2.0, 1.0]), 2,
        ...               n_events=np.zeros(4))
        >>> Coverage().score(lists, 2).tolist()
        [0.625, 0.375]
    """

    kind: ClassVar[Kind] = "list"
    better: ClassVar[Better] = "higher"

    def score(self, lists: Lists, cutoff: int) -> np.ndarray:
        """Return values with mean coverage at the cutoff, shape ``(n_units,)``."""
        unit, item = lists.shown(cutoff)
        n_lists = np.bincount(item, minlength=lists.n_events.size)
        covered = np.count_nonzero(n_lists)
        alone = np.bincount(unit, weights=n_lists[item] == 1, minlength=lists.n_units)
        n_items = max(lists.n_events.size, 1)
        return jackknife(covered / n_items, (covered - alone) / n_items)
