"""The network of ``sequence_lm``: a causal transformer over events, and what it says of the next.

In: histories as tokens. Out: one state an event, and from a state the scores of the next event's
gap, whether its item was had before and which, its item code by code, and its type. Needs torch.
"""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from shopsynth.generate.sequences.event_layer import EventLayer, rotation
from shopsynth.generate.sequences.semantic_ids import SemanticIds

_LINEAR_STD = 0.02
"""Of BERT and GPT-2: first scores are near 0, so the first loss is that of a guess."""

_EMBEDDING_STD = 0.15
"""At .02 as well, 4,000 users of Amazon Beauty surprise .06 nats an event more at the end."""

_EXACT_LENGTHS = 16
_N_LENGTHS = 48
"""Numbers of events to come: exact up to 16, then four buckets a doubling."""

_LEAST_GUESS = 1e-30

_IMPOSSIBLE = -1e9
"""Score of what cannot be; finite, so that a row of it has no gradient that is not a number."""


@dataclass(frozen=True)
class Shape:
    """What fixes the shapes of a :class:`HistoryNetwork`.

    Attributes:
        n_gaps: Gap tokens.
        n_kinds: Event types.
        n_moments: Parts of the period.
        attributes: Values of each user attribute, 0 being unknown.
        dim: Width of every layer.
        layers: Transformer layers.
        heads: Attention heads; must divide ``dim`` into even parts.
        context: Newest events that a layer looks at.
        latent: Numbers that say who a history is of; 0 where none do.
    """

    n_gaps: int
    n_kinds: int
    n_moments: int
    attributes: tuple[int, ...]
    dim: int
    layers: int
    heads: int
    context: int
    latent: int = 0


@dataclass(frozen=True)
class Inputs:
    """The event before each asked one and what is known of the user, ``(row, event)`` each.

    At the start of a history there is no event before: ``is_start`` is true and only ``to_come``,
    ``attributes``, ``(row, n_attributes)``, and ``latent``, ``(row, latent)``, are read.
    """

    item: Tensor
    gap: Tensor
    kind: Tensor
    moment: Tensor
    to_come: Tensor
    is_start: Tensor
    attributes: Tensor
    latent: Tensor | None = None


@dataclass(frozen=True)
class Guess:
    """What the first guess of a new item is made of, one entry an event.

    Attributes:
        company: Weight of the company of the items before.
        popular: Weight of popularity.
    """

    company: Tensor
    popular: Tensor

    def take(self, rows: Tensor) -> "Guess":
        """Return the entries of some events."""
        return Guess(self.company[rows], self.popular[rows])


