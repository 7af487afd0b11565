"""Gini of exposure: how unequally the lists share their places among all items.

In: lists and the catalogue. Out: one value a unit, whose mean is the Gini coefficient.
"""

from typing import ClassVar

import numpy as np

from shopsynth.evaluate.base import Better, Kind, Lists, jackknife, register


@register("gini")
class Gini:
    """Gini coefficient of the number of lists each item of the catalogue stands on.

    ``G = Σ_i Σ_j |x_i − x_j| / (2 N Σ x)``: 0 if all items are listed equally often, near 1 if a
    few take all places; items that nobody is shown count. Where nothing is listed at all it is 1.
    Ties at the cutoff are in or out as a whole (:meth:`Lists.shown`).

    A figure of all units together, told as centred jackknife values (:func:`jackknife`), each
    exact: a list taken away lowers its items by one, and only the order of those against the others
    matters. In the tests' shops the interval is up to 1.5 times as wide as chance, most where the
    average item is listed less than once. Resampling units and computing anew is no alternative:
    chance adds inequality, so the coefficient itself moves.

    Source:
        Fleder & Hosanagar, Blockbuster culture's next rise or fall, Management Science 2009 (the
        Gini coefficient of recommended items).

    Example:
        >>> lists = Lists(np.array([0, 1]), np.array([0, 0]), np.array([1.0, 1.0]), 2,
        ...               n_events=np.zeros(4))
        >>> Gini().score(lists, 1).tolist()
        [0.75, 0.75]
    """

    kind: ClassVar[Kind] = "list"
    better: ClassVar[Better] = "lower"

    def score(self, lists: Lists, cutoff: int) -> np.ndarray:
        """Return values with mean Gini coefficient at the cutoff, shape ``(n_units,)``."""
        unit, item = lists.shown(cutoff)
        n_items, n_shown = lists.n_events.size, unit.size
        if not n_shown:
            return np.ones(lists.n_units)
        exposure = np.bincount(item, minlength=n_items)
        ordered = np.sort(exposure)
        lower = np.searchsorted(ordered, exposure)
        apart = 2.0 * float((2.0 * np.arange(1, n_items + 1) - n_items - 1) @ ordered)
        per_unit = np.bincount(unit, minlength=lists.n_units)
        # An item of the list comes nearer to each item outside that is listed less often, and
        # moves away from all others outside; two items of the list stay as far apart as they were.
        nearer = np.bincount(unit, weights=lower[item], minlength=lists.n_units)
        nearer -= _lower_beside(unit, exposure[item], lists.n_units)
        moved = per_unit * (n_items - per_unit) - 2.0 * nearer
        left = n_shown - per_unit
        metric = apart / (2.0 * n_items * n_shown)
        without = (apart + 2.0 * moved) / (2.0 * n_items * np.maximum(left, 1))
        return jackknife(metric, np.where(left > 0, without, metric))


def _lower_beside(unit: np.ndarray, exposure: np.ndarray, n_units: int) -> np.ndarray:
    """Count the pairs of each list whose items differ in exposure; shape ``(n_units,)``.

    Args:
        unit: Unit of each listed item, shape ``(listed,)``.
        exposure: Whole numbers, of each listed item, shape ``(listed,)``.
        n_units: Number of units.
    """
    size = int(exposure.max()) + 1
    ordered = np.sort(unit * size + exposure)
    place, owner = np.arange(ordered.size), ordered // size
    first_of_unit, first_of_value = (
        np.maximum.accumulate(np.where(np.append(True, key[1:] != key[:-1]), place, 0))
        for key in (owner, ordered)
    )
    return np.bincount(owner, weights=first_of_value - first_of_unit, minlength=n_units)
