"""When things are bought: how sessions cut a history, and the times of its events.

In: real histories. Out: session starts and times for histories of given lengths.

Learned are shares and pools, by bucket of history length, not anyone's calendar: first dates, ways
between sessions, gaps inside them and times of day are drawn apart from each other.
"""

from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from numpy.typing import NDArray

from shopsynth.generate._calendar import DAY, rising
from shopsynth.generate._draws import Pool, size_bucket
from shopsynth.generate._histories import Histories
from shopsynth.generate._period_end import reflected, squeezed
from shopsynth.generate._seasons import Seasons

_LEAST = 1e-9
"""Of the clock, so that it never stands still and a jump can be told from a pause."""

_LONGEST_JUMP = 1 - 1e-6
"""A jump to the period's very end leaves a moment, so that its logarithm is finite."""


@dataclass(frozen=True)
class Timing:
    """The learned rhythm of a shop.

    The way from one session to the next is a pause if it takes less than a day, else a jump over a
    share of what was left of the period, to a later day: who comes late has less time to come back.
    Jumps are measured by the shop's own clock, which runs with its sessions: a sale's day is as
    long as a quiet week.

    Attributes:
        opening: ``(length bucket, session size bucket)`` probability that the next event opens a
            new session.
        first: Times of first events, by length bucket.
        ways: Places in ``pause`` and ``jump``, by length bucket and that of the sessions to
            come: who will come once more waits longer than who will come ten times.
        pause: ``(n_ways,)`` microseconds, 0 for a jump.
        jump: ``(n_ways,)`` share of the remaining time by ``clock``, 0 for a pause.
        within: Gaps between events of one session, by length bucket; microseconds.
        time_of_day: Times of day of session starts, one bucket; microseconds.
        clock: ``(n_days + 1,)`` share of all sessions before the start of each day.
        most_to_come: ``(n_length_buckets,)`` greatest bucket of sessions to come that is told
            apart; 0 where none are.
        period: First and last time of the real events; microseconds since 1970.
        seasons: When each item was sold; ``None`` in mode dp.
    """

    opening: NDArray[np.float64]
    first: Pool
    ways: Pool
    pause: NDArray[np.int64]
    jump: NDArray[np.float64]
    within: Pool
    time_of_day: Pool
    clock: NDArray[np.float64]
    most_to_come: NDArray[np.int64]
    period: tuple[int, int]
    seasons: Seasons | None = None

    @classmethod
    def fit(cls, histories: Histories, n_items: int) -> Self:
        """Learn from real histories, ``time`` in microseconds, of a catalogue of ``n_items``."""
        bucket = size_bucket(histories.lengths)[histories.user]
        n_buckets = int(bucket.max()) + 1
        opens, later = histories.opens, histories.index > 0
        gap = np.diff(histories.time, prepend=histories.time[:1])
        period = int(histories.time.min()), int(histories.time.max())
        between = later & opens
        pause = gap[between]
        is_jump = pause >= DAY
        starts = histories.time[opens]
        coming = size_bucket(_sessions_to_come(histories.user[opens]))[histories.index[opens] > 0]
        most_to_come = np.zeros(n_buckets, dtype=np.int64)
        np.maximum.at(most_to_come, bucket[between], coming)
        clock = _clock(starts, period)
        shares = _by_clock(clock, histories.time - period[0] // DAY * DAY)
        left = 1 - (shares - np.diff(shares, prepend=shares[:1]))[between]
        jump = np.diff(shares, prepend=shares[:1])[between] / np.maximum(left, _LEAST)
        return cls(
            opening=_opening(histories, bucket, n_buckets),
            first=Pool.of(bucket[~later], histories.time[~later], n_buckets),
            ways=Pool.of(
                _way_buckets(bucket[between], coming, most_to_come),
                np.arange(pause.size),
                n_buckets * (int(most_to_come.max()) + 1),
            ),
            pause=np.where(is_jump, 0, pause),
            jump=np.where(is_jump, np.clip(jump, _LEAST, _LONGEST_JUMP), 0.0),
            within=Pool.of(bucket[later & ~opens], gap[later & ~opens], n_buckets),
            time_of_day=Pool.of(np.zeros_like(starts), starts % DAY, 1),
            clock=clock,
            most_to_come=most_to_come,
            period=period,
            seasons=Seasons.fit(histories, n_items),
        )

    def sample(
        self, histories: Histories, random: np.random.Generator, *, timed: bool
    ) -> Histories:
        """Give histories new session starts and, if ``timed``, new times.

        Args:
            histories: Sampled histories; their ``opens`` and ``time`` are replaced.
            random: Source of randomness.
            timed: Whether the shop has times, or only positions.
        """
        bucket = np.minimum(size_bucket(histories.lengths), self.opening.shape[0] - 1)
        opens = self._sample_opens(histories, bucket, random)
        histories = replace(histories, opens=opens)
        if not timed:
            return histories
        histories = replace(histories, time=self._sample_times(histories, bucket, random))
        return histories if self.seasons is None else self.seasons.match(histories, random)

    def _sample_opens(
        self, histories: Histories, bucket: NDArray[np.int64], random: np.random.Generator
    ) -> NDArray[np.bool_]:
        opens = np.zeros(histories.item.size, dtype=np.bool_)
        opens[histories.offsets[:-1]] = True
        longest_first = np.argsort(-histories.lengths, kind="stable")
        size = np.ones(histories.n_users, dtype=np.int64)
        for index in range(1, int(histories.lengths.max(initial=0))):
            live = longest_first[: np.count_nonzero(histories.lengths > index)]
            column = np.minimum(_session_bucket(size[live]), self.opening.shape[1] - 1)
            opened = random.random(live.size) < self.opening[bucket[live], column]
            opens[histories.offsets[live] + index] = opened
            size[live] = np.where(opened, 1, size[live] + 1)
        return opens

    def _sample_times(
        self, histories: Histories, bucket: NDArray[np.int64], random: np.random.Generator
    ) -> NDArray[np.int64]:
        user, starts = histories.user, np.flatnonzero(histories.opens)
        session = np.cumsum(histories.opens) - 1
        start = self._sample_starts(user[starts], bucket, random)
        gap = np.where(histories.opens, 0, self.within.draw(bucket[user], random))
        elapsed = np.cumsum(gap)
        within = squeezed(elapsed - elapsed[starts][session], starts, self.period[1] - start)
        return rising(np.clip(start[session] + within, *self.period), user)

    def _sample_starts(
        self, user: NDArray[np.int64], bucket: NDArray[np.int64], random: np.random.Generator
    ) -> NDArray[np.int64]:
        """Sample the start of each session, ``(n_sessions,)``, rising within a user."""
        low, high = self.period
        opening = np.diff(user, prepend=-1) > 0
        pause, jump = np.zeros(user.size, dtype=np.int64), np.zeros(user.size)
        coming = size_bucket(_sessions_to_come(user))[~opening]
        way = self.ways.draw(
            _way_buckets(bucket[user[~opening]], coming, self.most_to_come), random
        )
        if way.size:
            pause[~opening], jump[~opening] = self.pause[way], self.jump[way]
        # The time left after several jumps is a product of shares, so a sum of logarithms.
        left = np.cumsum(np.log1p(-jump))
        left = np.exp(left - left[opening][user])
        first = self.first.draw(bucket, random)[user]
        day_0 = low // DAY
        share = 1 - (1 - _by_clock(self.clock, first - day_0 * DAY)) * left
        wish = np.interp(share, self.clock, np.arange(self.clock.size)).astype(np.int64)
        wish = np.where(jump > 0, day_0 + wish, first // DAY)
        day = np.maximum(_on_later_days(wish, jump > 0, user, high // DAY), day_0)
        time = day * DAY + first % DAY
        anchor = opening | (jump > 0)
        of_anchor = np.maximum.accumulate(np.where(anchor, np.arange(user.size), 0))
        paused = np.cumsum(pause)
        start = self._at_new_hours(time, random)[of_anchor] + paused - paused[of_anchor]
        start = reflected(start, of_anchor, self.period)
        ordered: NDArray[np.int64] = start[np.lexsort((start, user))]
        return ordered

    def _at_new_hours(
        self, time: NDArray[np.int64], random: np.random.Generator
    ) -> NDArray[np.int64]:
        """Give times another time of day, unless that falls out of the period."""
        low, high = self.period
        moved = time - time % DAY + self.time_of_day.draw(np.zeros_like(time), random)
        return np.where((moved >= low) & (moved <= high), moved, time)


def _way_buckets(
    length: NDArray[np.int64], coming: NDArray[np.int64], most: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Number the pairs of length bucket and bucket of sessions to come."""
    numbered: NDArray[np.int64] = length * (most.max() + 1) + np.minimum(coming, most[length])
    return numbered


def _sessions_to_come(user: NDArray[np.int64]) -> NDArray[np.int64]:
    """Count for each session of rising users those of the user from it on."""
    last = np.flatnonzero(np.diff(user, append=-1))
    place = np.arange(user.size)
    to_come: NDArray[np.int64] = last[np.searchsorted(last, place)] - place + 1
    return to_come


def _clock(starts: NDArray[np.int64], period: tuple[int, int]) -> NDArray[np.float64]:
    """Count sessions before each day of the period, as shares of all of them."""
    day_0 = period[0] // DAY
    per_day = np.bincount(starts // DAY - day_0, minlength=period[1] // DAY - day_0 + 1)
    weight = per_day + _LEAST * starts.size
    return np.concatenate(([0.0], np.cumsum(weight) / weight.sum()))


def _by_clock(clock: NDArray[np.float64], elapsed: NDArray[np.int64]) -> NDArray[np.float64]:
    """Read the clock at times since the first day's start, microseconds."""
    shares: NDArray[np.float64] = np.interp(elapsed / DAY, np.arange(clock.size), clock)
    return shares


def _on_later_days(
    day: NDArray[np.int64], jumps: NDArray[np.bool_], user: NDArray[np.int64], last_day: int
) -> NDArray[np.int64]:
    """Let every jump of a user reach a day after that of the session before it.

    Who has more to do than days are left begins earlier, so that nothing piles up on the last day.

    Args:
        day: ``(n_sessions,)`` wished days, user after user.
        jumps: Sessions that are reached by a jump.
        user: User numbers, rising.
        last_day: The period's.
    """
    number = np.cumsum(jumps)
    last = np.flatnonzero(np.diff(user, append=-1))
    to_come: NDArray[np.int64] = number[last[np.searchsorted(last, np.arange(user.size))]] - number
    return np.minimum(rising(day - number, user) + number, last_day - to_come)


def _opening(
    histories: Histories, bucket: NDArray[np.int64], n_buckets: int
) -> NDArray[np.float64]:
    later = histories.index > 0
    size = _session_bucket(_session_size_before(histories))
    shape = (n_buckets, int(size.max()) + 1)
    cell = np.ravel_multi_index((bucket[later], size[later]), shape)
    n_seen = np.bincount(cell, minlength=shape[0] * shape[1])
    n_opened = np.bincount(cell, weights=histories.opens[later], minlength=n_seen.size)
    share: NDArray[np.float64] = n_opened / np.maximum(n_seen, 1)
    return share.reshape(shape)


def _session_bucket(sizes: NDArray[np.int64]) -> NDArray[np.int64]:
    """Keep sizes up to 7 apart; from 8 on buckets double."""
    return np.where(sizes < 8, sizes, 5 + size_bucket(sizes))


def _session_size_before(histories: Histories) -> NDArray[np.int64]:
    """Count for each event how many events its predecessor's session had so far."""
    place = np.arange(histories.item.size)
    start = np.maximum.accumulate(np.where(histories.opens, place, 0))
    so_far = place - start + 1
    return np.concatenate(([1], so_far[:-1]))
