"""The network of GRU4Rec: gated recurrent units over packed histories.

In: item indices with their positions and histories' numbers. Out: one state a token, whose cosine
with an item's embedding is that item's score. Needs torch.
"""

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence

from shopsynth.train.next_item._network import HistoryNetwork

_INITIAL_STD = 0.02  # as SASRec's embeddings; only directions matter, the norm rescales the input


class GruNetwork(HistoryNetwork):
    """Item embeddings, recurrent layers, and the item embeddings again as output.

    Args:
        n_items: Items of the catalogue.
        dim: Width of an item's embedding.
        hidden: Width of the recurrent state.
        layers: Recurrent layers.
        dropout: Share of activations dropped while training, in [0, 1).
        temperature: Cosines are divided by it to become logits.

    Source:
        Hidasi, Karatzoglou, Baltrunas and Tikk, Session-based Recommendations with Recurrent
        Neural Networks, ICLR 2016 (https://arxiv.org/abs/1511.06939). Departures: embeddings
        shared by input and output, as in its authors' later work
        (https://arxiv.org/abs/1706.03847), and cosines over a temperature, as our SASRec.
    """

    def __init__(
        self,
        n_items: int,
        dim: int,
        hidden: int,
        layers: int,
        dropout: float,
        temperature: float,
    ) -> None:
        super().__init__(n_items, dim, temperature)
        nn.init.normal_(self.items.weight, std=_INITIAL_STD)
        self.dropout = nn.Dropout(dropout)
        self.norm = nn.LayerNorm(dim)
        # nn.GRU drops between layers only, and warns where there is a single one.
        self.gru = nn.GRU(dim, hidden, layers, dropout=dropout if layers > 1 else 0.0)
        self.narrow = nn.Linear(hidden, dim)

    def forward(self, items: Tensor, positions: Tensor, histories: Tensor) -> Tensor:
        """Encode packed histories; each starts from a state of zeros."""
        order, batch_sizes = _steps(positions, histories)
        states = self.narrow.bias.new_zeros(items.numel(), self.narrow.out_features)
        if len(order):
            inputs = self.norm(self.dropout(self.items(items.flatten()[order])))
            # cuDNN's kernels are not deterministic everywhere, and copied weights make them warn.
            # The recurrence stays float32: on a CPU bfloat16 makes a step 1.4 times as long.
            with (
                torch.backends.cudnn.flags(enabled=False),
                torch.autocast(inputs.device.type, enabled=False),
            ):
                hidden, _ = self.gru(PackedSequence(inputs.float(), batch_sizes))
            states = states.index_copy(0, order, self.narrow(self.dropout(hidden.data)).float())
        return states.view(*items.shape, -1)


def _steps(positions: Tensor, histories: Tensor) -> tuple[Tensor, Tensor]:
    """Order tokens as a recurrence reads them: all first tokens, all second tokens, and so on.

    Args:
        positions: ``(row, token)`` place of a token in its history, from 0.
        histories: ``(row, token)`` 0 is padding. A history's tokens stand next to each other.

    Returns:
        ``(token,)`` flat indices, within a step the longest history first, and ``(step,)`` the
        histories still going at each step, on the CPU as :class:`PackedSequence` wants it.
    """
    tokens = histories.flatten().nonzero().squeeze(1)
    places = positions.flatten()[tokens]
    history = (places == 0).cumsum(0) - 1
    lengths = history.bincount()
    longest_first = lengths.argsort(descending=True, stable=True)
    rank = torch.empty_like(lengths)
    rank[longest_first] = torch.arange(len(lengths), device=lengths.device)
    order = (places * len(lengths) + rank[history]).argsort()
    return tokens[order], places.bincount().cpu()
