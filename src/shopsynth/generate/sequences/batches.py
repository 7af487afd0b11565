"""Batches of whole histories for a network over events: rows of like length, padded.

In: histories as tokens, and what else each event's loss needs. Out: arrays of a batch, by number of
epoch and batch alone, so that a resumed fit meets the same ones.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from shopsynth.generate.sequences.company import OtherUsers
from shopsynth.generate.sequences.event_tokens import Tokens
from shopsynth.generate.sequences.semantic_ids import SemanticIds
from shopsynth.schema import derived_seed

Ints = NDArray[np.int64]

LONGEST_ROW = 512
"""Events of a row; longer histories go on in further rows, which see nothing of the first."""

_SORTED_TOGETHER = 64
"""Batches whose rows are sorted by length together: enough to pad little, few enough to mix."""


@dataclass(frozen=True)
class Material:
    """What a network learns from.

    Attributes:
        tokens: The events.
        ids: Codes of the catalogue.
        others: First guesses of items, by what other users did.
        is_repeat: ``(n_events,)`` whether the item was had before.
        may: ``(n_events, n_kinds)`` event types that could have come.
        attributes: ``(n_users, n_attributes)`` the users' attributes as numbers.
    """

    tokens: Tokens
    ids: SemanticIds
    others: OtherUsers
    is_repeat: NDArray[np.bool_]
    may: NDArray[np.bool_]
    attributes: Ints


@dataclass(frozen=True)
class Batch:
    """Rows of events: ``event`` and ``real`` are ``(row, width)``, the others ``(row,)``.

    Attributes:
        event: Place of each event; that of some event where padded.
        real: Whether the event is none of the padding.
        place: Place of each row's first event in its history.
        left: Events of the history from the row's first one on.
        user: User of each row.
    """

    event: Ints
    real: NDArray[np.bool_]
    place: Ints
    left: Ints
    user: Ints


class Batches:
    """Cuts the histories of some users into batches.

    Args:
        tokens: All histories.
        users: ``(n,)`` users to read.
        size: Events of a batch, padding counted.
        seed: Orders the rows of each epoch.
    """

    def __init__(self, tokens: Tokens, users: Ints, *, size: int, seed: int) -> None:
        lengths = tokens.lengths[users]
        n_rows = -(-lengths // LONGEST_ROW)
        part = np.arange(n_rows.sum()) - np.repeat(np.cumsum(n_rows) - n_rows, n_rows)
        self._user = np.repeat(users, n_rows)
        self._place = part * LONGEST_ROW
        self._left = np.repeat(lengths, n_rows) - self._place
        self._first = tokens.offsets[self._user] + self._place
        self._width = np.minimum(self._left, LONGEST_ROW)
        self._size = size
        self._seed = seed

    @property
    def n_rows(self) -> int:
        """Rows of an epoch."""
        return self._user.size

    @property
    def mean_width(self) -> float:
        """Events of a row, on average."""
        return float(self._width.mean())

    def epoch(self, number: int) -> list[Ints]:
        """List the rows of each batch of an epoch, in an order of its own."""
        random = np.random.Generator(np.random.PCG64(derived_seed(self._seed, "epoch", number)))
        order = random.permutation(self._user.size)
        rows_together = max(1, _SORTED_TOGETHER * self._size // int(self._width.mean().round()))
        batches: list[Ints] = []
        for start in range(0, order.size, rows_together):
            rows = order[start : start + rows_together]
            batches += self._cut(rows[np.argsort(-self._width[rows], kind="stable")])
        return [batches[place] for place in random.permutation(len(batches))]

    def in_order(self) -> Iterator[Batch]:
        """Yield all rows once, for an evaluation."""
        for rows in self._cut(np.argsort(-self._width, kind="stable")):
            yield self.batch(rows)

    def _cut(self, rows: Ints) -> list[Ints]:
        """Cut rows, longest first, so that no batch has more than ``size`` cells."""
        cut, start = [], 0
        while start < rows.size:
            end = start + max(1, self._size // int(self._width[rows[start]]))
            cut.append(rows[start:end])
            start = end
        return cut

    def batch(self, rows: Ints) -> Batch:
        """Make the batch of some rows."""
        width = self._width[rows]
        column = np.arange(int(width.max()))
        real = column < width[:, None]
        event = self._first[rows][:, None] + np.where(real, column, 0)
        return Batch(event, real, self._place[rows], self._left[rows], self._user[rows])
