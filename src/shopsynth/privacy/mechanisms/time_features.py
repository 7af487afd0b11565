"""Features of time: when people begin, how sessions cut a history, how long they stay away.

In: protected events with times or session ids, and public bins. Out: user numbers and cells.
"""

from dataclasses import dataclass

import numpy as np

from shopsynth.privacy.mechanisms.features import Pairs, feature
from shopsynth.privacy.mechanisms.walks import Walk, binned
from shopsynth.schema import Dataset


@feature
@dataclass(frozen=True)
class FirstTime:
    """When a user began: one cell a user, ``length bin * n_times + time bin``.

    Attributes:
        period: First and last moment, microseconds since 1970; what lies outside falls into the
            first or last bin.
        n_times: Bins of equal width in the period.
        bounds: First length of each bin of history lengths.
    """

    period: tuple[int, int]
    n_times: int
    bounds: tuple[int, ...]
    name: str = "time of the first event"

    @property
    def n_cells(self) -> int:
        """Length bins times time bins."""
        return len(self.bounds) * self.n_times

    def pairs(self, rows: Dataset) -> Pairs:
        """Give each user's bins."""
        walk = Walk.of(rows, "timestamp")
        low, high = self.period
        first = np.clip(walk.time[walk.first], low, high) - low
        # In float64: bins times microseconds of centuries would leave 64 bits.
        when = np.minimum((first / (high - low) * self.n_times).astype(np.int64), self.n_times - 1)
        cell = binned(walk.lengths, self.bounds) * self.n_times + when
        return np.arange(walk.lengths.size), cell


@feature
@dataclass(frozen=True)
class SessionOpening:
    """Whether a user's next event opens a session (odd) or goes on (even), by the size so far.

    Attributes:
        bounds: First size of each bin of the session's number of events so far, from 1.
    """

    bounds: tuple[int, ...]
    name: str = "opening of sessions"

    @property
    def n_cells(self) -> int:
        """Two a bin."""
        return 2 * len(self.bounds)

    def pairs(self, rows: Dataset) -> Pairs:
        """Give each event but a user's first."""
        walk = Walk.of(rows, "session_id", "timestamp")
        opens, place = walk.opens, np.arange(walk.user.size)
        start = np.maximum.accumulate(np.where(opens, place, 0))
        later = np.flatnonzero(~walk.first)
        size = (place - start + 1)[later - 1]
        return walk.user[later], 2 * binned(size, self.bounds) + opens[later]


@feature
@dataclass(frozen=True)
class SessionGap:
    """The way to a user's next session, ``length bin * n_ways + way``.

    The first ways are pauses, in microseconds; the others, for all that take as long as the last
    bound of pauses or longer, are shares of the time that was left in the period.

    Attributes:
        period_end: Last moment of the public period, microseconds since 1970.
        pauses: First pause of each bin, from 0, and the end of the last one.
        jumps: First share of each bin, from 0.
        bounds: First length of each bin of history lengths.
    """

    period_end: int
    pauses: tuple[int, ...]
    jumps: tuple[float, ...]
    bounds: tuple[int, ...]
    name: str = "way between sessions"

    @property
    def n_ways(self) -> int:
        """Bins of pauses and of jumps."""
        return len(self.pauses) - 1 + len(self.jumps)

    @property
    def n_cells(self) -> int:
        """Length bins times ways."""
        return len(self.bounds) * self.n_ways

    def pairs(self, rows: Dataset) -> Pairs:
        """Give each session but a user's first."""
        walk = Walk.of(rows, "session_id", "timestamp")
        start = np.flatnonzero(walk.opens & ~walk.first)
        before = walk.time[start - 1]
        gap = walk.time[start] - before
        jump = np.minimum(gap / np.maximum(self.period_end - before, 1), 1.0)
        n_pauses = len(self.pauses) - 1
        way = np.where(
            gap < self.pauses[-1],
            binned(gap, self.pauses[:-1]),
            n_pauses + binned(jump, self.jumps),
        )
        length = binned(walk.lengths, self.bounds)[walk.user[start]]
        return walk.user[start], length * self.n_ways + way


@feature
@dataclass(frozen=True)
class GapWithin:
    """Time between neighbouring events of one session.

    Attributes:
        bounds: First gap of each bin, microseconds, from 0.
    """

    bounds: tuple[int, ...]
    name: str = "gap within a session"

    @property
    def n_cells(self) -> int:
        """One a bin."""
        return len(self.bounds)

    def pairs(self, rows: Dataset) -> Pairs:
        """Give each event that opens no session."""
        walk = Walk.of(rows, "session_id", "timestamp")
        inner = np.flatnonzero(~walk.opens)
        return walk.user[inner], binned(walk.time[inner] - walk.time[inner - 1], self.bounds)


@feature
@dataclass(frozen=True)
class HourOfDay:
    """The hour, in UTC, at which each session begins."""

    name: str = "hour of day"

    @property
    def n_cells(self) -> int:
        """One an hour."""
        return 24

    def pairs(self, rows: Dataset) -> Pairs:
        """Give each session."""
        walk = Walk.of(rows, "session_id", "timestamp")
        return walk.user[walk.opens], walk.time[walk.opens] // 3_600_000_000 % 24
