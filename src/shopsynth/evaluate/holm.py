"""Holm's correction: how p-values change when several hypotheses are tested at once.

In: p-values of one family. Out: adjusted p-values, in the same order.
"""

import numpy as np


def holm(p_values: np.ndarray) -> np.ndarray:
    """Adjust the p-values of a family so that any false alarm among them keeps the stated rate.

    Args:
        p_values: Raw two-sided p-values, shape ``(hypotheses,)``.

    Returns:
        Adjusted p-values, at most 1, shape ``(hypotheses,)``.

    Source:
        Holm, A simple sequentially rejective multiple test procedure, Scand. J. Stat. 1979.

    Example:
        >>> holm(np.array([0.01, 0.04, 0.03])).round(2).tolist()
        [0.03, 0.06, 0.06]
    """
    order = np.argsort(p_values, kind="stable")
    n_left = p_values.size - np.arange(p_values.size)
    stepped = np.maximum.accumulate(p_values[order] * n_left)
    adjusted = np.empty(p_values.size)
    adjusted[order] = np.minimum(stepped, 1.0)
    return adjusted
