"""The network of SASRec: a causal transformer over packed histories.

In: item indices with their positions and histories' numbers. Out: one state a token, whose cosine
with an item's embedding is that item's score. Needs torch.
"""

from dataclasses import dataclass

from torch import Tensor, nn
from torch.nn import functional

from shopsynth.train.next_item._network import HistoryNetwork

_INITIAL_STD = 0.02  # of BERT and GPT-2; keeps first logits near 0, so the first loss is ln(items)


@dataclass(frozen=True)
class NetworkSize:
    """What fixes the shapes of a :class:`SasrecNetwork`.

    Attributes:
        n_items: Items of the catalogue.
        dim: Width of an item's embedding and of every layer.
        layers: Transformer layers.
        heads: Attention heads; must divide ``dim``.
        max_length: Longest history, in tokens.
    """

    n_items: int
    dim: int
    layers: int
    heads: int
    max_length: int


class SasrecNetwork(HistoryNetwork):
    """Item and position embeddings, transformer layers, and the item embeddings again as output.

    Args:
        size: The shapes.
        dropout: Share of activations dropped while training, in [0, 1).
        temperature: Cosines are divided by it to become logits.

    Source:
        Kang and McAuley, Self-Attentive Sequential Recommendation, ICDM 2018
        (https://arxiv.org/abs/1808.09781). Departures: layer norm before each part as in GPT-2,
        and cosines over a temperature in place of inner products, which reaches the same
        validation NDCG in less than half the steps.
    """

    def __init__(self, size: NetworkSize, dropout: float, temperature: float) -> None:
        super().__init__(size.n_items, size.dim, temperature)
        self.positions = nn.Embedding(size.max_length, size.dim)
        self.dropout = nn.Dropout(dropout)
        self.layers = nn.ModuleList(
            _Layer(size.dim, size.heads, dropout) for _ in range(size.layers)
        )
        self.norm = nn.LayerNorm(size.dim)
        self.apply(_initialise)

    def forward(self, items: Tensor, positions: Tensor, histories: Tensor) -> Tensor:
        """Encode packed histories."""
        same = histories.unsqueeze(-1) == histories.unsqueeze(-2)
        visible = same.tril().unsqueeze(1)
        states = self.dropout(self.items(items) + self.positions(positions))
        for layer in self.layers:
            states = layer(states, visible)
        normed: Tensor = self.norm(states)
        return normed


class _Layer(nn.Module):
    """Masked self-attention and a feed-forward part, each added to its input."""

    def __init__(self, dim: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.heads = heads
        self.attention_norm = nn.LayerNorm(dim)
        self.query_key_value = nn.Linear(dim, 3 * dim)
        self.mix = nn.Linear(dim, dim)
        self.feed_norm = nn.LayerNorm(dim)
        self.widen = nn.Linear(dim, 4 * dim)
        self.narrow = nn.Linear(4 * dim, dim)
        self.dropout = nn.Dropout(dropout)

    def forward(self, states: Tensor, visible: Tensor) -> Tensor:
        """Map ``(row, token, dim)`` to the same; ``visible`` is ``(row, 1, token, token)``."""
        rows, tokens, dim = states.shape
        parts = self.query_key_value(self.attention_norm(states))
        query, key, value = (
            part.view(rows, tokens, self.heads, dim // self.heads).transpose(1, 2)
            for part in parts.chunk(3, dim=-1)
        )
        mixed = functional.scaled_dot_product_attention(query, key, value, attn_mask=visible)
        mixed = mixed.transpose(1, 2).reshape(rows, tokens, dim)
        states = states + self.dropout(self.mix(mixed))
        wide = functional.gelu(self.widen(self.feed_norm(states)))
        fed: Tensor = states + self.dropout(self.narrow(wide))
        return fed


def _initialise(module: nn.Module) -> None:
    if isinstance(module, nn.Linear | nn.Embedding):
        nn.init.normal_(module.weight, std=_INITIAL_STD)
    if isinstance(module, nn.Linear):
        nn.init.zeros_(module.bias)
