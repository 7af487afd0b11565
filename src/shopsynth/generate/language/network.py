"""The network of ``text_lm``: a transformer over pieces of words, causal or looking both ways.

In: pieces of texts as numbers. Out: scores of the next piece, or of hidden ones. Needs torch.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional

from shopsynth.generate.sequences.event_layer import EventLayer, rotation

_STD = 0.02
"""Of BERT and GPT-2: first scores are near 0, so the first loss is that of a guess."""

_PAD = 0


class TextNetwork(nn.Module):
    """Pieces in, scores of pieces out; the same vectors read and write.

    Args:
        n_tokens: Pieces and specials; 0 is padding.
        dim: Width of every layer.
        layers: Transformer layers.
        heads: Attention heads; must divide ``dim`` into even parts.
        dropout: Share of activations dropped while training.
        causal: Whether a piece sees only those before it.

    Source:
        Radford et al., GPT-2, 2019, and Devlin et al., BERT, NAACL 2019, with rotary positions, Su
        et al., arXiv 2104.09864; tied vectors, Press and Wolf, EACL 2017.
    """

    def __init__(
        self, n_tokens: int, *, dim: int, layers: int, heads: int, dropout: float, causal: bool
    ) -> None:
        super().__init__()
        self.width = dim // heads
        self.causal = causal
        self.pieces = nn.Embedding(n_tokens, dim)
        self.dropout = nn.Dropout(dropout)
        self.layers = nn.ModuleList(EventLayer(dim, heads, dropout) for _ in range(layers))
        self.norm = nn.RMSNorm(dim)
        self.often = nn.Parameter(torch.zeros(n_tokens))
        self.apply(_initialise)

    def states(self, tokens: Tensor) -> Tensor:
        """Encode ``(row, place)`` to ``(row, place, dim)``."""
        states = self.dropout(self.pieces(tokens))
        place = torch.arange(tokens.shape[-1], device=tokens.device)
        before, there = place.unsqueeze(1) >= place, (tokens != _PAD)[:, None, None, :]
        visible = before if self.causal else there
        turn = rotation(place, self.width)
        for layer in self.layers:
            states = layer(states, visible, turn)
        normed: Tensor = self.norm(states)
        return normed

    def scores(self, states: Tensor) -> Tensor:
        """Score all pieces from states, ``(..., n_tokens)``."""
        scored: Tensor = functional.linear(states, self.pieces.weight, self.often)
        return scored

    def forward(self, tokens: Tensor) -> Tensor:
        """Map ``(row, place)`` to ``(row, place, n_tokens)``."""
        return self.scores(self.states(tokens))


class Memory:
    """What the layers of a causal network remember of rows that grow together.

    Args:
        network: In evaluation mode.
        rows: Rows that grow.
        length: Most pieces of a row.
    """

    def __init__(self, network: TextNetwork, rows: int, length: int) -> None:
        weight = network.pieces.weight
        n_heads = weight.shape[1] // network.width
        shape = (len(network.layers), 2, rows, n_heads, length, network.width)
        self._network = network
        self._kept = torch.empty(shape, dtype=weight.dtype, device=weight.device)
        self._turn = rotation(torch.arange(length, device=weight.device), network.width)
        self._place = 0
        self.device = weight.device

    def read(self, tokens: Tensor) -> Tensor:
        """Read the next piece of each row, ``(row,)``; score what follows, ``(row, n_tokens)``."""
        place, network = self._place, self._network
        turn = self._turn[0][place : place + 1], self._turn[1][place : place + 1]
        states = network.pieces(tokens).unsqueeze(1)
        for layer, kept in zip(network.layers, self._kept, strict=True):
            if not isinstance(layer, EventLayer):
                raise TypeError("expected layers of events")
            query, key, value = layer.parts(states, turn)
            kept[0, :, :, place : place + 1], kept[1, :, :, place : place + 1] = key, value
            mixed = functional.scaled_dot_product_attention(
                query, kept[0, :, :, : place + 1], kept[1, :, :, : place + 1]
            )
            states = layer.finish(states, mixed)
        self._place += 1
        return network.scores(network.norm(states)[:, 0])

    def keep(self, rows: Tensor) -> None:
        """Forget all rows but some."""
        self._kept = self._kept[:, :, rows]


def _initialise(module: nn.Module) -> None:
    if isinstance(module, nn.Linear):
        nn.init.normal_(module.weight, std=_STD)
        if module.bias is not None:
            nn.init.zeros_(module.bias)
    if isinstance(module, nn.Embedding):
        nn.init.normal_(module.weight, std=_STD)
