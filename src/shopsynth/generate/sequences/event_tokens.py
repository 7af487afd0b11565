"""Events as tokens: the gap before each, its type, the moment of the period; and back to events.

In: real histories. Out: integer arrays for a network, and from drawn tokens whole histories whose
times never fall and stay in the period.

A gap token says whether the event opens a session and about how long it came after the one before;
buckets are quantiles of the shop's own gaps. A drawn gap is an observed one of its bucket.
"""

from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from numpy.typing import NDArray

from shopsynth.generate._draws import Integers, Pool, size_bucket
from shopsynth.generate._histories import EventForm, Histories
from shopsynth.generate.sequences.event_types import EventTypes

_WITHIN_BUCKETS = 4
_BETWEEN_BUCKETS = 12
"""Most buckets of gaps inside a session and between sessions."""

_MOMENTS = 16
"""Parts of the period, with about as many events each."""

_DAY = 86_400_000_000
"""Microseconds. Sessions a day or more apart each take a time of day of their own."""

_TRIES = 8
"""Draws of a first time before one is taken from anywhere in the wanted period."""

FIRST = 0
"""The gap token of a history's first event."""


@dataclass(frozen=True)
class Tokens:
    """Histories for a network; all but ``offsets`` have one entry an event.

    Attributes:
        item: item_index.
        gap: Gap token: 0 first event, then gaps inside sessions, then gaps that open one.
        kind: Number of the event's type.
        moment: Part of the period in which the event lies.
        offsets: ``(n_users + 1,)``.
    """

    item: NDArray[np.int64]
    gap: NDArray[np.int64]
    kind: NDArray[np.int64]
    moment: NDArray[np.int64]
    offsets: NDArray[np.int64]

    @property
    def lengths(self) -> NDArray[np.int64]:
        """Each user's number of events, ``(n_users,)``."""
        return np.diff(self.offsets)


