"""Uplift rows as one comparison each, with both sides and a relative interval.

In: an :class:`Evaluation`. Out: :class:`Comparison` objects in reading order.
"""

import math
from dataclasses import dataclass

from shopsynth.schema import Evaluation

CANDIDATE = "combined"
"""The arm that carries the claim."""

BASELINE = "real"
"""The arm the claim is made against."""

SYSTEM = "system"
"""The model name under which each arm's best model stands."""

_KEYS = ("task", "model", "metric", "cutoff", "slice")


@dataclass(frozen=True)
class Comparison:
    """One paired difference ``arm - against`` on real test units.

    Attributes:
        model: Model that was trained on both arms.
        slice: Slice of the answers.
        against: The arm compared with.
        value_with: Mean of the candidate arm.
        value_without: Mean of ``against``.
        relative: Difference as a share of ``value_without``.
        low: Lower end of the 95 % interval of ``relative``.
        high: Upper end of it.
        absolute: Difference in units of the metric.
        absolute_low: Lower end of the 95 % interval of ``absolute``.
        absolute_high: Upper end of it.
        p_holm: Corrected p-value.
        mde: Minimum detectable effect as a share of ``value_without``.
        verdict: What the evaluate room concluded.
    """

    model: str
    slice: str
    against: str
    value_with: float
    value_without: float
    relative: float
    low: float
    high: float
    absolute: float
    absolute_low: float
    absolute_high: float
    p_holm: float
    mde: float
    verdict: str

    @property
    def standing(self) -> str:
        """Say where the interval lies: ``above``, ``around`` or ``below`` zero, or ``unknown``."""
        if math.isnan(self.absolute_low) or math.isnan(self.absolute_high):
            return "unknown"
        if self.absolute_low > 0:
            return "above"
        return "below" if self.absolute_high < 0 else "around"


def comparisons(evaluation: Evaluation, *, task: str, metric: str, cutoff: int) -> list[Comparison]:
    """List every comparison of the candidate arm on one metric, in the order of the table.

    Args:
        evaluation: All results.
        task: Downstream task.
        metric: Metric name.
        cutoff: List length.
    """
    means = evaluation.metrics.select(*_KEYS, "arm", "value")
    rows = (
        evaluation.uplift.filter(
            task=task, metric=metric, cutoff=cutoff, arm=CANDIDATE
        )
        .join(means.rename({"value": "value_with"}), on=[*_KEYS, "arm"], how="left",
              nulls_equal=True, maintain_order="left")
        .join(means.rename({"arm": "against", "value": "value_without"}), on=[*_KEYS, "against"],
              how="left", maintain_order="left")
    )  # fmt: skip
    return [_comparison(row) for row in rows.iter_rows(named=True)]


def task_of(evaluation: Evaluation, model: str) -> str | None:
    """Name the first task in which a model was measured."""
    tasks = evaluation.metrics.filter(model=model)["task"]
    return str(tasks[0]) if tasks.len() else None


def find(
    found: list[Comparison], *, model: str, against: str = BASELINE, slice_: str = "all"
) -> Comparison | None:
    """Return the comparison of one model with one arm on one slice, if it was made."""
    for item in found:
        if (item.model, item.against, item.slice) == (model, against, slice_):
            return item
    return None


def _comparison(row: dict[str, object]) -> Comparison:
    def number(name: str) -> float:
        value = row[name]
        return float(value) if isinstance(value, int | float) else math.nan

    base = number("value_without")
    scale = 1 / base if base > 0 else math.nan
    return Comparison(
        model=str(row["model"]),
        slice=str(row["slice"]),
        against=str(row["against"]),
        value_with=number("value_with"),
        value_without=base,
        relative=number("relative"),
        low=number("low") * scale,
        high=number("high") * scale,
        absolute=number("absolute"),
        absolute_low=number("low"),
        absolute_high=number("high"),
        p_holm=number("p_holm"),
        mde=number("mde") * scale,
        verdict=str(row["verdict"]),
    )
