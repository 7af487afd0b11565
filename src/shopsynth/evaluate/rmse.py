"""RMSE: how far a predicted number is off.

In: labels and predictions. Out: one value a unit, whose mean is the RMSE.
"""

from typing import ClassVar

import numpy as np

from shopsynth.evaluate.base import Better, Kind, Pairs, register


@register("rmse")
class Rmse:
    """Root of the mean squared error, in units of the label. Less is better.

    A figure of all units together, told by the delta method: ``value_i = RMSE + (e_i² − RMSE²) / (2
    RMSE)``. Labels are any numbers; equal predictions need no rule.

    Example:
        >>> pairs = Pairs(np.array([1.0, 3.0]), np.array([1.0, 1.0]))
        >>> Rmse().score(pairs).round(4).tolist()
        [0.7071, 2.1213]
    """

    kind: ClassVar[Kind] = "pairs"
    better: ClassVar[Better] = "lower"

    def score(self, pairs: Pairs, cutoff: int = 0) -> np.ndarray:
        """Return values with mean RMSE, shape ``(n_units,)``; there is no cutoff."""
        squares = (pairs.prediction - pairs.label) ** 2
        rmse = float(np.sqrt(squares.mean()))
        if not rmse:
            return np.zeros(squares.size)
        return np.asarray(rmse + (squares - rmse**2) / (2 * rmse))
