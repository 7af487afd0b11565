"""What histories are wanted: how long each is, and what it must keep to.

In: conditions, checked. Out: one plan for all histories, which a decoder keeps to block by block.
"""

from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from numpy.typing import NDArray

from shopsynth.generate.sequences.event_tokens import Tokens

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Given:
    """Beginnings of histories, ``(n, longest)`` each; what is read of a row is ``lengths``."""

    lengths: Ints
    item: Ints
    gap: Ints
    kind: Ints
    time: Ints

    @classmethod
    def of(cls, tokens: Tokens, time: Ints) -> Self:
        """Lay beginnings out in rows, one a user."""
        lengths = tokens.lengths
        column = np.arange(int(lengths.max()))
        event = tokens.offsets[:-1, None] + np.minimum(column, lengths[:, None] - 1)
        parts = (tokens.item, tokens.gap, tokens.kind, time)
        return cls(lengths, *(part[event] for part in parts))

    def take(self, rows: Ints) -> Self:
        """Return some rows, in the given order."""
        return replace(
            self,
            lengths=self.lengths[rows],
            item=self.item[rows],
            gap=self.gap[rows],
            kind=self.kind[rows],
            time=self.time[rows],
        )


@dataclass(frozen=True)
class Plan:
    """The wanted histories.

    Attributes:
        lengths: ``(n,)`` events of each.
        attributes: ``(n, n_attributes)`` numbers of each user's attributes, 0 being unknown.
        period: First and last moment; microseconds since 1970.
        allowed: ``(n_items,)`` items that may occur; all if ``None``.
        wanted: ``(n_items,)`` items of which every history has one; none asked if ``None``.
        wanted_at: ``(n,)`` place at which a history gets its wanted item, unless it has one then.
        given: Beginnings, row by row; ``None`` where histories begin as the model will.
        latent: ``(n, latent)`` who each history is of; ``None`` where the network asks for none.
    """

    lengths: Ints
    attributes: Ints
    period: tuple[int, int]
    allowed: NDArray[np.bool_] | None = None
    wanted: NDArray[np.bool_] | None = None
    wanted_at: Ints | None = None
    given: Given | None = None
    latent: NDArray[np.float32] | None = None

    def take(self, rows: Ints) -> Self:
        """Return the plan of some histories, in the given order."""
        return replace(
            self,
            lengths=self.lengths[rows],
            attributes=self.attributes[rows],
            wanted_at=None if self.wanted_at is None else self.wanted_at[rows],
            given=None if self.given is None else self.given.take(rows),
            latent=None if self.latent is None else self.latent[rows],
        )
