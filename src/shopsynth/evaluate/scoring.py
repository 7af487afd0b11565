"""How a ranking is turned into one value a unit, for metrics of every kind.

In: a :class:`Ranking`, the real answers and the slices they belong to. Out: tidy per-unit values.

Metrics are asked slice by slice: what is no mean over units (coverage, AUROC) is a figure of the
units of one slice, and its per-unit values hold within that slice alone.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from shopsynth.evaluate.base import METRICS, Classes, Hits, Kind, Lists, Pairs
from shopsynth.schema import InputError, Ranking

SCORE_COLUMNS = {
    "unit_id": pl.String(),
    "metric": pl.String(),
    "cutoff": pl.Int64(),
    "slice": pl.String(),
    "value": pl.Float64(),
}

_KEYS = ["unit_id", "item_id"]
_UNIT_KEYS = ["slice", "unit_id"]


@dataclass(frozen=True)
class _Panel:
    """Units that are judged together.

    Attributes:
        rows: Columns ``slice``, ``unit_id``, in the order of the units' numbers.
        evidence: What the metrics of one kind are shown about these units.
    """

    rows: pl.DataFrame
    evidence: Any


def list_length(cutoffs: Sequence[int]) -> int:
    """Return how long a ranking must be to be scored at these cutoffs.

    Tied items share their mean rank, so a tie from place 1 to ``2c - 1`` stands at the cutoff
    ``c``. A shorter list would hold some of its items and not others, by the luck of their order.

    Example:
        >>> list_length([10, 20])
        39
    """
    return 2 * max(cutoffs) - 1


def metric_cutoffs(metric: str, cutoffs: Sequence[int]) -> Sequence[int]:
    """Return the cutoffs at which a metric is told: 0 alone for pairs and classes, without lists.

    Raises:
        UnknownNameError: If the metric does not exist.

    Example:
        >>> metric_cutoffs("ndcg", [10, 20]), metric_cutoffs("auroc", [10, 20])
        ([10, 20], [0])
    """
    return [0] if METRICS.get(metric).kind in ("pairs", "classes") else cutoffs


def count_catalogue(items: pl.DataFrame, events: pl.DataFrame) -> pl.DataFrame:
    """Count the training events of every item, as list metrics want to know them.

    Args:
        items: Every item that can be listed: column ``item_id``.
        events: Real training rows, the same for every arm: column ``item_id``. What an arm adds to
            them must not make its own items look well known.

    Returns:
        Columns ``item_id``, ``n_events`` (Int64), in the order of ``items``.
    """
    counts = events.group_by("item_id").agg(pl.len().cast(pl.Int64).alias("n_events"))
    return (
        items.select("item_id")
        .join(counts, on="item_id", how="left", maintain_order="left")
        .with_columns(pl.col("n_events").fill_null(0))
    )


def score_units(
    ranking: Ranking,
    truth: pl.DataFrame,
    membership: pl.DataFrame,
    metrics: Sequence[str],
    cutoffs: Sequence[int],
    *,
    catalogue: pl.DataFrame | None = None,
    threshold: float = 0.5,
) -> pl.DataFrame:
    """Score every unit, on all its answers and on the answers of each slice.

    *Ranking metrics* in a slice judge the same full ranking by the answers that lie in the slice
    alone; items outside it, other answers too, count as misses. A unit without an answer in a slice
    has no value there. An answer that the ranking does not hold scores 0, so the ranking should be
    as long as :func:`list_length` says.

    *List metrics* look at the whole lists of the units that have an answer in the slice.

    *Pair metrics* take the ranking's score as the prediction for the unit's one pair, and have
    cutoff 0. In a slice whose labels leave such a metric undefined it has no rows.

    *Class metrics* take what stands first of a unit as the class that is said of it, and have
    cutoff 0. Classes are those that are true of some unit of the slice.

    Args:
        ranking: The best items of every unit, or the prediction for every pair.
        truth: Columns ``unit_id``, ``item_id``, ``grade``: the gain, above 0, or a pair's label.
        membership: Columns ``unit_id``, ``item_id``, ``slice``: the slices of each answer, ``all``
            among them. Rows about anything but answers are ignored.
        metrics: Registered names.
        cutoffs: List lengths, at least 1.
        catalogue: Of :func:`count_catalogue`; list metrics need it.
        threshold: Predictions from here on say yes.

    Returns:
        Columns of ``SCORE_COLUMNS``, sorted by metric and cutoff as given, then slice and unit.

    Raises:
        UnknownNameError: If a metric does not exist.
        InputError: If an answer is listed twice, in the truth, the ranking or one slice; if a gain
            is not above 0; if the catalogue is missing or lacks a listed item; if a pair lacks its
            prediction; if a pair metric is undefined in every slice.
    """
    members = _members(truth, membership)
    makers: dict[Kind, Callable[[], list[_Panel]]] = {
        "ranking": lambda: _hits(members, ranking),
        "list": lambda: _lists(members, ranking, catalogue),
        "pairs": lambda: _pairs(members, ranking, threshold),
        "classes": lambda: _classes(members, ranking),
    }
    panels: dict[Kind, list[_Panel]] = {}
    scored = [pl.DataFrame(schema=SCORE_COLUMNS)]
    for name in metrics:
        metric = METRICS.get(name)()
        if metric.kind not in panels:
            panels[metric.kind] = makers[metric.kind]()
        for cutoff in metric_cutoffs(name, cutoffs):
            found = [
                _as_rows(panel, name, cutoff, metric.score(panel.evidence, cutoff))
                for panel in panels[metric.kind]
            ]
            if members.height and not any(each.height for each in found):
                raise InputError(
                    f"metric {name}: the labels of {members.height} pair(s) leave it undefined in "
                    "every slice (expected both yes and no among them); judge by another metric"
                )
            scored += found
    return pl.concat(scored)


def _as_rows(panel: _Panel, name: str, cutoff: int, values: np.ndarray) -> pl.DataFrame:
    """Put a panel's values into rows; none if the metric is undefined there."""
    rows = panel.rows.with_columns(
        pl.lit(name).alias("metric"),
        pl.lit(cutoff, dtype=pl.Int64).alias("cutoff"),
        pl.Series("value", values, dtype=pl.Float64),
    )
    return (rows.clear() if np.isnan(values).all() else rows).select(list(SCORE_COLUMNS))


