"""What would go on after the data end is brought back inside.

In: times of visits, or of events in sessions, some of them after the end of a period. Out: times
that do not pile up at its last moment, as cutting them off would make them.
"""

import numpy as np
from numpy.typing import NDArray


def reflected(
    time: NDArray[np.int64], run: NDArray[np.int64], period: tuple[int, int]
) -> NDArray[np.int64]:
    """Move runs that end after the period as far before its end, so that nothing piles up there.

    Args:
        time: ``(n,)`` times, which rise within a run.
        run: ``(n,)`` rising numbers of the runs.
        period: First and last time.

    Example:
        >>> reflected(np.array([5, 8, 12, 6]), np.array([0, 0, 0, 2]), (0, 10)).tolist()
        [1, 4, 8, 6]
    """
    low, high = period
    over = np.clip(time[np.flatnonzero(np.diff(run, append=-1))] - high, 0, high - low)
    number = np.cumsum(np.diff(run, prepend=run[:1]) > 0)
    moved: NDArray[np.int64] = np.clip(time - 2 * over[number], low, high)
    return moved


def squeezed(
    elapsed: NDArray[np.int64], starts: NDArray[np.int64], room: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Shorten sessions that take longer than is left, so that nothing piles up at the end.

    Args:
        elapsed: ``(n_events,)`` time since the session's start.
        starts: ``(n_sessions,)`` first event of each.
        room: ``(n_sessions,)`` time that is left.

    Example:
        >>> long, short = [0, 10, 30], [0, 5]
        >>> squeezed(np.array(long + short), np.array([0, 3]), np.array([9, 9])).tolist()
        [0, 2, 6, 0, 5]
    """
    sizes = np.diff(np.append(starts, elapsed.size))
    total = elapsed[starts + sizes - 1]
    # The last event leaves as much behind it as there is between events.
    share = np.where(total > room, room * (1 - 1 / sizes) / np.maximum(total, 1), 1.0)
    shorter = (elapsed * np.repeat(share, sizes)).astype(np.int64)
    return np.where(np.repeat(total > room, sizes), shorter, elapsed)
