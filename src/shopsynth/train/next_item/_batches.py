"""Batches for networks: windows of histories, packed side by side into rows without gaps.

In: histories as flat arrays. Out: rows of tokens, and the questions asked at some of them.

A question stands at the last event of a moment (a basket, an order) and asks for the events of the
user's next moment: the very question of the task. Events of one moment have no order, so each epoch
draws another one. Where every event has its own moment, each asks for the next event, as SASRec
always did. Padding every history to the longest would waste most of the work where most are short,
so windows stand one after the other in a row, told apart by number.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from shopsynth.train.next_item._histories import Histories

Ints = NDArray[np.int64]
Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Batch:
    """Packed rows and their questions.

    Attributes:
        items: ``(row, token)`` item indices, 0 where padded.
        positions: ``(row, token)`` place of a token in its window, from 0.
        histories: ``(row, token)`` number of the token's window within its row, from 1; 0 is
            padding.
        questions: ``(question,)`` flat index of the token that asks, ``row * width + token``.
        asked_by: ``(target,)`` the question of each right item; rises.
        targets: ``(target,)`` right items.
        weights: ``(target,)`` loss weights; their mean over an epoch is 1.
    """

    items: Ints
    positions: Ints
    histories: Ints
    questions: Ints
    asked_by: Ints
    targets: Ints
    weights: Floats


@dataclass(frozen=True)
class _Windows:
    """Windows of an epoch: where each lies in the flat events and in the packed rows."""

    starts: Ints
    lengths: Ints
    rows: Ints
    columns: Ints
    numbers: Ints


class Batches:
    """Draws the batches of one epoch after the other.

    A right item of a moment of ``n`` items counts ``1 / sqrt(n)`` of its row's weight, so that
    wholesale baskets do not drown the others. On Online Retail, validation NDCG@10 is .228 so,
    .203 where each item counts 1 and .207 where each basket does. Weights are scaled to a mean of
    1 over the whole epoch, not over a batch: a batch of light rows moves the network little.

    Args:
        histories: What to learn from; users with a single moment ask nothing.
        max_length: Longest window and width of a row, in tokens.
        rows: Rows of a batch.
        rng: Source of every draw.
    """

    def __init__(
        self, histories: Histories, max_length: int, rows: int, rng: np.random.Generator
    ) -> None:
        self._histories = histories
        self._width = max_length
        self._rows = rows
        self._rng = rng
        users, moments = histories.users, histories.moments
        self._users = users
        opens = np.ones(len(users), dtype=bool)
        opens[1:] = (users[1:] != users[:-1]) | (moments[1:] != moments[:-1])
        firsts = np.flatnonzero(opens)
        sizes = np.diff(np.append(firsts, len(users)))
        same_user = users[firsts[1:]] == users[firsts[:-1]]
        self._asking = firsts[1:][same_user] - 1
        self._n_asked = np.zeros(len(users), dtype=np.int64)
        self._n_asked[self._asking] = sizes[1:][same_user]
        asked = np.repeat(np.append(False, same_user), sizes)
        weights = np.where(asked, histories.weights / np.sqrt(np.repeat(sizes, sizes)), 0.0)
        mean = weights[asked].mean() if asked.any() else 1.0
        self._weights = (weights / mean).astype(np.float32)

    @property
    def n_questions(self) -> int:
        """Questions of a whole epoch."""
        return len(self._asking)

    def epoch(self) -> Iterator[Batch]:
        """Draw orders and windows anew and yield every question once."""
        draw = self._rng.random(len(self._users))
        order = np.lexsort((draw, self._histories.moments, self._users))
        windows = self._pack(*self._cut())
        n_rows = int(windows.rows[-1]) + 1 if len(windows.rows) else 0
        for first in range(0, n_rows, self._rows):
            start, stop = np.searchsorted(windows.rows, [first, first + self._rows])
            yield self._fill(order, windows, slice(int(start), int(stop)), first)

    def _cut(self) -> tuple[Ints, Ints]:
        """Cut histories into windows that end with a question; return starts and lengths.

        A history longer than a window is cut at another place in every epoch, so that no event
        always lacks the events before it.
        """
        users = self._users[self._asking]
        last = np.zeros(len(self._histories.unit_ids), dtype=np.int64)
        last[users] = self._asking - self._histories.starts[users] + 1
        long = last > self._width
        phase = np.where(long, self._rng.integers(1, self._width + 1, len(last)), self._width)
        place = self._asking - self._histories.starts[users]
        block = np.where(place < phase[users], 0, 1 + (place - phase[users]) // self._width)
        ends_window = np.ones(len(users), dtype=bool)
        ends_window[:-1] = (users[1:] != users[:-1]) | (block[1:] != block[:-1])
        users, block, ends = users[ends_window], block[ends_window], self._asking[ends_window]
        begins = np.where(block == 0, 0, phase[users] + (block - 1) * self._width)
        starts = self._histories.starts[users] + begins
        return starts, ends - starts + 1

    def _pack(self, starts: Ints, lengths: Ints) -> _Windows:
        """Fill rows with windows in random order; a window that does not fit opens a new row."""
        order = self._rng.permutation(len(starts))
        starts, lengths = starts[order], lengths[order]
        places = []
        row, column, number = -1, self._width, 0
        for length in lengths.tolist():
            if column + length > self._width:
                row, column, number = row + 1, 0, 0
            number += 1
            places.append((row, column, number))
            column += length
        rows, columns, numbers = np.array(places, dtype=np.int64).reshape(-1, 3).T
        return _Windows(starts, lengths, rows, columns, numbers)

    def _fill(self, order: Ints, windows: _Windows, part: slice, first_row: int) -> Batch:
        """Write the windows of ``part`` into rows, and their questions beside them."""
        lengths = windows.lengths[part]
        position = _ranges(lengths)
        event = np.repeat(windows.starts[part], lengths) + position
        row = np.repeat(windows.rows[part] - first_row, lengths)
        token = row * self._width + np.repeat(windows.columns[part], lengths) + position
        shape = (int(windows.rows[part][-1]) - first_row + 1, self._width)
        items, positions, histories = (np.zeros(shape, dtype=np.int64) for _ in range(3))
        items.flat[token] = self._histories.items[order[event]]
        positions.flat[token] = position
        histories.flat[token] = np.repeat(windows.numbers[part], lengths)
        n_asked = self._n_asked[event]
        asks = n_asked > 0
        asked_by = np.repeat(np.arange(asks.sum()), n_asked[asks])
        asked = np.repeat(event[asks] + 1, n_asked[asks]) + _ranges(n_asked[asks])
        return Batch(
            items,
            positions,
            histories,
            token[asks],
            asked_by,
            self._histories.items[asked],
            self._weights[asked],
        )


def _ranges(lengths: Ints) -> Ints:
    """Count from 0 within each of many runs, one after the other.

    Example:
        >>> _ranges(np.array([2, 3])).tolist()
        [0, 1, 0, 1, 2]
    """
    ends = np.cumsum(lengths)
    counted: Ints = np.arange(ends[-1] if len(ends) else 0) - np.repeat(ends - lengths, lengths)
    return counted
