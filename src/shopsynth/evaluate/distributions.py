"""What the report draws of popularity, history length, hour of day and gaps.

In: real and synthetic events. Out: shares by place, one row a point or bar.
"""

from itertools import pairwise

import numpy as np
import polars as pl

from shopsynth.evaluate.histories import Histories, shared_catalogue
from shopsynth.schema import EVALUATION_COLUMNS, REAL

_N_RANKS = 40
"""Points of the popularity curve: enough for a smooth line on a logarithmic axis."""

_LENGTH_EDGES = (1, 2, 3, 4, 5, 6, 8, 11, 16, 21, 31, 51, 101, 201, 501)
_GAP_EDGES_DAYS = (1 / 24, 1, 2, 4, 8, 15, 31, 61, 121, 366)
_GAP_LABELS = (
    "same moment", "under 1 h", "under 1 day", "1 day", "2-3 days", "4-7 days", "8-14 days",
    "15-30 days", "31-60 days", "61-120 days", "121-365 days", "over a year",
)  # fmt: skip

_Points = list[tuple[float, str, float]]


def describe_distributions(train: pl.DataFrame, synthetic: pl.DataFrame) -> pl.DataFrame:
    """Describe real and synthetic events side by side.

    Args:
        train: Real events.
        synthetic: Synthetic events; may be empty.

    Returns:
        Columns of ``EVALUATION_COLUMNS["distributions"]``; origins ``real`` and ``synthetic``;
        quantities ``popularity`` (position: rank of the item among its own origin's, share: of
        events), ``history_length`` (position: middle of the bin in events, share: of users) and,
        where there are times, ``hour_of_day`` (UTC, share of events) and ``gap_days`` (position:
        middle of the bin in days, share of neighbouring events).
    """
    catalogue = shared_catalogue([train, synthetic])
    rows = [
        (quantity, origin, *point)
        for origin, events in ((REAL, train), ("synthetic", synthetic))
        if events.height
        for quantity, points in _describe(Histories.encode(events, catalogue)).items()
        for point in points
    ]
    return pl.DataFrame(rows, schema=EVALUATION_COLUMNS["distributions"], orient="row").sort(
        "quantity", "origin", "position"
    )


def _describe(histories: Histories) -> dict[str, _Points]:
    described = {
        "popularity": _popularity(histories.counts()),
        "history_length": _history_length(histories.lengths()),
    }
    if histories.time_us is not None:
        described["hour_of_day"] = _hour_of_day(histories.hours())
        described["gap_days"] = _gap_days(histories.gaps_days())
    return described


def _popularity(counts: np.ndarray) -> _Points:
    falling = np.sort(counts[counts > 0])[::-1]
    ranks = np.unique(np.geomspace(1, falling.size, _N_RANKS).round().astype(np.int64))
    shares = falling[ranks - 1] / falling.sum()
    return [
        (float(rank), str(rank), float(share)) for rank, share in zip(ranks, shares, strict=True)
    ]


def _history_length(lengths: np.ndarray) -> _Points:
    shares = _binned(lengths, _LENGTH_EDGES)[1:]
    points = []
    for i, share in enumerate(shares):
        low = _LENGTH_EDGES[i]
        if i + 1 == len(_LENGTH_EDGES):
            points.append((float(low), f"over {low - 1}", float(share)))
            continue
        high = _LENGTH_EDGES[i + 1] - 1
        label = str(low) if low == high else f"{low}-{high}"
        points.append(((low + high) / 2, label, float(share)))
    return points


def _hour_of_day(hours: np.ndarray) -> _Points:
    shares = np.bincount(hours, minlength=24) / hours.size
    return [(float(hour), f"{hour:02d}:00", float(share)) for hour, share in enumerate(shares)]


def _gap_days(gaps: np.ndarray) -> _Points:
    if not gaps.size:
        return []
    at_once = float((gaps <= 0).mean())
    later = _binned(gaps[gaps > 0], _GAP_EDGES_DAYS) * (1 - at_once)
    edges = (0.0, *_GAP_EDGES_DAYS)
    middles = [(low + high) / 2 for low, high in pairwise(edges)]
    positions = [0.0, *middles, edges[-1]]
    shares = [at_once, *later.tolist()]
    return list(zip(positions, _GAP_LABELS, shares, strict=True))


def _binned(values: np.ndarray, edges: tuple[float, ...]) -> np.ndarray:
    """Share of values below the first edge, between edges, and from the last edge on."""
    places = np.searchsorted(np.asarray(edges), values, side="right")
    return np.asarray(np.bincount(places, minlength=len(edges) + 1) / max(1, values.size))
