"""Macro-F1: the F1 of every class, rare ones as heavy as common ones.

In: true classes and those that were said. Out: one value a unit, whose mean is the macro-F1.
"""

from typing import ClassVar

import numpy as np

from shopsynth.evaluate.base import Better, Classes, Kind, register


@register("macro_f1")
class MacroF1:
    """The mean over classes of ``2 TP / (2 TP + FP + FN)``.

    Classes are those that are true of some unit: one that is only said costs the classes it was
    said instead of, and is none of its own. So all arms have the same classes. Of ``n`` classes
    that tie for the first place each is said by 1/n.

    A figure of all units together, told by the delta method class by class, as in ``f1``:
    ``value_i = M + mean over classes c of (a_ic − F1_c b_ic) / mean b_c`` with ``a`` twice what was
    said rightly and ``b`` what was said plus what is true.

    Source:
        Yang & Liu, A re-examination of text categorization methods, SIGIR 1999, section 2.

    Example:
        >>> said = Classes(np.array([0, 0, 1]), np.arange(3), np.array([0, 1, 1]), np.ones(3))
        >>> round(float(MacroF1().score(said).mean()), 4)
        0.6667
    """

    kind: ClassVar[Kind] = "classes"
    better: ClassVar[Better] = "higher"

    def score(self, classes: Classes, cutoff: int = 0) -> np.ndarray:
        """Return values with mean macro-F1, shape ``(n_units,)``; there is no cutoff."""
        n_units = classes.truth.size
        if not n_units:
            return np.zeros(0)
        right, known = classes.right(), classes.said >= 0
        true = np.bincount(classes.truth)
        said = np.bincount(classes.said[known], weights=classes.share[known], minlength=true.size)
        either = (true + said) / n_units
        f1 = 2.0 * np.bincount(classes.truth, weights=right) / n_units / either
        of_truth = (2.0 * right - f1[classes.truth]) / either[classes.truth]
        cost = f1[classes.said[known]] * classes.share[known] / either[classes.said[known]]
        of_said = np.bincount(classes.unit[known], weights=cost, minlength=n_units)
        return np.asarray(f1.mean() + (of_truth - of_said) / true.size)
