"""The discriminator: how well a classifier tells synthetic histories from real ones.

In: real and synthetic histories. Out: the area under its ROC curve, with an interval.

Real users are cut into three parts. A classifier learns the first part from as many synthetic users
(the figure), and from the second part (the ceiling: 0.5 but for chance). The third part only says
how popular items are and what follows what: a history is not asked how like it is to itself.
Synthetic histories that repeat what train users did look more typical than a new customer's do,
and are told by it; whether they copy is what the audits ask.
"""

import numpy as np

from shopsynth.evaluate.fidelity._boosting import BoostedTrees
from shopsynth.evaluate.fidelity._traits import Reference, traits
from shopsynth.evaluate.fidelity.base import Behaviour, Row

_N_ASKED = 4_000
"""Users a side, at most: the interval is then some ±.013 wide."""

_N_REFERENCE = 200_000
"""Users of the reference, at most."""

_LEAST_ASKED = 100
"""Users a side below which the interval would be wider than ±.08: nothing is told."""

_N_FOLDS = 4
_RESAMPLES = 500
_NAMES = (
    "real histories told from others: AUC (0.5 is best)",
    "real histories told from others, lower 95 % bound: AUC (0.5 is best)",
    "real histories told from others, upper 95 % bound: AUC (0.5 is best)",
)


def discriminator_rows(
    real: Behaviour, made: Behaviour, known: frozenset[str], generator: np.random.Generator
) -> list[Row]:
    """Tell how far real histories are told from synthetic ones, and from other real ones.

    Args:
        real: Train histories.
        made: Synthetic histories.
        known: What both have: ``times``, ``hours``, ``weekdays``, ``sessions``, ``funnel``.
        generator: Of the parts, the folds and the resamples.

    Returns:
        The area and both ends of its 95 % interval over users; nothing below
        :data:`_LEAST_ASKED` users a side.
    """
    first, second, rest = real.cut(3, generator)
    n_asked = min(_N_ASKED, first.n_users, second.n_users, made.n_users)
    if n_asked < _LEAST_ASKED:
        return []
    reference = Reference.count(rest.draw(_N_REFERENCE, generator).histories)
    told = [
        traits(side.draw(n_asked, generator), reference, known=known)
        for side in (first, made, second)
    ]
    values, ceilings = (tell_apart(told[0], other, generator) for other in told[1:])
    return list(zip(_NAMES, values, ceilings, strict=True))


def tell_apart(
    zeros: np.ndarray, ones: np.ndarray, generator: np.random.Generator
) -> tuple[float, float, float]:
    """Cross-fit a classifier and tell the area under its ROC curve.

    Every row is scored by a classifier that learned from the other folds; areas are those within a
    fold, for scores of two classifiers are not comparable.

    Args:
        zeros: Rows of one class, shape ``(rows, traits)``.
        ones: As many of the other.
        generator: Of the folds and the resamples.

    Returns:
        The area, and the 2.5 % and 97.5 % quantiles of it over resampled rows.
    """
    rows = np.concatenate([zeros, ones])
    is_one = np.repeat([0.0, 1.0], [len(zeros), len(ones)])
    fold = np.concatenate(
        [generator.permutation(np.arange(len(part)) % _N_FOLDS) for part in (zeros, ones)]
    )
    areas = np.zeros((_N_FOLDS, 1 + _RESAMPLES))
    for number in range(_N_FOLDS):
        asked = fold == number
        score = BoostedTrees.fit(rows[~asked], is_one[~asked]).score(rows[asked])
        areas[number] = _areas(score, is_one[asked] == 1, generator)
    mean = areas.mean(axis=0)
    low, high = np.quantile(mean[1:], [0.025, 0.975])
    return float(mean[0]), float(low), float(high)


def _areas(score: np.ndarray, is_one: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """Return the area under the curve, and that of each resample; shape ``(1 + resamples,)``."""
    _, place = np.unique(score, return_inverse=True)
    n_places = int(place.max()) + 1
    # Rows of one score are alike, so drawing rows again is drawing scores again.
    zeros, ones = (_drawn_again(place[side], n_places, generator) for side in (~is_one, is_one))
    below = np.cumsum(zeros, axis=1) - zeros / 2
    n_pairs = zeros[0].sum() * ones[0].sum()
    return np.asarray((below * ones).sum(axis=1) / n_pairs)


def _drawn_again(place: np.ndarray, n_places: int, generator: np.random.Generator) -> np.ndarray:
    """Count rows by score, as they are and drawn again; shape ``(1 + resamples, n_places)``."""
    counts = np.bincount(place, minlength=n_places)
    return np.vstack([counts, generator.multinomial(place.size, counts / place.size, _RESAMPLES)])