class HistoryNetwork(nn.Module):
    """Item codes, types, gaps and the number of events to come in; next events out.

    Args:
        shape: The shapes.
        ids: Codes of the catalogue.
        own: ``(n_items,)`` number of each item's own embedding, 0 for items that have none.
        weights: ``(n_items,)`` above 0: popularity.
        dropout: Share of activations dropped while training, in [0, 1).

    Source:
        Kang and McAuley, SASRec, ICDM 2018, for the events; light heads from code to code after
        Lee et al., RQ-Transformer, CVPR 2022, arXiv 2203.01941; RMSNorm, Zhang and Sennrich 2019;
        rotary positions, Su et al., arXiv 2104.09864; the gate between buying again and exploring,
        Ren et al., RepeatNet, AAAI 2019.
    """

    codes: Tensor
    own: Tensor
    item_of: Tensor

    def __init__(
        self,
        shape: Shape,
        ids: SemanticIds,
        own: Tensor,
        weights: NDArray[np.float64],
        dropout: float,
    ) -> None:
        super().__init__()
        dim = shape.dim
        self.shape = shape
        self.register_buffer("codes", torch.from_numpy(ids.codes).long(), persistent=False)
        self.register_buffer("own", own, persistent=False)
        self.register_buffer("item_of", torch.from_numpy(ids.item_of), persistent=False)
        for level, table in enumerate(ids.children):
            self.register_buffer(f"children_{level}", torch.from_numpy(table), persistent=False)
            popular = np.bincount(ids.nodes[:, level], weights=weights / weights.sum())
            shares = torch.from_numpy(popular).float()
            self.register_buffer(f"popular_{level}", shares, persistent=False)
        self.code_tables = nn.ModuleList(nn.Embedding(size, dim) for size in ids.sizes)
        self.own_items = nn.Embedding(int(own.max()) + 1, dim, padding_idx=0)
        self.gaps = nn.Embedding(shape.n_gaps, dim)
        self.kinds = nn.Embedding(shape.n_kinds, dim)
        self.moments = nn.Embedding(shape.n_moments, dim)
        self.to_come = nn.Embedding(_N_LENGTHS, dim)
        self.start = nn.Parameter(torch.zeros(dim))
        self.attributes = nn.ModuleList(nn.Embedding(size, dim) for size in shape.attributes)
        layers = [EventLayer(dim, shape.heads, dropout) for _ in range(shape.layers)]
        self.layers = nn.ModuleList(layers)
        self.norm = nn.RMSNorm(dim)
        self.dropout = nn.Dropout(dropout)
        self.to_gap = nn.Linear(dim, shape.n_gaps)
        self.to_sources = nn.Linear(dim, 2)
        self.to_query = nn.Linear(dim, dim)
        self.to_key = nn.Linear(dim, dim)
        self.to_codes = nn.ModuleList(nn.Linear(dim, dim) for _ in ids.sizes)
        self.to_kind = nn.Sequential(
            nn.Linear(2 * dim, dim), nn.GELU(), nn.Linear(dim, shape.n_kinds)
        )
        self.apply(_initialise)
        self.from_latent = _from_latent(shape) if shape.latent else None

    def next_nodes(self, level: int) -> Tensor:
        """Return the tree's ``(n_nodes, size)`` next nodes at a level, -1 where none is."""
        table: Tensor = self.get_buffer(f"children_{level}")
        return table

    def items(self, item: Tensor) -> Tensor:
        """Embed items by their codes and, where they have one, their own vector."""
        embedded: Tensor = self.own_items(self.own[item])
        for level, table in enumerate(self.code_tables):
            embedded = embedded + table(self.codes[item, level])
        return embedded

    def embed(self, inputs: Inputs) -> Tensor:
        """Embed what stands before each asked event: ``(row, event, dim)``."""
        before = (
            self.items(inputs.item)
            + self.gaps(inputs.gap)
            + self.kinds(inputs.kind)
            + self.moments(inputs.moment)
        )
        embedded = torch.where(inputs.is_start.unsqueeze(-1), self.start, before)
        embedded = embedded + self.to_come(length_bucket(inputs.to_come))
        for place, table in enumerate(self.attributes):
            embedded = embedded + table(inputs.attributes[:, place]).unsqueeze(1)
        if self.from_latent is not None:
            embedded = embedded + self.from_latent(inputs.latent).unsqueeze(1)
        dropped: Tensor = self.dropout(embedded)
        return dropped

    def forward(self, inputs: Inputs) -> Tensor:
        """Encode whole histories, each event seeing the ``context`` newest ones: states."""
        states = self.embed(inputs)
        n = states.shape[1]
        place = torch.arange(n, device=states.device)
        distance = place.unsqueeze(1) - place
        visible = (distance >= 0) & (distance < self.shape.context)
        turn = rotation(place, self.shape.dim // self.shape.heads)
        for layer in self.layers:
            states = layer(states, visible, turn)
        normed: Tensor = self.norm(states)
        return normed

    def told(self, states: Tensor, gap: Tensor) -> Tensor:
        """Add to states the gap to the next event, once it is known."""
        told: Tensor = states + self.gaps(gap)
        return told

    def sources(self, told: Tensor) -> tuple[Guess, Tensor]:
        """Say what the first guess is made of, and score that an item comes again.

        Returns:
            The guess, weights that sum to 1, and ``(event,)`` scores.
        """
        company, again = self.to_sources(told).float().unbind(-1)
        return Guess(company.sigmoid(), (-company).sigmoid()), again

    def code_state(self, told: Tensor, level: int, passed: Tensor) -> Tensor:
        """Turn states into the query of one level, given the codes passed on the way.

        Args:
            told: ``(event, dim)``.
            level: Level of the asked code.
            passed: ``(event, level)`` codes of the levels above.
        """
        query = self.to_codes[level](told)
        for above in range(level):
            query = query + self.code_tables[above](passed[:, above])
        return functional.gelu(query)

    def code_scores(
        self, query: Tensor, level: int, children: Tensor, guess: Guess, mass: Tensor
    ) -> Tensor:
        """Score the codes of one level, ``(event, size)``; codes that lead nowhere are impossible.

        Args:
            query: Of :meth:`code_state`.
            level: Level of the asked code.
            children: ``(event, size)`` node that each code leads to, -1 for none.
            guess: What the first guess is made of.
            mass: ``(event, size)`` share of the company behind each code.
        """
        nodes = children.clamp_min(0)
        table = self.code_tables[level].get_parameter("weight")
        scores = query @ table.T
        popular = self.get_buffer(f"popular_{level}")[nodes]
        first = guess.company.unsqueeze(1) * mass + guess.popular.unsqueeze(1) * popular
        scores = scores + first.clamp_min(_LEAST_GUESS).log()
        if level == len(self.code_tables) - 1:
            own = self.own[self.item_of[nodes]]
            scores = scores + torch.einsum("ed,ecd->ec", query, self.own_items(own))
        return scores.float().masked_fill(children < 0, _IMPOSSIBLE)

    def pointer_scores(self, told: Tensor, keys: Tensor) -> Tensor:
        """Score for each asked event the events before it as the one whose item comes again.

        Args:
            told: ``(row, asked, dim)``.
            keys: ``(row, event, dim)`` of ``to_key``, of states that have seen the event scored.

        Returns:
            ``(row, asked, event)``.
        """
        query: Tensor = self.to_query(told) / self.shape.dim**0.5
        return (query @ keys.transpose(-1, -2)).float()

    def kind_scores(self, told: Tensor, item: Tensor) -> Tensor:
        """Score the next event's types given its item: ``(event, n_kinds)``."""
        scores: Tensor = self.to_kind(torch.cat([told, self.items(item)], dim=-1)).float()
        return scores


def length_bucket(to_come: Tensor) -> Tensor:
    """Put numbers of events to come into buckets, exact up to 16."""
    ratio = to_come.clamp_min(_EXACT_LENGTHS) / _EXACT_LENGTHS
    bucket = _EXACT_LENGTHS + (4 * torch.log2(ratio.double())).long()
    return torch.where(to_come < _EXACT_LENGTHS, to_come, bucket).clamp(0, _N_LENGTHS - 1)


def _from_latent(shape: Shape) -> nn.Linear:
    """Make the way in of ``latent``: each number counts as much at first as an embedding does."""
    linear = nn.Linear(shape.latent, shape.dim)
    nn.init.normal_(linear.weight, std=_EMBEDDING_STD)
    nn.init.zeros_(linear.bias)
    return linear


def _initialise(module: nn.Module) -> None:
    if isinstance(module, nn.Linear):
        nn.init.normal_(module.weight, std=_LINEAR_STD)
        if module.bias is not None:
            nn.init.zeros_(module.bias)
    if isinstance(module, nn.Embedding):
        nn.init.normal_(module.weight, std=_EMBEDDING_STD)
        if module.padding_idx is not None:
            nn.init.zeros_(module.weight[module.padding_idx])
