"""Figures about when and how much: lengths, sessions, gaps, hours, days of the week.

In: reference and compared histories. Out: one number a figure.
"""

import numpy as np

from shopsynth.evaluate.fidelity.base import Behaviour, Figure
from shopsynth.evaluate.fidelity.distances import kolmogorov_smirnov, total_variation
from shopsynth.evaluate.histories import Histories

_QUANTILES = (0.25, 0.5, 0.75)
"""Of real lengths and gaps, at which users are cut into cells."""

_N_CELLS = 2 * len(_QUANTILES) + 1
"""Of each: what lies between two quantiles, and what is one, as whole days and short histories
often are."""

_GAP_BITS = 32
"""Of a gap in seconds: 136 years."""

_US_PER_DAY = 86_400_000_000

_EPOCH_WEEKDAY = 3
"""1 January 1970 was a Thursday, the fourth day from Monday."""


def weekdays(histories: Histories) -> np.ndarray:
    """Return the day of the week of each event, UTC, 0 is Monday; empty without times."""
    if histories.time_us is None:
        return np.empty(0, dtype=np.int64)
    return np.asarray((histories.time_us // _US_PER_DAY + _EPOCH_WEEKDAY) % 7)


def median_gaps(histories: Histories) -> np.ndarray:
    """Return the lower median of the seconds between each user's events, shape ``(users,)``.

    NaN for users with one event.
    """
    if histories.time_us is None:
        return np.full(histories.n_users, np.nan)
    user = histories.user[1:][histories.user[1:] == histories.user[:-1]]
    gaps = (histories.gaps_days() * 86_400).astype(np.int64)
    # User and gap in one number, as sorting numbers is several times faster than sorting pairs.
    ordered = np.sort((user << _GAP_BITS) | np.minimum(gaps, 2**_GAP_BITS - 1))
    n_gaps = np.bincount(user, minlength=histories.n_users)
    middle = np.cumsum(n_gaps) - n_gaps + (n_gaps - 1) // 2
    medians = np.full(histories.n_users, np.nan)
    medians[n_gaps > 0] = ordered[middle[n_gaps > 0]] & (2**_GAP_BITS - 1)
    return medians


def _seasons(real: Behaviour, made: Behaviour) -> float:
    """Compare the mean day on which each item sells, by how often both sides sell it.

    NaN where no item is sold on both sides.
    """
    if real.histories.time_us is None or made.histories.time_us is None:
        return float("nan")
    sides = (real.histories, real.histories.time_us), (made.histories, made.histories.time_us)
    days, counts = zip(*(_mean_days(*side) for side in sides), strict=True)
    weight = np.minimum(*counts)
    if not weight.any():
        return float("nan")
    return float(np.abs(days[0] - days[1]) @ weight / weight.sum())


def _mean_days(histories: Histories, time_us: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return each item's mean day, 0 where it is not sold, and its number of events."""
    counts = histories.counts()
    days = time_us / _US_PER_DAY
    summed = np.bincount(histories.item, weights=days, minlength=histories.n_items)
    return summed / np.maximum(counts, 1), counts


def _lengths(real: Behaviour, made: Behaviour) -> float:
    return kolmogorov_smirnov(real.histories.lengths(), made.histories.lengths())


def _session_lengths(real: Behaviour, made: Behaviour) -> float:
    return kolmogorov_smirnov(np.bincount(real.session), np.bincount(made.session))


def _gaps(real: Behaviour, made: Behaviour) -> float:
    return kolmogorov_smirnov(real.histories.gaps_days(), made.histories.gaps_days())


def _gaps_between_sessions(real: Behaviour, made: Behaviour) -> float:
    """Compare the time from the last event of a session to the first of the user's next one."""
    return kolmogorov_smirnov(*(_between(side) for side in (real, made)))


def _between(side: Behaviour) -> np.ndarray:
    user = side.histories.user
    return np.asarray(side.histories.gaps_days()[side.opens[1:][user[1:] == user[:-1]]])


def _hours(real: Behaviour, made: Behaviour) -> float:
    return _of_classes(real.histories.hours(), made.histories.hours(), 24)


def _weekdays(real: Behaviour, made: Behaviour) -> float:
    return _of_classes(weekdays(real.histories), weekdays(made.histories), 7)


def _of_classes(a: np.ndarray, b: np.ndarray, n: int) -> float:
    return total_variation(np.bincount(a, minlength=n), np.bincount(b, minlength=n))


def _length_and_rhythm(real: Behaviour, made: Behaviour) -> float:
    """Compare how many users are in each cell of length × median gap, cut at real quantiles."""
    lengths, gaps = real.histories.lengths(), median_gaps(real.histories)
    known = gaps[~np.isnan(gaps)]
    counts = []
    for side in (real.histories, made.histories):
        gap = median_gaps(side)
        # The last column holds users with one event: they have no gap.
        column = np.where(np.isnan(gap), _N_CELLS, _cells(known, gap))
        cell = _cells(lengths, side.lengths()) * (_N_CELLS + 1) + column
        counts.append(np.bincount(cell, minlength=_N_CELLS * (_N_CELLS + 1)))
    return total_variation(*counts)


def _cells(real: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Tell how many quantiles of the real values are below each value, and how many up to it."""
    if not real.size:
        return np.zeros(values.size, dtype=np.int64)
    edges = np.quantile(real, _QUANTILES)
    return np.searchsorted(edges, values, "left") + np.searchsorted(edges, values, "right")


_TIMES = frozenset({"times"})

FIGURES = (
    Figure("history length: Kolmogorov-Smirnov distance (0 is best)", _lengths),
    Figure(
        "events of a session: Kolmogorov-Smirnov distance (0 is best)",
        _session_lengths,
        frozenset({"sessions"}),
    ),
    Figure("days between events: Kolmogorov-Smirnov distance (0 is best)", _gaps, _TIMES),
    Figure("when an item sells: mean difference in days (0 is best)", _seasons, _TIMES),
    Figure(
        "days between sessions: Kolmogorov-Smirnov distance (0 is best)",
        _gaps_between_sessions,
        _TIMES,
    ),
    Figure("history length and rhythm together: total variation (0 is best)",
           _length_and_rhythm, _TIMES),
    Figure("hour of day: total variation (0 is best)", _hours, frozenset({"hours"})),
    Figure("day of the week: total variation (0 is best)", _weekdays, frozenset({"weekdays"})),
)  # fmt: skip
