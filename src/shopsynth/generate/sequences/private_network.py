"""The network of mode dp: a small causal transformer that corrects a noisy chain over groups.

In: group numbers of histories. Out: scores of every next group. Needs torch.

It is trained by noisy gradients, and noise grows with the number of weights, so it has few: what
the noisy chain says already it need not learn.
"""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from shopsynth.generate.sequences.event_layer import EventLayer, rotation
from shopsynth.privacy.mechanisms.token_windows import FIRST_ITEM

_HEADS = 2
_OWN_STD = 0.15
"""Of first group vectors, as in ``HistoryNetwork``; without content they tell groups apart."""


class PrivateNetwork(nn.Module):
    """Scores of next groups: those of a chain, a habit of coming back, and a transformer's.

    All start weights are public, and at the start the scores are the chain's. Numbers are those of
    ``token_windows``: ``FIRST_ITEM`` and a group.

    Args:
        chain: ``(n_tokens, n_tokens)`` logarithms of next chances after each token; not trained.
        content: ``(n_groups, n_directions)`` what the public catalogue says of each group.
        dim: Width of every layer.
        layers: Transformer layers.

    Source:
        Kang and McAuley, SASRec, ICDM 2018; corrections of a counted guess, Khandelwal et al.,
        arXiv 1911.00172; the habit, Ren et al., RepeatNet, AAAI 2019.
    """

    chain: Tensor
    content: Tensor
    numbers: Tensor

    def __init__(
        self,
        chain: NDArray[np.float32],
        content: NDArray[np.float32],
        *,
        dim: int,
        layers: int,
    ) -> None:
        super().__init__()
        n_tokens = chain.shape[0]
        above = np.zeros((n_tokens, content.shape[1]), dtype=np.float32)
        above[FIRST_ITEM:] = content
        self.dim = dim
        self.register_buffer("chain", torch.from_numpy(chain), persistent=False)
        self.register_buffer("content", torch.from_numpy(above), persistent=False)
        self.register_buffer("numbers", torch.arange(n_tokens), persistent=False)
        self.own = nn.Embedding(n_tokens, dim)
        self.told = nn.Linear(content.shape[1], dim, bias=False)
        self.layers = nn.ModuleList(EventLayer(dim, _HEADS, 0.0) for _ in range(layers))
        self.norm = nn.RMSNorm(dim)
        self.to_scores = nn.Linear(dim, dim, bias=False)
        self.habits = nn.Parameter(torch.zeros(2))
        nn.init.normal_(self.own.weight, std=_OWN_STD)
        nn.init.normal_(self.told.weight, std=_OWN_STD)
        nn.init.zeros_(self.to_scores.weight)

    def forward(self, tokens: Tensor) -> Tensor:
        """Map ``(windows, length)`` to ``(windows, length, n_tokens)``, causally."""
        vectors, states = self._encode(tokens)
        counts = (tokens.unsqueeze(-1) == self.numbers).float().cumsum(dim=-2)
        return self._scored(tokens, states, counts, vectors)

    def newest(self, tokens: Tensor) -> Tensor:
        """Return what :meth:`forward` says after each window's last token, ``(n, n_tokens)``."""
        vectors, states = self._encode(tokens)
        counts = (tokens.unsqueeze(-1) == self.numbers).float().sum(dim=-2, keepdim=True)
        return self._scored(tokens[:, -1:], states[:, -1:], counts, vectors)[:, 0]

    def _encode(self, tokens: Tensor) -> tuple[Tensor, Tensor]:
        vectors = self.own(self.numbers) + self.told(self.content)
        states = vectors[tokens]
        place = torch.arange(tokens.shape[-1], device=tokens.device)
        visible = place.unsqueeze(1) >= place
        turn = rotation(place, self.dim // _HEADS)
        for layer in self.layers:
            states = layer(states, visible, turn)
        return vectors, self.norm(states)

    def _scored(self, tokens: Tensor, states: Tensor, counts: Tensor, vectors: Tensor) -> Tensor:
        """Add up the three parts.

        The habit is a power of how often a group was before, one for the newest event's group and
        one for all others.
        """
        newest = tokens.unsqueeze(-1) == self.numbers
        habit = torch.where(newest, self.habits[0], self.habits[1])
        often = torch.log1p(torch.where(newest, counts - 1, counts)) * (self.numbers >= FIRST_ITEM)
        scores: Tensor = self.chain[tokens] + habit * often + self.to_scores(states) @ vectors.T
        return scores