def _members(truth: pl.DataFrame, membership: pl.DataFrame) -> pl.DataFrame:
    """Put each slice's answers beside their grades, sorted by slice, unit and falling grade."""
    _refuse_repeats("truth", truth, _KEYS)
    members = membership.join(truth, on=_KEYS, how="inner")
    _refuse_repeats("slice membership", members, [*_KEYS, "slice"])
    return members.sort("slice", "unit_id", -pl.col("grade"), "item_id")


def _refuse_repeats(where: str, frame: pl.DataFrame, keys: list[str]) -> None:
    _refuse(where, frame.height - frame.select(keys).unique().height, keys)


def _refuse(where: str, n_repeated: int, keys: list[str]) -> None:
    if n_repeated:
        raise InputError(
            f"score_units: expected each unit's item once in the {where}, got {n_repeated} "
            f"repeated row(s) by {', '.join(keys)}; remove the repeats first"
        )


def _by_slice(members: pl.DataFrame) -> list[pl.DataFrame]:
    return members.partition_by("slice", maintain_order=True)


# ---- evidence ------------------------------------------------------------------------------------


def _hits(members: pl.DataFrame, ranking: Ranking) -> list[_Panel]:
    """Show every answer with its place; units of all slices at once, as each stands alone."""
    n_worthless = members.filter(~(pl.col("grade") > 0)).height
    if n_worthless:
        raise InputError(
            f"score_units: expected gains above 0 in the truth, got {n_worthless} other row(s); a "
            "ranking metric's truth lists answers only, so leave what is no answer out"
        )
    listed = ranking.frame.join(members, on=_KEYS, how="semi")
    _refuse_repeats("ranking", listed, _KEYS)
    places = members.join(
        listed.select(*_KEYS, "rank"), on=_KEYS, how="left", maintain_order="left"
    )
    rows = places.select(_UNIT_KEYS).unique(maintain_order=True)
    hits = Hits(
        unit=places.select(pl.struct(_UNIT_KEYS).rle_id()).to_series().to_numpy(),
        gain=places["grade"].to_numpy(),
        rank=places["rank"].fill_null(float("inf")).to_numpy(),
        n_units=rows.height,
    )
    return [_Panel(rows, hits)]


