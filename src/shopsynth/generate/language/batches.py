"""Batches of texts for a network over pieces: rows of like length, padded, and what is asked.

In: rows of pieces, each begun by the same number of control tokens. Out: arrays of a batch, by
number of epoch and batch alone, so that a resumed fit meets the same ones.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from shopsynth.schema import derived_seed

Ints = NDArray[np.int64]

_SORTED_TOGETHER = 64
"""Batches whose rows are sorted by length together: enough to pad little, few enough to mix."""

_LEAST_HIDDEN = 0.1
"""Share of a text's pieces that are hidden at least; at most all are, as when a text is begun."""


@dataclass(frozen=True)
class Rows:
    """Texts as pieces.

    Attributes:
        pieces: ``(n_pieces,)`` of all rows, one after the other.
        offsets: ``(n_rows + 1,)`` where each row begins.
        n_before: Tokens before each text: the beginning, and one a condition.
        pad: Number of padding.
        mask: Number of a hidden piece.
    """

    pieces: NDArray[np.int32]
    offsets: Ints
    n_before: int
    pad: int
    mask: int

    @classmethod
    def of(cls, rows: list[NDArray[np.int32]], *, n_before: int, pad: int, mask: int) -> "Rows":
        """Lay rows one after the other."""
        lengths = [row.size for row in rows]
        pieces = np.concatenate(rows) if rows else np.zeros(0, dtype=np.int32)
        return cls(
            pieces, np.concatenate(([0], np.cumsum(lengths, dtype=np.int64))), n_before, pad, mask
        )

    @property
    def lengths(self) -> Ints:
        """Pieces of each row."""
        return np.diff(self.offsets)

    def padded(self, rows: Ints) -> Ints:
        """Return some rows side by side, ``(row, width)``."""
        width = self.lengths[rows]
        column = np.arange(int(width.max()))
        real = column < width[:, None]
        place = self.offsets[rows][:, None] + np.where(real, column, 0)
        padded: Ints = np.where(real, self.pieces[place], self.pad).astype(np.int64)
        return padded


@dataclass(frozen=True)
class TextBatch:
    """What is read and what is asked, ``(row, place)`` each.

    Attributes:
        tokens: What the network reads.
        target: What it should say at each place.
        real: Whether it is asked there.
    """

    tokens: Ints
    target: Ints
    real: NDArray[np.bool_]


class TextBatches:
    """Cuts some rows into batches.

    Args:
        rows: All texts.
        chosen: ``(n,)`` rows to read.
        objective: What is asked: the next piece, or hidden ones.
        size: Pieces of a batch, padding counted.
        seed: Orders the rows of each epoch and hides pieces.
    """

    def __init__(
        self,
        rows: Rows,
        chosen: Ints,
        *,
        objective: Literal["next", "masked"],
        size: int,
        seed: int,
    ) -> None:
        self._rows = rows
        self._chosen = chosen
        self._masked = objective == "masked"
        self._size = size
        self._seed = seed
        self._epoch = -1

    def epoch(self, number: int) -> list[Ints]:
        """List the rows of each batch of an epoch, in an order of its own."""
        self._epoch = number
        random = np.random.Generator(np.random.PCG64(derived_seed(self._seed, "epoch", number)))
        order = random.permutation(self._chosen)
        lengths = self._rows.lengths
        together = max(1, _SORTED_TOGETHER * self._size // int(lengths[order].mean().round()))
        batches: list[Ints] = []
        for start in range(0, order.size, together):
            rows = order[start : start + together]
            batches += self._cut(rows[np.argsort(-lengths[rows], kind="stable")])
        return [batches[place] for place in random.permutation(len(batches))]

    def in_order(self) -> Iterator[TextBatch]:
        """Yield all rows once, for an evaluation; the same pieces are hidden each time."""
        lengths = self._rows.lengths[self._chosen]
        for rows in self._cut(self._chosen[np.argsort(-lengths, kind="stable")]):
            yield self._asked(rows, -1)

    def batch(self, rows: Ints) -> TextBatch:
        """Make the batch of some rows of the epoch that was listed last."""
        return self._asked(rows, self._epoch)

    def _cut(self, rows: Ints) -> list[Ints]:
        """Cut rows, longest first, so that no batch has more than ``size`` pieces."""
        cut, start = [], 0
        while start < rows.size:
            end = start + max(1, self._size // int(self._rows.lengths[rows[start]]))
            cut.append(rows[start:end])
            start = end
        return cut

    def _asked(self, rows: Ints, epoch: int) -> TextBatch:
        padded, lengths = self._rows.padded(rows), self._rows.lengths[rows]
        place = np.arange(padded.shape[1])
        told = (place >= self._rows.n_before) & (place < lengths[:, None])
        if not self._masked:
            return TextBatch(padded[:, :-1], padded[:, 1:], told[:, 1:])
        random = np.random.Generator(
            np.random.PCG64(derived_seed(self._seed, "hidden", epoch, int(rows[0])))
        )
        share = random.uniform(_LEAST_HIDDEN, 1.0, rows.size)
        hidden = told & (random.random(padded.shape) < share[:, None])
        # One at least is asked for, whatever was drawn: a mean needs something.
        hidden[:, self._rows.n_before] |= ~hidden.any(axis=1) & told[:, self._rows.n_before]
        return TextBatch(np.where(hidden, self._rows.mask, padded), padded, hidden)
