"""What every network over histories shares: item embeddings, cosines as scores, and the losses.

In: states of packed histories and the right items. Out: scores, and cross-entropy to minimise.
Needs torch and nothing of shopsynth.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional


@dataclass(frozen=True)
class Answers:
    """The right items of a batch's questions.

    Attributes:
        asked_by: ``(target,)`` the question of each right item.
        targets: ``(target,)`` item indices.
        weights: ``(target,)`` loss weights.
    """

    asked_by: Tensor
    targets: Tensor
    weights: Tensor


class HistoryNetwork(nn.Module, ABC):
    """Item embeddings, an encoder of histories, and the item embeddings again as output.

    Args:
        n_items: Items of the catalogue.
        dim: Width of an item's embedding and of the encoder's states.
        temperature: Cosines are divided by it to become logits.
    """

    def __init__(self, n_items: int, dim: int, temperature: float) -> None:
        super().__init__()
        self.temperature = temperature
        self.items = nn.Embedding(n_items, dim)

    @abstractmethod
    def forward(self, items: Tensor, positions: Tensor, histories: Tensor) -> Tensor:
        """Encode packed histories.

        Args:
            items: ``(row, token)`` item indices; any index where ``histories`` is 0.
            positions: ``(row, token)`` place of a token in its history, from 0.
            histories: ``(row, token)`` number of the token's history within its row, from 1;
                0 is padding. Tokens see earlier tokens of their own history only.

        Returns:
            ``(row, token, dim)`` states.
        """

    def scores(self, states: Tensor, items: Tensor | None = None) -> Tensor:
        """Score ``items`` (default: all) for ``(question, dim)`` states: ``(question, item)``."""
        embeddings = self.items.weight if items is None else self.items(items)
        directions = functional.normalize(embeddings, dim=-1)
        cosines = functional.normalize(states, dim=-1) @ directions.T
        return cosines.float() / self.temperature

    def scores_of(self, states: Tensor, items: Tensor) -> Tensor:
        """Score one item for each state: ``(question,)``."""
        cosines = functional.cosine_similarity(states.float(), self.items(items), dim=-1)
        return cosines / self.temperature


def softmax_loss(network: HistoryNetwork, states: Tensor, answers: Answers) -> Tensor:
    """Cross-entropy over the whole catalogue, mean over the right items of loss times weight.

    Args:
        network: Holds the item embeddings.
        states: ``(question, dim)`` from the network.
        answers: The right items.
    """
    logits = network.scores(states)
    right = logits[answers.asked_by, answers.targets]
    losses = logits.logsumexp(-1)[answers.asked_by] - right
    return (losses * answers.weights).mean()


def sampled_softmax_loss(
    network: HistoryNetwork,
    states: Tensor,
    answers: Answers,
    negatives: Tensor,
    log_expected: float,
) -> Tensor:
    """Cross-entropy over the right item and negatives that all questions share.

    The mean over the right items of loss times weight, as :func:`softmax_loss`.

    Args:
        network: Holds the item embeddings.
        states: ``(question, dim)`` from the network.
        answers: The right items.
        negatives: ``(negative,)`` sampled items' indices.
        log_expected: Log of how often an item is expected among the negatives. It is taken off
            their logits (logQ correction), so that the loss estimates the full softmax; the right
            item was not sampled and keeps its logit.

    Source:
        Bengio and Senécal, Adaptive Importance Sampling to Accelerate Training of a Neural
        Probabilistic Language Model, IEEE TNN 2008.
    """
    right = network.scores_of(states[answers.asked_by], answers.targets)
    others = network.scores(states, negatives) - log_expected
    hit = negatives == answers.targets.unsqueeze(-1)
    others = others[answers.asked_by].masked_fill(hit, float("-inf"))
    losses = torch.logaddexp(others.logsumexp(-1), right) - right
    return (losses * answers.weights).mean()