@dataclass(frozen=True)
class EventTokens:
    """The vocabulary of a shop's events besides its items.

    Attributes:
        types: Event types.
        timed: Whether the shop has times, or only an order.
        n_gaps: Number of gap tokens.
        n_within: Of them those inside a session, numbered from 1.
        edges: Greatest gap of each bucket but the last, inside sessions and between them;
            microseconds.
        gaps: ``(n_gaps + 1,)`` pointers and observed gaps, rising in each bucket; microseconds.
        firsts: Times of first events, by bucket of history length.
        time_of_day: Times of day of session starts, one bucket; microseconds.
        moments: Last time of each part of the period but the last; microseconds since 1970.
        period: First and last time of the real events; microseconds since 1970.
    """

    types: EventTypes
    timed: bool
    n_gaps: int
    n_within: int
    edges: tuple[NDArray[np.int64], NDArray[np.int64]]
    gaps: Pool
    firsts: Pool
    time_of_day: Pool
    moments: NDArray[np.int64]
    period: tuple[int, int]

    @classmethod
    def fit(cls, form: EventForm, histories: Histories) -> Self:
        """Learn buckets and pools."""
        timed = "timestamp" in form.columns
        time = histories.time if timed else np.zeros_like(histories.time)
        later = histories.index > 0
        gap = np.diff(time, prepend=time[:1])
        inside = _edges(gap[later & ~histories.opens], _WITHIN_BUCKETS)
        between = _edges(gap[later & histories.opens], _BETWEEN_BUCKETS)
        n_within = inside.size + 1
        n_gaps = 1 + n_within + between.size + 1
        token = _gap_tokens(gap, histories.opens, later, (inside, between))
        bucket = size_bucket(histories.lengths)
        starts = time[histories.opens] % _DAY
        return cls(
            types=EventTypes.fit(form, histories),
            timed=timed,
            n_gaps=n_gaps,
            n_within=n_within,
            edges=(inside, between),
            gaps=Pool.of(token[later], gap[later], n_gaps),
            firsts=Pool.of(bucket, time[histories.offsets[:-1]], int(bucket.max()) + 1),
            time_of_day=Pool.of(np.zeros_like(starts), starts, 1),
            moments=_edges(time, _MOMENTS),
            period=(int(time.min()), int(time.max())),
        )

    def encode(self, histories: Histories) -> Tokens:
        """Turn histories of this shop into tokens."""
        time = histories.time if self.timed else np.zeros_like(histories.time)
        gap = np.diff(time, prepend=time[:1])
        return Tokens(
            item=histories.item.astype(np.int64),
            gap=_gap_tokens(gap, histories.opens, histories.index > 0, self.edges),
            kind=self.types.number[histories.row],
            moment=self.moment_of(time),
            offsets=histories.offsets,
        )

    @property
    def n_moments(self) -> int:
        """Number of parts of the period."""
        return self.moments.size + 1

    def moment_of(self, time: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the part of the period in which times lie."""
        return np.searchsorted(self.moments, time)

    def opens(self, gap: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Say which gap tokens open a session."""
        opens: NDArray[np.bool_] = (gap == FIRST) | (gap > self.n_within)
        return opens

    def first_times(
        self, lengths: Integers, period: tuple[int, int], random: np.random.Generator
    ) -> NDArray[np.int64]:
        """Draw when histories of given lengths ``(n,)`` begin.

        Args:
            lengths: Events of each history.
            period: Bounds within :attr:`period`; a time outside is drawn anew, then moved inside.
            random: Source of randomness.
        """
        bucket = np.minimum(size_bucket(lengths), self.firsts.pointers.size - 2)
        time = self.firsts.draw(bucket, random)
        for _ in range(_TRIES):
            out = np.flatnonzero((time < period[0]) | (time > period[1]))
            time[out] = self.firsts.draw(bucket[out], random)
        out = np.flatnonzero((time < period[0]) | (time > period[1]))
        time[out] = random.integers(period[0], period[1], out.size, endpoint=True)
        return self._at_new_hours(time, np.full(time.size, period[0]), period[1], random)

    def possible(self, time: NDArray[np.int64], end: int) -> NDArray[np.bool_]:
        """Say which gaps lead from times ``(n,)`` to no later than ``end``: ``(n, n_gaps)``.

        A gap token nobody had is impossible; where none is possible, the shortest are.
        """
        low, high = self.gaps.pointers[:-1], self.gaps.pointers[1:]
        shortest = np.full(self.n_gaps, np.iinfo(np.int64).max)
        shortest[high > low] = self.gaps.values[low[high > low]]
        possible: NDArray[np.bool_] = shortest <= (end - time)[:, None]
        possible[~possible.any(axis=1)] = shortest == shortest.min()
        return possible

    def next_times(
        self,
        time: NDArray[np.int64],
        gap: NDArray[np.int64],
        end: int,
        random: np.random.Generator,
    ) -> NDArray[np.int64]:
        """Draw the times of next events.

        Args:
            time: ``(n,)`` times of the events before.
            gap: ``(n,)`` gap tokens, none of them ``FIRST``.
            end: Last time that may be drawn.
            random: Source of randomness.
        """
        if not self.timed:
            return time
        left = end - time
        # One rising array of all buckets, so that one search finds the last gap that fits.
        span = max(int(self.gaps.values.max(initial=0)), int(left.max(initial=0))) + 1
        bucket = np.repeat(np.arange(self.n_gaps), np.diff(self.gaps.pointers))
        low = self.gaps.pointers[gap]
        high = np.searchsorted(bucket * span + self.gaps.values, gap * span + left, side="right")
        fits = high > low
        drawn = np.zeros(time.size, dtype=np.int64)
        place = low[fits] + (random.random(time.size)[fits] * (high - low)[fits]).astype(np.int64)
        drawn[fits] = self.gaps.values[place]
        arrived = time + drawn
        far = self.opens(gap) & (drawn >= _DAY)
        arrived[far] = self._at_new_hours(arrived[far], time[far], end, random)
        return arrived

    def _at_new_hours(
        self,
        time: NDArray[np.int64],
        earliest: NDArray[np.int64],
        latest: int,
        random: np.random.Generator,
    ) -> NDArray[np.int64]:
        """Give times another time of day, unless that leaves what is allowed."""
        if not self.timed:
            return time
        moved = time - time % _DAY + self.time_of_day.draw(np.zeros_like(time), random)
        return np.where((moved >= earliest) & (moved <= latest), moved, time)

    def decode(
        self,
        tokens: Tokens,
        random: np.random.Generator,
        *,
        time: NDArray[np.int64] | None = None,
    ) -> Histories:
        """Turn drawn tokens into histories, with times and rows to carry.

        Args:
            tokens: Drawn histories; ``moment`` is not read.
            random: Source of randomness.
            time: ``(n_events,)`` times where they were drawn along the way; else they are drawn
                here. A gap that leads out of the period becomes the longest of its bucket that does
                not, or none.
        """
        histories = Histories(
            item=tokens.item.astype(np.int32),
            time=np.zeros(tokens.item.size, dtype=np.int64),
            opens=self.opens(tokens.gap),
            row=self.types.rows_of(tokens.item, tokens.kind, random),
            offsets=tokens.offsets,
        )
        return replace(histories, time=self._times(tokens, random) if time is None else time)

    def _times(self, tokens: Tokens, random: np.random.Generator) -> NDArray[np.int64]:
        time = np.zeros(tokens.item.size, dtype=np.int64)
        lengths, starts = tokens.lengths, tokens.offsets[:-1]
        time[starts] = self.first_times(lengths, self.period, random)
        longest_first = np.argsort(-lengths, kind="stable")
        for index in range(1, int(lengths.max(initial=0))):
            place = starts[longest_first[: np.count_nonzero(lengths > index)]] + index
            time[place] = self.next_times(
                time[place - 1], tokens.gap[place], self.period[1], random
            )
        return time


def _edges(values: NDArray[np.int64], n_buckets: int) -> NDArray[np.int64]:
    """Return the greatest value of each bucket but the last; fewer where many values are equal."""
    if values.size == 0:
        return np.empty(0, dtype=np.int64)
    shares = np.arange(1, n_buckets) / n_buckets
    edges = np.unique(np.quantile(values, shares, method="inverted_cdf"))
    inner: NDArray[np.int64] = edges[edges < values.max()].astype(np.int64)
    return inner


def _gap_tokens(
    gap: NDArray[np.int64],
    opens: NDArray[np.bool_],
    later: NDArray[np.bool_],
    edges: tuple[NDArray[np.int64], NDArray[np.int64]],
) -> NDArray[np.int64]:
    inside, between = edges
    within = 1 + np.searchsorted(inside, gap)
    opening = 1 + inside.size + 1 + np.searchsorted(between, gap)
    return np.where(later, np.where(opens, opening, within), FIRST)
