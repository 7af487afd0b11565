"""The network of ``sequence_vae``: an encoder that says who a history is of, and a decoder told so.

In: whole histories as tokens. Out: for each a normal distribution over few numbers z, and the
decoder's states given a draw of it. Needs torch.
"""

from dataclasses import dataclass, replace
from typing import Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from shopsynth.generate.latent.posterior import Posterior, PosteriorHead
from shopsynth.generate.sequences.batches import Batch
from shopsynth.generate.sequences.event_layer import EventLayer, rotation
from shopsynth.generate.sequences.event_tokens import Tokens
from shopsynth.generate.sequences.network import HistoryNetwork, Inputs


@dataclass(frozen=True)
class Seen:
    """Events that are all known, ``(row, event)`` each; ``real`` is false for padding."""

    item: Tensor
    gap: Tensor
    kind: Tensor
    moment: Tensor
    real: Tensor

    @classmethod
    def of(cls, tokens: Tokens, batch: Batch, device: torch.device) -> Self:
        """Lay out a batch."""
        event = batch.event
        parts = tokens.item[event], tokens.gap[event], tokens.kind[event], tokens.moment[event]
        return cls.laid(*parts, batch.real, device=device)

    @classmethod
    def laid(cls, *parts: NDArray[np.generic], device: torch.device) -> Self:
        """Bring the five parts, in the order of the fields, to where the network is."""
        return cls(*(torch.from_numpy(np.ascontiguousarray(part)).to(device) for part in parts))


class HistoryVae(nn.Module):
    """Encoder and decoder; both read events by the same embeddings.

    Args:
        decoder: A network over events that is told z at every event.
        layers: Transformer layers of the encoder.
        dropout: Share of activations dropped while training, in [0, 1).

    Attributes:
        n_steps: Batches learned from so far. In the weights, so that a resumed fit knows it.

    Source:
        Kingma and Welling, Auto-Encoding Variational Bayes, ICLR 2014, arXiv 1312.6114; over
        sequences: Bowman et al., CoNLL 2016, arXiv 1511.06349.
    """

    n_steps: Tensor

    def __init__(self, decoder: HistoryNetwork, layers: int, dropout: float) -> None:
        super().__init__()
        shape = decoder.shape
        self.decoder = decoder
        self.layers = nn.ModuleList(
            EventLayer(shape.dim, shape.heads, dropout) for _ in range(layers)
        )
        self.norm = nn.RMSNorm(shape.dim)
        self.dropout = nn.Dropout(dropout)
        self.head = PosteriorHead(shape.dim, shape.latent)
        self.register_buffer("n_steps", torch.zeros((), dtype=torch.int64))

    def encode(self, seen: Seen) -> Posterior:
        """Read whole histories, every event seeing all others, and take the mean of what is said.

        A row without real events says nothing: it has the distribution of an empty summary.
        """
        decoder = self.decoder
        states = self.dropout(
            decoder.items(seen.item)
            + decoder.gaps(seen.gap)
            + decoder.kinds(seen.kind)
            + decoder.moments(seen.moment)
        )
        place = torch.arange(states.shape[1], device=states.device)
        turn = rotation(place, decoder.shape.dim // decoder.shape.heads)
        visible = seen.real[:, None, None, :]
        for layer in self.layers:
            states = layer(states, visible, turn)
        weight = seen.real.unsqueeze(-1).to(states.dtype)
        summary = (self.norm(states) * weight).sum(1) / weight.sum(1).clamp_min(1.0)
        posterior: Posterior = self.head(summary)
        return posterior

    def forward(self, seen: Seen, inputs: Inputs, noise: Tensor) -> tuple[Posterior, Tensor]:
        """Encode histories, draw z by ``noise``, and decode: posteriors and the decoder's states.

        Args:
            seen: The histories.
            inputs: What stands before each event; its ``latent`` is not read.
            noise: ``(row, latent)`` standard normal.
        """
        posterior = self.encode(seen)
        states: Tensor = self.decoder(replace(inputs, latent=posterior.draw(noise)))
        return posterior, states
