"""How a history of mode dp grows: the next group by a network, then an item of it by popularity.

In: a network trained by noisy gradients, and the noisy chain beside it. Out: the next items of many
histories at once. Needs torch.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np
import torch
from numpy.typing import NDArray

from shopsynth.generate._category_steps import CategorySteps
from shopsynth.generate._draws import Floats, spread_uniforms
from shopsynth.generate.sequences.private_network import PrivateNetwork
from shopsynth.privacy.mechanisms.token_windows import FIRST_ITEM, START

_ROWS = 8192
"""Histories that the network reads at a time: bounds memory."""


@dataclass(frozen=True)
class NetworkSteps:
    """Growth by a network over groups of items.

    Attributes:
        network: Trained, in evaluation mode.
        by_category: Items of a group, who comes back, event types and amounts.
        filled: ``(n_groups,)`` whether a group has items; others are never drawn.
        context: Newest events that the network reads.
    """

    network: PrivateNetwork
    by_category: CategorySteps
    filled: NDArray[np.bool_]
    context: int

    def begin(self, random: np.random.Generator) -> Self:
        """Begin a sample: nothing is used up."""
        del random
        return self

    def next_items(
        self,
        items: NDArray[np.int32],
        places: NDArray[np.int64],
        length: int,
        random: np.random.Generator,
    ) -> NDArray[np.int32]:
        """Draw the next item of each history; see :class:`Growth` of ``_growth``."""
        back = np.arange(min(length, self.context), 0, -1)
        tokens = self.by_category.groups.group[items[places[:, None] - back]] + FIRST_ITEM
        if length < self.context:
            tokens = np.column_stack((np.full(places.size, START), tokens))
        uniforms = spread_uniforms(tokens[:, -1], random)
        group = np.empty(places.size, dtype=np.int32)
        for first in range(0, places.size, _ROWS):
            part = slice(first, first + _ROWS)
            group[part] = _chosen(self._shares(tokens[part]), uniforms[part])
        return self.by_category.items_in(group, items, places, length, random)

    def _shares(self, tokens: NDArray[np.integer]) -> Floats:
        """Return how likely each group is next, ``(n, n_groups)``, not yet summing to 1."""
        with torch.inference_mode():
            scores = self.network.newest(torch.from_numpy(tokens.astype(np.int64)))
        groups = scores[:, FIRST_ITEM:].double().numpy()
        weights: Floats = np.exp(groups - groups.max(axis=1, keepdims=True)) * self.filled
        return weights

    def finish(
        self, items: NDArray[np.int32], offsets: NDArray[np.int64], random: np.random.Generator
    ) -> None:
        """Change nothing: nobody's history was read."""

    def rows_of(
        self, items: NDArray[np.int32], offsets: NDArray[np.int64], random: np.random.Generator
    ) -> NDArray[np.int64]:
        """Draw event types and amounts; see :class:`Steps` of ``_growth``."""
        return self.by_category.rows_of(items, offsets, random)


def _chosen(weights: Floats, uniforms: Floats) -> NDArray[np.int32]:
    """Draw one column a row, as often as its weight says."""
    ends = np.cumsum(weights, axis=1)
    target = uniforms[:, None] * ends[:, -1:]
    chosen = (ends <= target).sum(axis=1)
    # Rounding may carry the target over the row's end.
    last = weights.shape[1] - 1 - (weights[:, ::-1] > 0).argmax(axis=1)
    kept: NDArray[np.int32] = np.minimum(chosen, last).astype(np.int32)
    return kept
