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
from torch.nn import functional

from shopsynth.generate.sequences.batches import Batch
from shopsynth.generate.sequences.event_layer import EventLayer, rotation
from shopsynth.generate.sequences.event_tokens import Tokens
from shopsynth.generate.sequences.network import HistoryNetwork, Inputs

SPREAD = 0.7
"""Standard deviation of the posteriors' means over people. Fixed, it leaves z something to say: the
divergence cannot fall below what it costs, so that the decoder never finds z to be noise alone."""

_LEAST_ROWS = 8
"""Histories whose moments are taken; a batch with fewer is moved and scaled by those before."""

_FIRST_LOG_VARIANCE = -2.0
"""Of z's noise at first: a decoder that meets hardly more than noise learns to do without z."""

_LEAST_VARIANCE, _MOST_VARIANCE = -8.0, 4.0
"""Bounds on the logarithm of a variance, so that no divergence overflows."""


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


@dataclass(frozen=True)
class Posterior:
    """Who histories may be of: independent normal distributions, ``(row, latent)`` each."""

    mean: Tensor
    log_variance: Tensor

    def draw(self, noise: Tensor) -> Tensor:
        """Turn standard normal noise ``(row, latent)`` into draws that gradients pass through."""
        return self.mean + noise * (0.5 * self.log_variance).exp()

    def divergence(self) -> Tensor:
        """Return the KL divergence from the standard normal prior: ``(row, latent)`` nats."""
        variance = self.log_variance.exp()
        return 0.5 * (self.mean.square() + variance - 1.0 - self.log_variance)


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
        sequences: Bowman et al., CoNLL 2016, arXiv 1511.06349. Means of fixed spread: Zhu et al.,
        ACL 2020, arXiv 2004.12585.
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
        self.to_mean = nn.Linear(shape.dim, shape.latent, bias=False)
        self.moments = nn.BatchNorm1d(shape.latent, affine=False)
        self.to_log_variance = nn.Linear(shape.dim, shape.latent)
        nn.init.constant_(self.to_log_variance.bias, _FIRST_LOG_VARIANCE)
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
        log_variance = self.to_log_variance(summary).float()
        mean = SPREAD * functional.batch_norm(
            self.to_mean(summary).float(),
            self.moments.running_mean,
            self.moments.running_var,
            training=self.training and summary.shape[0] >= _LEAST_ROWS,
        )
        return Posterior(mean, log_variance.clamp(_LEAST_VARIANCE, _MOST_VARIANCE))

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


def as_array(tensor: Tensor) -> NDArray[np.float32]:
    """Bring numbers back from where they were computed."""
    array: NDArray[np.float32] = tensor.detach().float().cpu().numpy()
    return array
