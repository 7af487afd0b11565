"""Uplift rows as one comparison each, with both sides and a relative interval.

In: an :class:`Evaluation`. Out: :class:`Comparison` objects in reading order.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass

import polars as pl

from shopsynth.report.labels import LOWER_IS_BETTER, SLICES
from shopsynth.report.numerals import MISSING, is_number, percent
from shopsynth.schema import Evaluation

CANDIDATE = "combined"
"""The arm that carries the claim."""

BASELINE = "real"
"""The arm the claim is made against."""

SYNTHETIC = "synthetic"
SIDE_INFORMATION = "side_information"
ORACLE = "oracle"

NO_EFFECT = "no effect shown"
"""The verdict where an interval holds 0, and where runs or corrections do not allow another."""

_NO_CONTROLS = frozenset({BASELINE, SYNTHETIC, SIDE_INFORMATION, ORACLE})
"""Arms that the candidate is compared with for another reason than to explain a gain away: side
information must only be matched, the oracle is a ceiling."""

SYSTEM = "system"
"""The model name under which each arm's best model stands."""

_KEYS = ("task", "model", "metric", "cutoff", "slice")


@dataclass(frozen=True)
class Comparison:
    """One paired difference ``arm - against`` on real test units.

    Attributes:
        model: Model that was trained on both arms.
        metric: Metric name.
        slice: Slice of the answers.
        arm: The arm that is judged.
        against: The arm compared with.
        value_with: Mean of ``arm``.
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
        role: ``primary``, ``secondary`` or ``exploratory``.
        seeds: Paired runs behind it.
        seeds_agree: How many of them have the sign of ``absolute``.
        units: Test questions behind it, 0 where unknown.
    """

    model: str
    metric: str
    slice: str
    arm: str
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
    role: str
    seeds: int
    seeds_agree: int
    units: int

    @property
    def is_control(self) -> bool:
        """Say whether ``against`` could explain a gain away."""
        return self.against not in _NO_CONTROLS

    @property
    def standing(self) -> str:
        """Say how the arm fares: ``better``, ``around`` zero, ``worse``, or ``unknown``."""
        if math.isnan(self.absolute_low) or math.isnan(self.absolute_high):
            return "unknown"
        lower_is_better = self.metric in LOWER_IS_BETTER
        if self.absolute_low > 0:
            return "worse" if lower_is_better else "better"
        if self.absolute_high < 0:
            return "better" if lower_is_better else "worse"
        return "around"

    @property
    def outcome(self) -> str:
        """Say how a control fares: its standing, or ``few`` runs for an interval to say it."""
        better = self.standing == "better"
        return "few" if better and self.is_control and self.verdict == NO_EFFECT else self.standing

    @property
    def gain(self) -> float:
        """Return the relative change, above 0 where it is for the better."""
        return -self.relative if self.metric in LOWER_IS_BETTER else self.relative

    @property
    def least_gain(self) -> float:
        """Return the end of the relative interval that speaks against the arm."""
        return -self.high if self.metric in LOWER_IS_BETTER else self.low


def comparisons(
    evaluation: Evaluation, *, task: str, metric: str, cutoff: int | None, arm: str = CANDIDATE
) -> list[Comparison]:
    """List every comparison of an arm on one metric, in the order of the table.

    Where the comparison was registered, its relative interval is that of the hypothesis, which
    holds the noise of both arms; elsewhere the value of ``against`` counts as known.

    Args:
        evaluation: All results.
        task: Downstream task.
        metric: Metric name.
        cutoff: List length; ``None`` where the metric has none.
        arm: The arm that is judged.
    """
    means = evaluation.metrics.select(*_KEYS, "arm", "value", "units")
    rows = (
        evaluation.uplift.filter(
            pl.col("cutoff").eq_missing(cutoff), task=task, metric=metric, arm=arm
        )
        .join(means.rename({"value": "value_with"}), on=[*_KEYS, "arm"], how="left",
              nulls_equal=True, maintain_order="left")
        .join(means.drop("units").rename({"arm": "against", "value": "value_without"}),
              on=[*_KEYS, "against"], how="left", nulls_equal=True, maintain_order="left")
    )  # fmt: skip
    claimed = evaluation.hypotheses.unique(_KEYS, keep="first", maintain_order=True).select(
        *_KEYS, pl.lit(CANDIDATE).alias("arm"), pl.lit(BASELINE).alias("against"),
        pl.col("low").alias("claimed_low"), pl.col("high").alias("claimed_high"),
        pl.lit(value=True).alias("is_claimed"),
    )  # fmt: skip
    rows = rows.join(
        claimed, on=[*_KEYS, "arm", "against"], how="left", nulls_equal=True, maintain_order="left"
    )
    return [_comparison(row) for row in rows.iter_rows(named=True)]


def slices_in_order(found: Iterable[Comparison]) -> list[str]:
    """Name the slices, the known ones in the order in which the report tells them."""
    names = dict.fromkeys(item.slice for item in found)
    return [*(name for name in SLICES if name in names),
            *(name for name in names if name not in SLICES)]  # fmt: skip


def relative_text(item: Comparison) -> str:
    """Write the relative change with its interval, or a dash where there is none."""
    if not is_number(item.relative):
        return MISSING
    return f"{percent(item.relative)} [{percent(item.low)}, {percent(item.high)}]"


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
        metric=str(row["metric"]),
        slice=str(row["slice"]),
        arm=str(row["arm"]),
        against=str(row["against"]),
        value_with=number("value_with"),
        value_without=base,
        relative=number("relative"),
        low=number("claimed_low") if row["is_claimed"] else number("low") * scale,
        high=number("claimed_high") if row["is_claimed"] else number("high") * scale,
        absolute=number("absolute"),
        absolute_low=number("low"),
        absolute_high=number("high"),
        p_holm=number("p_holm"),
        mde=number("mde") * scale,
        verdict=str(row["verdict"]),
        role=str(row["role"]),
        seeds=int(number("seeds")),
        seeds_agree=int(number("seeds_agree")),
        units=0 if row["units"] is None else int(number("units")),
    )
