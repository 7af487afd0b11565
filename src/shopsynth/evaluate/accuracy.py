"""Accuracy: how often the class that was said is the true one.

In: true classes and those that were said. Out: one value a unit.
"""

from typing import ClassVar

import numpy as np

from shopsynth.evaluate.base import Better, Classes, Kind, register


@register("accuracy")
class Accuracy:
    """1 if the true class alone was said, 0 if others were; of ``n`` that tie each counts 1/n.

    Not for rare classes: it is high for whoever always says the commonest (``macro_f1``).

    Example:
        >>> said = Classes(np.array([0, 1]), np.array([0, 1, 1]), np.array([0, 0, 1]),
        ...                np.array([1.0, 0.5, 0.5]))
        >>> Accuracy().score(said).tolist()
        [1.0, 0.5]
    """

    kind: ClassVar[Kind] = "classes"
    better: ClassVar[Better] = "higher"

    def score(self, classes: Classes, cutoff: int = 0) -> np.ndarray:
        """Return how right each unit is, shape ``(n_units,)``; there is no cutoff."""
        return classes.right()
