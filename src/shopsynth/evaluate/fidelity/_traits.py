"""What a classifier is told of each history: one row of numbers a user.

In: histories, and a reference in which nobody asked takes part. Out: a matrix ``(users, traits)``.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np

from shopsynth.evaluate.fidelity.base import FUNNEL, Behaviour
from shopsynth.evaluate.fidelity.rhythm import median_gaps, weekdays
from shopsynth.evaluate.fidelity.transitions import pair_codes
from shopsynth.evaluate.histories import Histories

_HOURS_EACH = 4
"""Hours of day that are told as one."""


@dataclass(frozen=True)
class Reference:
    """What other real histories say of items and of what follows what.

    Attributes:
        n_events: Events of each item, shape ``(n_items,)``.
        codes: Sorted codes of the next-item pairs that occur, shape ``(pairs,)``.
        n_pairs: How often each does, shape ``(pairs,)``.
        n_from: Pairs that start with each item, shape ``(n_items,)``.
    """

    n_events: np.ndarray
    codes: np.ndarray
    n_pairs: np.ndarray
    n_from: np.ndarray

    @classmethod
    def count(cls, histories: Histories) -> Self:
        """Count items and next-item pairs."""
        codes, n_pairs = np.unique(pair_codes(histories), return_counts=True)
        n_from = np.bincount(
            codes // max(histories.n_items, 1), weights=n_pairs, minlength=histories.n_items
        )
        return cls(histories.counts(), codes, n_pairs, n_from)

    def log_popularity(self) -> np.ndarray:
        """Return the logarithm of each item's share, one event added to each."""
        counts = self.n_events + 1
        return np.asarray(np.log2(counts / counts.sum()))

    def count_pairs(self, codes: np.ndarray) -> np.ndarray:
        """Return how often each pair occurs, shape as ``codes``."""
        if not self.codes.size:
            return np.zeros(codes.size)
        place = np.minimum(np.searchsorted(self.codes, codes), self.codes.size - 1)
        return np.where(self.codes[place] == codes, self.n_pairs[place], 0)


def traits(side: Behaviour, reference: Reference, *, known: frozenset[str]) -> np.ndarray:
    """Describe each user.

    Args:
        side: The users asked about.
        reference: What other users did.
        known: What both sides have: ``times``, ``hours``, ``sessions``, ``funnel``.

    Returns:
        Shape ``(users, traits)``, -1 where a history is too short for one. Nothing tells when a
        history took place, only how long it took: a period of its own is no fault.
    """
    columns = [*_sizes(side), *_items(side, reference), *_steps_between(side, reference)]
    if "sessions" in known:
        columns += _sessions(side)
    if "times" in known:
        columns += _times(side.histories)
    if "hours" in known:
        hour = side.histories.hours() // _HOURS_EACH
        columns += _mix(side.histories, hour, 24 // _HOURS_EACH)
    if "weekdays" in known:
        columns += _mix(side.histories, weekdays(side.histories), 7)
    if "funnel" in known and side.step is not None:
        columns += _mix(side.histories, side.step.astype(np.int64) + 1, len(FUNNEL) + 1)
    if side.groups is not None:
        groups = side.groups[side.histories.item]
        columns += _mix(side.histories, groups, int(side.groups.max(initial=0)) + 1)
    return np.column_stack(columns)


def _sizes(side: Behaviour) -> list[np.ndarray]:
    lengths = side.histories.lengths()
    distinct = np.bincount(side.histories.pairs() // side.histories.n_items, minlength=side.n_users)
    return [lengths.astype(float), distinct / lengths]


def _items(side: Behaviour, reference: Reference) -> list[np.ndarray]:
    """Tell how popular the items are: of all, the least and most so, first and last."""
    histories, log_share = side.histories, reference.log_popularity()
    value, starts = log_share[histories.item], histories.starts
    ends = np.append(starts[1:], histories.item.size) - 1
    unknown = (reference.n_events[histories.item] == 0).astype(float)
    return [
        _mean(value, histories),
        np.minimum.reduceat(value, starts),
        np.maximum.reduceat(value, starts),
        value[starts],
        value[ends],
        _mean(unknown, histories),
    ]


def _steps_between(side: Behaviour, reference: Reference) -> list[np.ndarray]:
    """Tell how likely each next item is after the one before, with popularity as back-off."""
    histories = side.histories
    runs, user = histories.runs(2)
    seen = reference.count_pairs(pair_codes(histories))
    share = 2 ** reference.log_popularity()[runs[:, 1]]
    likelihood = np.log2((seen + share) / (reference.n_from[runs[:, 0]] + 1))
    n_runs = np.bincount(user, minlength=side.n_users)
    none = n_runs == 0
    found = []
    for value in (likelihood - np.log2(share), (seen > 0).astype(float)):
        mean = np.bincount(user, weights=value, minlength=side.n_users) / np.maximum(n_runs, 1)
        found.append(np.where(none, -1.0, mean))
    return found


def _sessions(side: Behaviour) -> list[np.ndarray]:
    first = side.histories.user[side.opens]
    n_sessions = np.bincount(first, minlength=side.n_users)
    longest = np.zeros(side.n_users, dtype=np.int64)
    np.maximum.at(longest, first, np.bincount(side.session))
    return [n_sessions.astype(float), longest.astype(float)]


def _times(histories: Histories) -> list[np.ndarray]:
    """Tell the span of a history, its median, shortest and longest gap."""
    gaps = histories.gaps_days()
    user = histories.user[1:][histories.user[1:] == histories.user[:-1]]
    span = np.bincount(user, weights=gaps, minlength=histories.n_users)
    shortest = np.full(histories.n_users, np.inf)
    longest = np.full(histories.n_users, -1.0)
    np.minimum.at(shortest, user, gaps)
    np.maximum.at(longest, user, gaps)
    return [
        span,
        np.nan_to_num(median_gaps(histories), nan=-1.0),
        np.where(np.isinf(shortest), -1.0, shortest),
        longest,
    ]


def _mix(histories: Histories, code: np.ndarray, n_codes: int) -> list[np.ndarray]:
    """Tell the share of each code among a user's events."""
    cell = histories.user * n_codes + code
    counts = np.bincount(cell, minlength=histories.n_users * n_codes)
    return list((counts.reshape(-1, n_codes) / histories.lengths()[:, None]).T)


def _mean(value: np.ndarray, histories: Histories) -> np.ndarray:
    sums = np.bincount(histories.user, weights=value, minlength=histories.n_users)
    return np.asarray(sums / histories.lengths())
