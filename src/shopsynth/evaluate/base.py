"""What every metric is, and what it is shown.

In: answers with their places, lists with what they hold, pairs with predictions, or true classes
with those that were said. Out: one value a unit, whose mean over units is the metric.

A mean over units is all that the paired bootstrap needs (``bootstrap.py``). Metrics that are no
mean by nature (coverage, AUROC, macro-F1) are therefore written as one: the metric plus each unit's
influence on it. Those values have no bounds and mean nothing alone; their mean is the metric and
their spread its standard error.

To add a metric: a file in this folder named after it, holding a class decorated with
``@register("<the file's name>")``.
"""

from dataclasses import dataclass
from typing import Any, ClassVar, Literal, Protocol, TypeVar

import numpy as np

from shopsynth.schema import InputError, Registry

Kind = Literal["ranking", "list", "pairs", "classes"]
"""What a metric is shown: the places of the answers, the lists themselves, predictions, or the
classes that were said."""

Better = Literal["higher", "lower"]
"""Which way a metric improves."""

Evidence_contra = TypeVar("Evidence_contra", contravariant=True)
"""What a metric is shown: :class:`Hits`, :class:`Lists`, :class:`Pairs` or :class:`Classes`."""


@dataclass(frozen=True)
class Hits:
    """Every answer of every unit, and the place the ranking gave it.

    Attributes:
        unit: Unit number of each answer, contiguous from 0 and ascending. Shape ``(answers,)``.
        gain: What finding the answer is worth, above 0. Within a unit descending, so that the
            ideal list is read off in order. Shape ``(answers,)``.
        rank: Place from 1, infinite where the ranking does not hold the answer. Equal scores share
            their mean rank, so a rank may be fractional. Shape ``(answers,)``.
        n_units: Number of units; each has at least one answer.
    """

    unit: np.ndarray
    gain: np.ndarray
    rank: np.ndarray
    n_units: int

    def total(self, per_answer: np.ndarray) -> np.ndarray:
        """Add a value of each answer up by unit; shape ``(n_units,)``."""
        return np.bincount(self.unit, weights=per_answer, minlength=self.n_units)

    def found(self, cutoff: int) -> np.ndarray:
        """Say which answers stand within the cutoff; 0.0 or 1.0, shape ``(answers,)``."""
        return np.asarray(self.rank <= cutoff, dtype=np.float64)

    def ideal_rank(self) -> np.ndarray:
        """Return each answer's place in a perfect list: 1, 2, … within its unit."""
        starts = np.searchsorted(self.unit, np.arange(self.n_units))
        return np.asarray(np.arange(self.unit.size) - starts[self.unit] + 1.0)


@dataclass(frozen=True)
class Lists:
    """What every unit was shown, right or wrong.

    Attributes:
        unit: Unit number of each listed item, ascending from 0; a unit may have an empty list.
            Shape ``(listed,)``.
        item: Number of the item in the catalogue. Shape ``(listed,)``.
        rank: Place from 1; equal scores share their mean rank. Shape ``(listed,)``.
        n_units: Number of units.
        n_events: Training events of every item of the catalogue, also of items that nobody was
            shown. Shape ``(items,)``.
    """

    unit: np.ndarray
    item: np.ndarray
    rank: np.ndarray
    n_units: int
    n_events: np.ndarray

    def shown(self, cutoff: int) -> tuple[np.ndarray, np.ndarray]:
        """Return units and items of the lists cut at a length.

        A tie at the cutoff is in or out as a whole, by its mean rank: a list may be a little
        longer or shorter than the cutoff, but never depends on the order of a file.
        """
        within = self.rank <= cutoff
        return self.unit[within], self.item[within]


