"""What every metric is, and how a ranking is turned into one value a unit.

In: a :class:`Ranking`, the real answers and the slices they belong to. Out: tidy per-unit values.

To add a metric: a file in this folder named after it, holding a class decorated with
``@register("<the file's name>")``.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import polars as pl

from shopsynth.schema import InputError, Ranking, Registry


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


class Metric(Protocol):
    """How good a ranking is for one unit."""

    def score(self, hits: Hits, cutoff: int) -> np.ndarray:
        """Return one value in [0, 1] a unit, shape ``(hits.n_units,)``; higher is better.

        Args:
            hits: The answers and their places.
            cutoff: Length of the list that counts. An answer counts if its mean rank is at most
                the cutoff.
        """


METRICS: Registry[Metric] = Registry(
    "evaluate",
    support=frozenset(
        {
            "audits",
            "bootstrap",
            "distributions",
            "dose_curve",
            "embedding",
            "fidelity",
            "histories",
            "holm",
            "hypotheses",
            "system",
            "uplift",
        }
    ),
)
"""All metrics of the room."""

register = METRICS.register

_KEYS = ["unit_id", "item_id"]


def list_length(cutoffs: Sequence[int]) -> int:
    """Return how long a ranking must be to be scored at these cutoffs.

    Tied items share their mean rank, so a tie from place 1 to ``2c - 1`` stands at the cutoff
    ``c``. A shorter list would hold some of its items and not others, by the luck of their order.

    Example:
        >>> list_length([10, 20])
        39
    """
    return 2 * max(cutoffs) - 1


def score_units(
    ranking: Ranking,
    truth: pl.DataFrame,
    membership: pl.DataFrame,
    metrics: Sequence[str],
    cutoffs: Sequence[int],
) -> pl.DataFrame:
    """Score every unit, on all its answers and on the answers of each slice.

    A slice's value judges the same full ranking by the answers that lie in the slice alone; items
    outside it, other answers too, count as misses. A unit without an answer in a slice has no value
    there. An answer that the ranking does not hold scores 0, so the ranking should be as long as
    :func:`list_length` says.

    Args:
        ranking: The best items of every unit.
        truth: Columns ``unit_id``, ``item_id``, ``grade`` (gain, above 0).
        membership: Columns ``unit_id``, ``item_id``, ``slice``: the slices of each answer, ``all``
            among them. Rows about anything but answers are ignored.
        metrics: Registered names.
        cutoffs: List lengths, at least 1.

    Returns:
        Columns ``unit_id``, ``metric``, ``cutoff`` (Int64), ``slice``, ``value``; sorted by metric
        and cutoff as given, then slice and unit.

    Raises:
        UnknownNameError: If a metric does not exist.
        InputError: If an answer is listed twice, in the truth, the ranking or one slice.
    """
    places = _places(ranking, truth, membership)
    unit_rows = places.select("slice", "unit_id").unique(maintain_order=True)
    hits = Hits(
        unit=places.select(pl.struct("slice", "unit_id").rle_id()).to_series().to_numpy(),
        gain=places["grade"].to_numpy(),
        rank=places["rank"].to_numpy(),
        n_units=unit_rows.height,
    )
    scored = [
        unit_rows.with_columns(
            pl.lit(name).alias("metric"),
            pl.lit(cutoff, dtype=pl.Int64).alias("cutoff"),
            pl.Series("value", METRICS.get(name)().score(hits, cutoff), dtype=pl.Float64),
        )
        for name in metrics
        for cutoff in cutoffs
    ]
    return pl.concat(scored).select("unit_id", "metric", "cutoff", "slice", "value")


def _places(ranking: Ranking, truth: pl.DataFrame, membership: pl.DataFrame) -> pl.DataFrame:
    """Put each slice's answers beside their ranks, sorted by slice, unit and falling gain."""
    listed = ranking.frame.join(truth, on=_KEYS, how="semi")
    members = membership.join(truth, on=_KEYS, how="semi")
    for where, frame, keys in (
        ("truth", truth, _KEYS),
        ("ranking", listed, _KEYS),
        ("slice membership", members, [*_KEYS, "slice"]),
    ):
        n_repeated = frame.height - frame.select(keys).unique().height
        if n_repeated:
            raise InputError(
                f"score_units: expected each unit's answer once in the {where}, got {n_repeated} "
                f"repeated row(s) by {', '.join(keys)}; remove the repeats first"
            )
    return (
        members.join(truth, on=_KEYS, how="inner")
        .join(listed.select(*_KEYS, "rank"), on=_KEYS, how="left")
        .with_columns(pl.col("rank").fill_null(float("inf")))
        .sort("slice", "unit_id", -pl.col("grade"), "item_id")
    )
