"""What every tuning of a pretrained encoder shares: order of rows, pace, and what decays.

In: lengths of texts, a network. Out: batches of rows, a rate for each step, an optimiser.
"""

from collections.abc import Iterator

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

Integers = NDArray[np.int64]

_MEGABATCH = 32
"""Batches whose rows are sorted by length together: little padding, and still a random order."""

LONGEST_GRADIENT = 1.0
"""Gradients are cut to this norm, as BERT's are."""


def row_batches(
    lengths: Integers, size: int, n_batches: int, rng: np.random.Generator
) -> Iterator[Integers]:
    """Draw rows, every one once an epoch, until there were enough batches.

    Args:
        lengths: ``(row,)`` words of each row: like lengths come together.
        size: Rows a batch.
        n_batches: How many are drawn in all.
        rng: Draws the order.
    """
    n_drawn = 0
    while n_drawn < n_batches:
        order = rng.permutation(lengths.size)
        starts = range(0, order.size, size * _MEGABATCH)
        parts = [order[at : at + size * _MEGABATCH] for at in starts]
        parts = [part[np.argsort(lengths[part], kind="stable")] for part in parts]
        batches = [part[at : at + size] for part in parts for at in range(0, part.size, size)]
        for place in rng.permutation(len(batches))[: n_batches - n_drawn]:
            n_drawn += 1
            yield batches[place]


def share_of_rate(step: int, n_steps: int, warm_up: float) -> float:
    """Rise over the warm-up, then fall to 0 at the end, both in a straight line.

    Args:
        step: From 1.
        n_steps: Of the whole training.
        warm_up: Share of the steps over which the rate rises.

    Example:
        >>> [share_of_rate(step, 5, 0.4) for step in (1, 2, 3, 5)]
        [0.5, 1.0, 0.75, 0.25]
    """
    rising = max(1.0, warm_up * n_steps)
    rest = max(1.0, n_steps - rising + 1.0)
    return min(step / rising, (n_steps - step + 1.0) / rest)


def decaying(network: torch.nn.Module, l2: float) -> list[dict[str, object]]:
    """Group what learns for AdamW: matrices decay, biases and norms have nothing to unlearn."""
    learned = [each for each in network.parameters() if each.requires_grad]
    return [
        {"params": [part for part in learned if part.dim() > 1], "weight_decay": l2},
        {"params": [part for part in learned if part.dim() <= 1], "weight_decay": 0.0},
    ]


def set_dropout(network: torch.nn.Module, chance: float) -> None:
    """Leave out this share of states while training, wherever the network can."""
    for module in network.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = chance


def learned_state(network: torch.nn.Module) -> dict[str, Tensor]:
    """Copy what learns, to go back to."""
    return {
        name: part.detach().clone()
        for name, part in network.named_parameters()
        if part.requires_grad
    }
