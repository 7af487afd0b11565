"""The network of ``text_vae``: an encoder that says what a text is about, and a decoder told so.

In: texts as pieces, each begun by control tokens. Out: for each a normal distribution over few
numbers z, and scores of every next piece given a draw of it. Needs torch.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from shopsynth.generate.latent.posterior import Posterior, PosteriorHead
from shopsynth.generate.sequences.event_layer import EventLayer, rotation


@dataclass(frozen=True)
class Shape:
    """Sizes of a network over texts.

    Attributes:
        n_tokens: Pieces and specials; 0 is padding.
        n_told: Control tokens before each text, after its first token.
        dim: Width of pieces and of the encoder.
        hidden: Width of the decoder's memory.
        heads: Attention heads of the encoder.
        latent: Numbers of z.
        mask: Number of a hidden piece.
    """

    n_tokens: int
    n_told: int
    dim: int
    hidden: int
    heads: int
    latent: int
    mask: int


class TextVaeNetwork(nn.Module):
    """Encoder and decoder; both read pieces by the same vectors, and the decoder writes by them.

    The encoder is one layer of attention and a mean over pieces. The decoder is a gated recurrent
    unit that is told z and the controls at its beginning, at every piece, and once more where it
    scores: what z says is never far from a score, so that it is worth asking.

    Args:
        shape: Sizes.
        dropout: Share of activations dropped while training.
        word_dropout: Share of pieces hidden from the decoder while training.

    Attributes:
        n_steps: Batches learned from so far. In the weights, so that a resumed fit knows it.

    Source:
        Bowman et al., Generating Sentences from a Continuous Space, CoNLL 2016, arXiv 1511.06349
        (word dropout, section 3.1); Dieng et al., AISTATS 2019, arXiv 1807.04863 (z beside every
        state); Cho et al., EMNLP 2014, arXiv 1406.1078 (gated recurrent unit).
    """

    n_steps: Tensor

    def __init__(self, shape: Shape, *, dropout: float, word_dropout: float) -> None:
        super().__init__()
        self.shape = shape
        self.word_dropout = word_dropout
        self.pieces = nn.Embedding(shape.n_tokens, shape.dim)
        self.dropout = nn.Dropout(dropout)
        self.layer = EventLayer(shape.dim, shape.heads, dropout)
        self.norm = nn.RMSNorm(shape.dim)
        self.head = PosteriorHead(shape.dim, shape.latent)
        told = shape.latent + shape.dim
        self.to_input = nn.Linear(told, shape.dim)
        self.to_start = nn.Linear(told, shape.hidden)
        self.to_output = nn.Linear(told, shape.dim, bias=False)
        self.memory = nn.GRU(shape.dim, shape.hidden, batch_first=True)
        self.narrow = nn.Linear(shape.hidden, shape.dim)
        self.often = nn.Parameter(torch.zeros(shape.n_tokens))
        # Short vectors, so that first scores are near a guess; read at length 1 a number.
        nn.init.normal_(self.pieces.weight, std=shape.dim**-0.5)
        self.register_buffer("n_steps", torch.zeros((), dtype=torch.int64))

    def read(self, tokens: Tensor) -> Tensor:
        """Return each piece's vector, of about length 1 a number (Vaswani et al., section 3.4).

        A unit that reads vectors as short as those it scores by would hear next to nothing.
        """
        vectors: Tensor = self.pieces(tokens) * self.shape.dim**0.5
        return vectors

    def encode(self, tokens: Tensor) -> Posterior:
        """Read whole texts ``(row, place)``, every piece seeing all others."""
        states = self.dropout(self.read(tokens))
        place = torch.arange(tokens.shape[1], device=tokens.device)
        turn = rotation(place, self.shape.dim // self.shape.heads)
        there = tokens != 0
        states = self.layer(states, there[:, None, None, :], turn)
        weight = there.unsqueeze(-1).to(states.dtype)
        posterior: Posterior = self.head((self.norm(states) * weight).sum(1) / weight.sum(1))
        return posterior

    def told(self, z: Tensor, controls: Tensor) -> Tensor:
        """Put together what the decoder is told of each row.

        Args:
            z: ``(row, latent)``.
            controls: ``(row, n_told)`` control tokens.
        """
        return torch.cat((z, self.read(controls).sum(1)), 1)

    def states(self, tokens: Tensor, z: Tensor) -> Tensor:
        """Say what comes after each piece of begun texts.

        Args:
            tokens: ``(row, place)``, begun by the first token and the controls.
            z: ``(row, latent)``.

        Returns:
            ``(row, place, dim)``, to be scored; before the last control nothing is said (zeros).
        """
        n_told = self.shape.n_told
        told = self.told(z, tokens[:, 1 : 1 + n_told])
        read = tokens[:, n_told:]
        if self.training and self.word_dropout:
            hidden = torch.rand(read.shape, device=read.device) < self.word_dropout
            hidden[:, 0] = False
            read = read.masked_fill(hidden, self.shape.mask)
        inputs = self.dropout(self.read(read)) + self.to_input(told).unsqueeze(1)
        states, _ = self.memory(inputs, self.started(told))
        said = self.dropout(self.narrow(states)) + self.to_output(told).unsqueeze(1)
        return functional.pad(said, (0, 0, n_told, 0))

    def started(self, told: Tensor) -> Tensor:
        """Return the decoder's memory before the first piece, ``(1, row, hidden)``."""
        start: Tensor = self.to_start(told).tanh().unsqueeze(0)
        return start

    def step(self, tokens: Tensor, told: Tensor, memory: Tensor) -> tuple[Tensor, Tensor]:
        """Read one piece of each row; score the next, ``(row, n_tokens)``, and remember."""
        inputs = self.read(tokens) + self.to_input(told)
        states, memory = self.memory(inputs.unsqueeze(1), memory)
        return self.scores(self.narrow(states[:, 0]) + self.to_output(told)), memory

    def scores(self, states: Tensor) -> Tensor:
        """Score all pieces from states, ``(..., n_tokens)``."""
        scored: Tensor = functional.linear(states, self.pieces.weight, self.often)
        return scored
