"""What a network over events has read so far, kept so that a further event costs one step.

In: the newest event of each history. Out: its state, as reading the whole history again would give.
Needs torch.
"""

from typing import cast

import torch
from torch import Tensor
from torch.nn import functional

from shopsynth.generate.sequences.event_layer import EventLayer, rotation
from shopsynth.generate.sequences.network import HistoryNetwork, Inputs


class Past:
    """Keys and values of every layer for the newest ``context`` events of each history.

    Args:
        network: The network, in evaluation mode.
        n: Histories.
        longest: Events of the longest one.
    """

    def __init__(self, network: HistoryNetwork, n: int, longest: int) -> None:
        shape = network.shape
        self._network = network
        self._slots = min(shape.context, longest)
        size = (n, shape.heads, self._slots, shape.dim // shape.heads)
        self._keys, self._values = (
            [torch.zeros(size, device=network.start.device) for _ in range(shape.layers)]
            for _ in range(2)
        )

    def step(self, inputs: Inputs, index: int) -> Tensor:
        """Read one more event of each history still growing, the first ``n`` of the block.

        Args:
            inputs: ``(n, 1)`` each.
            index: Events that each of these histories has.

        Returns:
            ``(n, dim)`` states.
        """
        network, shape = self._network, self._network.shape
        states = network.embed(inputs)
        n, slot = states.shape[0], index % self._slots
        filled = min(index + 1, self._slots)
        place = torch.tensor([index], device=states.device)
        turn = rotation(place, shape.dim // shape.heads)
        for part, keys, values in zip(network.layers, self._keys, self._values, strict=True):
            layer = cast(EventLayer, part)
            query, key, value = layer.parts(states, turn)
            keys[:n, :, slot], values[:n, :, slot] = key[:, :, 0], value[:, :, 0]
            mixed = functional.scaled_dot_product_attention(
                query, keys[:n, :, :filled], values[:n, :, :filled]
            )
            states = layer.finish(states, mixed)
        normed: Tensor = network.norm(states)
        return normed[:, 0]
