"""One layer of a transformer over events, whose attention turns by positions.

In: states, and where their events stand. Out: states that have seen the events before. Needs torch.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional


class EventLayer(nn.Module):
    """Masked self-attention and a feed-forward part, each added to its input."""

    def __init__(self, dim: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.heads = heads
        self.attention_norm = nn.RMSNorm(dim)
        self.query_key_value = nn.Linear(dim, 3 * dim, bias=False)
        self.mix = nn.Linear(dim, dim, bias=False)
        self.feed_norm = nn.RMSNorm(dim)
        self.widen = nn.Linear(dim, 4 * dim)
        self.narrow = nn.Linear(4 * dim, dim)
        self.dropout = nn.Dropout(dropout)

    def parts(self, states: Tensor, turn: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor, Tensor]:
        """Make queries, keys and values, ``(row, head, event, width)``, the first two turned."""
        rows, events, dim = states.shape
        query, key, value = (
            part.view(rows, events, self.heads, dim // self.heads).transpose(1, 2)
            for part in self.query_key_value(self.attention_norm(states)).chunk(3, dim=-1)
        )
        return turned(query, turn), turned(key, turn), value

    def finish(self, states: Tensor, mixed: Tensor) -> Tensor:
        """Add attention's outcome ``(row, head, event, width)`` and the feed-forward part."""
        rows, _, events, _ = mixed.shape
        states = states + self.dropout(self.mix(mixed.transpose(1, 2).reshape(rows, events, -1)))
        wide = functional.gelu(self.widen(self.feed_norm(states)))
        fed: Tensor = states + self.dropout(self.narrow(wide))
        return fed

    def forward(self, states: Tensor, visible: Tensor, turn: tuple[Tensor, Tensor]) -> Tensor:
        """Map ``(row, event, dim)`` to the same; ``visible`` is ``(event, event)``."""
        query, key, value = self.parts(states, turn)
        mixed = functional.scaled_dot_product_attention(query, key, value, attn_mask=visible)
        return self.finish(states, mixed)


def rotation(place: Tensor, width: int) -> tuple[Tensor, Tensor]:
    """Return cosines and sines of rotary positions, ``(event, width / 2)`` each."""
    speeds = 10_000.0 ** (-torch.arange(0, width, 2, device=place.device) / width)
    angles = place.unsqueeze(-1) * speeds
    return angles.cos(), angles.sin()


def turned(vectors: Tensor, turn: tuple[Tensor, Tensor]) -> Tensor:
    """Turn the halves of ``(..., event, width)`` against each other by their positions."""
    first, second = vectors.chunk(2, dim=-1)
    cosine, sine = turn
    return torch.cat([first * cosine - second * sine, second * cosine + first * sine], dim=-1)