def _lists(members: pl.DataFrame, ranking: Ranking, catalogue: pl.DataFrame | None) -> list[_Panel]:
    """Show the lists of every slice's units, with the catalogue they were drawn from."""
    if catalogue is None:
        raise InputError(
            "score_units: metrics of lists (novelty, coverage, gini) need to know every item that "
            "could have been listed, got no catalogue; pass catalogue=count_catalogue(items, "
            "train_events)"
        )
    units = members.select(pl.col("unit_id").unique().sort()).with_row_index("unit")
    numbers = catalogue.select("item_id", "n_events").with_row_index("item")
    listed = (
        ranking.frame.join(units, on="unit_id", how="inner")
        .join(numbers.select("item_id", "item"), on="item_id", how="left")
        .select(pl.col("unit", "item").cast(pl.Int64), "rank")
    )
    n_unknown = listed["item"].null_count()
    if n_unknown:
        raise InputError(
            f"score_units: expected every listed item in the catalogue, got {n_unknown} row(s) of "
            "the ranking about other items; count the catalogue that was ranked"
        )
    unit, item, rank = (listed[column].to_numpy() for column in listed.columns)
    key = unit * catalogue.height + item
    order = np.argsort(key)
    _refuse("ranking", int(np.count_nonzero(np.diff(key[order]) == 0)), _KEYS)
    unit, item, rank = unit[order], item[order], rank[order]
    panels = []
    for part in _by_slice(members):
        rows = part.select(_UNIT_KEYS).unique(maintain_order=True)
        number = np.full(units.height, -1)
        asked = rows.join(units, on="unit_id", how="left", maintain_order="left")["unit"]
        number[asked.to_numpy()] = np.arange(rows.height)
        mine = number[unit] >= 0
        panels.append(
            _Panel(
                rows,
                Lists(
                    unit=number[unit[mine]],
                    item=item[mine],
                    rank=rank[mine],
                    n_units=rows.height,
                    n_events=numbers["n_events"].to_numpy(),
                ),
            )
        )
    return panels


def _pairs(members: pl.DataFrame, ranking: Ranking, threshold: float) -> list[_Panel]:
    """Show every slice's pairs: the label and what was predicted."""
    _refuse_repeats("truth (a pair metric asks each unit about one pair)", members, _UNIT_KEYS)
    predicted = ranking.frame.join(members, on=_KEYS, how="semi")
    _refuse_repeats("ranking", predicted, _KEYS)
    placed = members.join(
        predicted.select(*_KEYS, "score"), on=_KEYS, how="left", maintain_order="left"
    ).with_columns(pl.col("score").cast(pl.Float64))
    for column, what in (("score", "prediction"), ("grade", "label")):
        n_missing = placed.filter(~pl.col(column).is_finite().fill_null(value=False)).height
        if n_missing:
            raise InputError(
                f"score_units: expected a finite {what} for each of {placed.height} pair(s), got "
                f"{n_missing} without; a pair that is left out cannot be judged"
            )
    return [
        _Panel(
            part.select(_UNIT_KEYS),
            Pairs(part["grade"].to_numpy(), part["score"].to_numpy(), threshold),
        )
        for part in _by_slice(placed)
    ]


def _classes(members: pl.DataFrame, ranking: Ranking) -> list[_Panel]:
    """Show every slice's units: the true class, and the classes that share the first place.

    A tie of ``n`` classes from the first place on has the mean rank ``(n + 1) / 2``, which tells
    their number even where the ranking was cut short.
    """
    _refuse_repeats("truth (a class metric asks for the one class of a unit)", members, _UNIT_KEYS)
    asked = ranking.frame.join(members, on="unit_id", how="semi")
    _refuse_repeats("ranking", asked, _KEYS)
    first = asked.filter(pl.col("rank") == pl.col("rank").min().over("unit_id")).select(
        "unit_id", "item_id", (1.0 / (2.0 * pl.col("rank") - 1.0)).alias("share")
    )
    panels = []
    for part in _by_slice(members):
        known = part.select(pl.col("item_id").unique().sort()).with_row_index("class")
        truth = part.join(known, on="item_id", how="left", maintain_order="left")["class"]
        votes = (
            part.select(_UNIT_KEYS)
            .with_row_index("unit")
            .join(first, on="unit_id", how="inner")
            .join(known, on="item_id", how="left")
            .sort("unit", "item_id")
            .select(pl.col("unit", "class").cast(pl.Int64).fill_null(-1), "share")
        )
        shown = Classes(
            truth.cast(pl.Int64).to_numpy(), *(votes[name].to_numpy() for name in votes.columns)
        )
        panels.append(_Panel(part.select(_UNIT_KEYS), shown))
    return panels