@dataclass(frozen=True)
class Pairs:
    """One pair a unit: what is true of it and what was predicted.

    Attributes:
        label: The truth. Shape ``(n_units,)``.
        prediction: Higher is more of it. Finite, shape ``(n_units,)``.
        threshold: Predictions from here on say yes, for metrics of decisions.
    """

    label: np.ndarray
    prediction: np.ndarray
    threshold: float = 0.5

    def positive(self) -> np.ndarray:
        """Say which labels are 1; booleans, shape ``(n_units,)``.

        Raises:
            InputError: If a label is neither 0 nor 1.
        """
        n_other = int(np.count_nonzero((self.label != 0) & (self.label != 1)))
        if n_other:
            raise InputError(
                f"pairs: expected labels 0 or 1, got {n_other} other value(s) among "
                f"{self.label.size}; map grades to yes or no first, or judge by rmse"
            )
        return np.asarray(self.label == 1)


@dataclass(frozen=True)
class Classes:
    """The one true class of every unit, and the class or classes that were said of it.

    Classes that share the first place share the unit's vote, so that no order of a file decides:
    of two, each is said by half.

    Attributes:
        truth: Number of each unit's true class, contiguous from 0. Shape ``(n_units,)``.
        unit: Unit number of each vote, ascending. Shape ``(votes,)``.
        said: Number of the class voted for, -1 for one that is true of no unit. Shape ``(votes,)``.
        share: Size of the vote, above 0; those of a unit add up to at most 1, and to 0 where
            nothing was said of it. Shape ``(votes,)``.
    """

    truth: np.ndarray
    unit: np.ndarray
    said: np.ndarray
    share: np.ndarray

    def right(self) -> np.ndarray:
        """Add up by unit what was said rightly; shape ``(n_units,)``, in [0, 1]."""
        rightly = self.share * (self.said == self.truth[self.unit])
        return np.bincount(self.unit, weights=rightly, minlength=self.truth.size)


def jackknife(metric: float, without: np.ndarray) -> np.ndarray:
    """Turn a metric of all units and its values without each unit into one value a unit.

    The values are centred on the metric, so that the claim is about what was measured, not about
    what a larger sample might show. Their standard error never understates in expectation (the
    inequality of Efron and Stein), whatever the metric; where items are rare it overstates.

    Args:
        metric: Of all units.
        without: Of all units but one, shape ``(n_units,)``.

    Source:
        Efron & Stein, The jackknife estimate of variance, Annals of Statistics 1981.

    Example:
        >>> jackknife(2.0, np.array([2.5, 1.5])).tolist()
        [1.5, 2.5]
    """
    return np.asarray(metric + (without.size - 1) * (without.mean() - without))


class Metric(Protocol[Evidence_contra]):
    """How good a model is, told as one value a unit.

    Attributes:
        kind: What :meth:`score` is shown: ``ranking`` for :class:`Hits`, ``list`` for
            :class:`Lists`, ``pairs`` for :class:`Pairs`, ``classes`` for :class:`Classes`.
        better: Whether more is better, or less.
    """

    kind: ClassVar[Kind]
    better: ClassVar[Better]

    def score(self, evidence: Evidence_contra, cutoff: int, /) -> np.ndarray:
        """Return one value a unit, shape ``(n_units,)``; their mean is the metric.

        A metric of kind ``ranking`` lies in [0, 1] for every unit. One of kind ``pairs`` returns
        NaN for all units where the labels leave it undefined, whatever was predicted.

        Args:
            evidence: What the metric's kind is shown.
            cutoff: Length of the list that counts. An item counts if its mean rank is at most the
                cutoff. 0 for pairs and classes, which have no list.
        """


METRICS: Registry[Metric[Any]] = Registry(
    "evaluate",
    support=frozenset(
        {
            "audits",
            "bootstrap",
            "claims",
            "distributions",
            "dose_curve",
            "embedding",
            "fidelity",
            "histories",
            "holm",
            "hypotheses",
            "means",
            "mechanism_audit",
            "pairing",
            "scoring",
            "system",
            "text_diversity",
            "text_vectors",
            "units",
            "uplift",
            "verdict",
        }
    ),
)
"""All metrics of the room."""

register = METRICS.register
