"""What a network over events is asked while it learns, and how surprised it is.

In: a network, what it learns from, a batch. Out: the mean surprise of an event, part by part. Needs
torch.
"""

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import sparse
from torch import Tensor
from torch.nn import functional

from shopsynth.generate.sequences.batches import Batch, Material
from shopsynth.generate.sequences.company import mass_of_codes
from shopsynth.generate.sequences.network import Guess, HistoryNetwork, Inputs
from shopsynth.generate.sequences.semantic_ids import SemanticIds

_HIDDEN = -1e9


class Questions:
    """Asks a network for the events of batches.

    Args:
        material: What it learns from.
        device: Where the network is.
    """

    def __init__(self, material: Material, device: torch.device) -> None:
        self._material = material
        self._device = device
        self._asks_repeats = bool(material.is_repeat.any())
        self._asks_kinds = material.may.shape[1] > 1

    def loss(self, network: HistoryNetwork, batch: Batch) -> Tensor:
        """Sum the surprise (nats) over a batch's events and divide by their number."""
        surprise = self.surprise(network, network(self.inputs(batch)), batch)
        return surprise / int(batch.real.sum())

    def surprise(self, network: HistoryNetwork, states: Tensor, batch: Batch) -> Tensor:
        """Sum the surprise (nats) over a batch's events, given the network's states of them."""
        tokens = self._material.tokens
        real = self._tensor(batch.real)
        event = batch.event[batch.real]
        item, gap = self._tensor(tokens.item[event]), self._tensor(tokens.gap[event])
        asked = states[real]
        later = gap != 0
        total = functional.cross_entropy(
            network.to_gap(asked).float()[later], gap[later], reduction="sum"
        )
        told = network.told(asked, gap)
        total = total + self._item_loss(network, told, item, event)
        if self._asks_repeats:
            total = total + self._pointer_loss(network, states, batch)
        if self._asks_kinds:
            scores = network.kind_scores(told, item)
            may = self._tensor(self._material.may[event])
            kind = self._tensor(tokens.kind[event])
            scores = scores.masked_fill(~may, _HIDDEN)
            total = total + functional.cross_entropy(scores, kind, reduction="sum")
        return total

    def _item_loss(
        self, network: HistoryNetwork, told: Tensor, item: Tensor, event: NDArray[np.int64]
    ) -> Tensor:
        """Surprise of who comes back, and of new items by the mixture of network and company."""
        made_of, back = network.sources(told)
        again = self._tensor(self._material.is_repeat[event])
        total = torch.zeros((), device=self._device)
        if self._asks_repeats:
            total = functional.binary_cross_entropy_with_logits(
                back, again.float(), reduction="sum"
            )
        new = torch.nonzero(~again).squeeze(1)
        shares = self._material.others.guess(event[~self._material.is_repeat[event]])
        likely = item_log_chance(
            network, told[new], item[new], made_of.take(new), self._material.ids, shares
        )
        return total - likely.sum()

    def _pointer_loss(self, network: HistoryNetwork, states: Tensor, batch: Batch) -> Tensor:
        """Surprise of which item comes again, among those that the row shows."""
        tokens = self._material.tokens
        item = self._tensor(np.where(batch.real, tokens.item[batch.event], -1))
        told = network.told(states, self._tensor(tokens.gap[batch.event]))
        # State j + 1 is the first that has seen event j.
        scores = network.pointer_scores(told, network.to_key(states))[:, 1:, 1:]
        asked, shown = item[:, 1:, None], item[:, None, :-1]
        place = torch.arange(scores.shape[1], device=scores.device)
        earlier = place <= place.unsqueeze(1)
        scores = scores.masked_fill(~earlier, _HIDDEN)
        same = (asked == shown) & earlier & (asked >= 0)
        known = same.any(-1)
        right = scores.masked_fill(~same, _HIDDEN).logsumexp(-1) - scores.logsumexp(-1)
        return -right[known].sum()

    def inputs(self, batch: Batch) -> Inputs:
        """Say what stands before each event of a batch."""
        material, tokens = self._material, self._material.tokens
        column = np.arange(batch.event.shape[1])
        is_start = (batch.place == 0)[:, None] & (column == 0)
        before = np.where(is_start, batch.event, batch.event - 1)
        return Inputs(
            item=self._tensor(tokens.item[before]),
            gap=self._tensor(tokens.gap[before]),
            kind=self._tensor(tokens.kind[before]),
            moment=self._tensor(tokens.moment[before]),
            to_come=self._tensor(np.maximum(batch.left[:, None] - column, 0)),
            is_start=self._tensor(is_start),
            attributes=self._tensor(material.attributes[batch.user]),
        )

    def _tensor(self, array: NDArray[np.generic]) -> Tensor:
        return torch.from_numpy(np.ascontiguousarray(array)).to(self._device)


def item_log_chance(
    network: HistoryNetwork,
    told: Tensor,
    item: Tensor,
    guess: Guess,
    ids: SemanticIds,
    shares: sparse.csr_matrix,
) -> Tensor:
    """Say how likely items are, code by code: ``(event,)`` logarithms.

    Args:
        network: The network.
        told: ``(event, dim)`` of :meth:`HistoryNetwork.told`.
        item: ``(event,)``.
        guess: What the first guess is made of.
        ids: Codes of the catalogue.
        shares: ``(event, n_items)`` shares of the company.
    """
    path = network.codes[item]
    node = torch.zeros_like(item)
    total = torch.zeros(item.shape, device=told.device)
    for level in range(path.shape[1]):
        children = network.next_nodes(level)[node]
        query = network.code_state(told, level, path[:, :level])
        mass = mass_of_codes(ids, shares, level, node.cpu().numpy())
        told_mass = torch.from_numpy(mass).to(told.device)
        scores = network.code_scores(query, level, children, guess, told_mass)
        code = path[:, level : level + 1]
        total = total + scores.log_softmax(-1).gather(1, code).squeeze(1)
        node = children.gather(1, code).squeeze(1).long()
    return total
