"""Figures about what is bought: popularity, coverage, inequality, novelty, repeats.

In: reference and compared histories. Out: one number a figure.
"""

import numpy as np

from shopsynth.evaluate.fidelity.base import Behaviour, Figure
from shopsynth.evaluate.fidelity.distances import gini, jensen_shannon, shares
from shopsynth.evaluate.histories import Histories


def _popularity(real: Behaviour, made: Behaviour) -> float:
    return jensen_shannon(real.histories.counts(), made.histories.counts())


def _item_coverage(real: Behaviour, made: Behaviour) -> float:
    """Return the share of the items of the reference that occur in the compared histories."""
    bought = real.histories.counts() > 0
    return float((made.histories.counts()[bought] > 0).mean()) if bought.any() else float("nan")


def _inequality(real: Behaviour, made: Behaviour) -> float:
    return abs(gini(real.histories.counts()) - gini(made.histories.counts()))


def _novelty(real: Behaviour, made: Behaviour) -> float:
    """Compare the mean self-information of an event's item.

    By the popularity in both sides together: by that of the reference alone, its own rare items
    would be the better known ones.
    """
    a, b = real.histories.counts(), made.histories.counts()
    if not a.sum() or not b.sum():
        return float("nan")
    bits = -np.log2(np.maximum(shares(a + b), np.finfo(float).tiny))
    return abs(float((shares(a) - shares(b)) @ bits))


def _repeats(real: Behaviour, made: Behaviour) -> float:
    return abs(_repeat_rate(real.histories) - _repeat_rate(made.histories))


def _repeat_rate(histories: Histories) -> float:
    """Return the share of events whose user has an event of the same item before."""
    return 1 - histories.pairs().size / max(1, histories.item.size)


FIGURES = (
    Figure("item popularity: Jensen-Shannon divergence (0 is best)", _popularity),
    Figure("bought items that occur: share (1 is best)", _item_coverage),
    Figure("inequality of items: difference of Gini coefficients (0 is best)", _inequality),
    Figure("novelty of items: difference of mean self-information in bits (0 is best)", _novelty),
    Figure("repeated items: difference of rates (0 is best)", _repeats),
)
