"""The rhythm of a shop from noisy answers.

In: answers to the questions of time. Out: a :class:`Timing` that samples like one of real rows.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from shopsynth.generate._calendar import DAY
from shopsynth.generate._denoise import row_shares, shares
from shopsynth.generate._draws import Floats, Pool
from shopsynth.generate._private_plan import (
    GAPS,
    JUMPS,
    N_TIMES,
    PAUSES,
    Answer,
    PrivatePlan,
    doubling,
)
from shopsynth.generate._timing import Timing

_POINTS = 2000
"""Values that stand for a distribution; a share below .05 % is not heard."""

_LONGEST_JUMP = 1 - 1e-6
_HOURS = tuple(3_600_000_000 * hour for hour in range(25))


def private_timing(plan: PrivatePlan, answers: dict[str, Answer]) -> Timing:
    """Rebuild the rhythm: within a bin all values are taken to be alike.

    Args:
        plan: What was asked.
        answers: By name.

    Returns:
        Buckets of history lengths as :meth:`Timing.fit` makes them. A shop without times has no
        pools, and one without sessions has one session a user.
    """
    n_buckets = len(doubling(plan.max_events))
    opening = np.zeros((n_buckets, 2))
    if "openings" in answers:
        opened = _opening_shares(answers["openings"])
        opening = np.tile(np.concatenate(([1.0], opened)), (n_buckets, 1))
    if plan.period is None:
        nothing = Pool(np.zeros(n_buckets + 1, dtype=np.int64), np.zeros(0, dtype=np.int64))
        none = np.zeros(0, np.int64)
        still = np.array([0.0, 1.0])
        return Timing(
            opening=opening,
            first=nothing,
            ways=nothing,
            pause=none,
            jump=np.zeros(0),
            within=nothing,
            time_of_day=nothing,
            clock=still,
            most_to_come=np.zeros(n_buckets, np.int64),
            period=(0, 0),
        )
    pause, jump = _ways(answers["ways"], n_buckets)
    gap = spread(_uniform_shares(answers["gaps"]), (*GAPS, GAPS[-1]), _POINTS)
    times = row_shares(*_table(answers["first_times"], n_buckets), np.ones(N_TIMES))
    edges = np.linspace(*plan.period, N_TIMES + 1)
    return Timing(
        opening=opening,
        first=_pool([spread(row, edges, _POINTS) for row in times]),
        ways=_pool([np.arange(_POINTS) + _POINTS * bucket for bucket in range(n_buckets)]),
        pause=pause,
        jump=jump,
        within=_pool([gap] * n_buckets),
        time_of_day=_pool([spread(_uniform_shares(answers["hours"]), _HOURS, _POINTS)]),
        clock=np.linspace(0, 1, plan.period[1] // DAY - plan.period[0] // DAY + 2),
        most_to_come=np.zeros(n_buckets, np.int64),
        period=plan.period,
    )


def spread(share: Floats, edges: Sequence[float] | Floats, n: int) -> NDArray[np.int64]:
    """Lay ``n`` values evenly through bins, so that each bin holds its share of them.

    Args:
        share: ``(n_bins,)``, summing to 1.
        edges: ``(n_bins + 1,)`` borders of the bins.
        n: Number of values.

    Returns:
        ``(n,)`` rising, rounded down.

    Example:
        >>> spread(np.array([0.5, 0.0, 0.5]), (1, 2, 3, 5), 4).tolist()
        [1, 1, 3, 4]
    """
    return np.floor(_quantiles(share, np.asarray(edges, dtype=np.float64), n)).astype(np.int64)


def _quantiles(share: Floats, edges: Floats, n: int) -> Floats:
    bin_, part = _bins_of(share, n)
    return edges[bin_] + part * (edges[bin_ + 1] - edges[bin_])


def _bins_of(share: Floats, n: int) -> tuple[NDArray[np.intp], Floats]:
    """Return the bin of each of ``n`` evenly spaced quantiles, and how far into it they are."""
    place = (np.arange(n) + 0.5) / n
    ends = np.cumsum(share)
    bin_ = np.minimum(np.searchsorted(ends, place, side="right"), np.flatnonzero(share)[-1])
    part = (place - (ends - share)[bin_]) / share[bin_]
    return bin_, np.clip(part, 0.0, np.nextafter(1.0, 0.0))


def _ways(answer: Answer, n_buckets: int) -> tuple[NDArray[np.int64], Floats]:
    n_pauses = len(PAUSES) - 1
    table = row_shares(*_table(answer, n_buckets), np.ones(n_pauses + len(JUMPS)))
    pause_low, pause_high = np.asarray(PAUSES[:-1]), np.asarray(PAUSES[1:])
    jump_low, jump_high = np.asarray(JUMPS), np.asarray((*JUMPS[1:], _LONGEST_JUMP))
    pauses, jumps = [], []
    for row in table:
        way, part = _bins_of(row, _POINTS)
        is_jump = way >= n_pauses
        low, high = (edge[np.minimum(way, n_pauses - 1)] for edge in (pause_low, pause_high))
        pauses.append(np.where(is_jump, 0, low + part * (high - low)).astype(np.int64))
        low, high = (edge[np.maximum(way - n_pauses, 0)] for edge in (jump_low, jump_high))
        jumps.append(np.where(is_jump, low + part * (high - low), 0.0))
    return np.concatenate(pauses), np.concatenate(jumps)


def _opening_shares(answer: Answer) -> Floats:
    table = answer.counts.reshape(-1, 2)
    opened: Floats = row_shares(table, answer.deviation, np.ones(2))[:, 1]
    return opened


def _table(answer: Answer, n_rows: int) -> tuple[Floats, float]:
    return answer.counts.reshape(n_rows, -1), answer.deviation


def _uniform_shares(answer: Answer) -> Floats:
    return shares(answer.counts, answer.deviation, np.ones(answer.counts.size))


def _pool(values: list[NDArray[np.int64]]) -> Pool:
    sizes = [part.size for part in values]
    return Pool(np.concatenate(([0], np.cumsum(sizes))), np.concatenate(values))
