"""Growing histories: many at once, event by event, none of which was impossible in the shop.

In: a fitted network and a plan of the wanted histories. Out: :class:`Histories` that keep to it.
Needs torch.

An item's codes lead to an item, a gap stays in the period, a type follows what the user did with
the item before, and an item comes again only where the network says so and the shop has it.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from shopsynth.generate._edits import joined, keep_events, take_users
from shopsynth.generate._histories import Histories
from shopsynth.generate._wholes import Wholes
from shopsynth.generate.sequences.company import Company, Deck
from shopsynth.generate.sequences.event_tokens import FIRST, EventTokens, Tokens
from shopsynth.generate.sequences.event_types import bits_of
from shopsynth.generate.sequences.item_draws import (
    FREELY,
    IMPOSSIBLE,
    EvenUniforms,
    ItemTree,
    Taste,
    drawn,
)
from shopsynth.generate.sequences.network import Guess, HistoryNetwork, Inputs
from shopsynth.generate.sequences.past import Past
from shopsynth.generate.sequences.plan import Plan
from shopsynth.generate.sequences.semantic_ids import SemanticIds

Ints = NDArray[np.int64]


_TRIES = 8
"""Draws of a history that came out as a real one; a shop in which all go alike has no other."""


@dataclass(frozen=True)
class Learned:
    """What a fit gives a decoder.

    Attributes:
        network: In evaluation mode.
        ids: Codes of the catalogue.
        tokens: The vocabulary of events.
        company: Neighbours of items.
        weights: ``(n_items,)`` above 0: popularity.
        repeats: Whether anybody has an item twice.
        wholes: Histories that must not come again.
        n_users: Real histories.
        loss: Surprise of the held-out users, nats an event.
        n_steps: Optimiser steps taken.
    """

    network: HistoryNetwork
    ids: SemanticIds
    tokens: EventTokens
    company: Company
    weights: NDArray[np.float64]
    repeats: bool
    wholes: Wholes
    n_users: int
    loss: float
    n_steps: int


@dataclass(frozen=True)
class Draws:
    """What all blocks of a sample share.

    Attributes:
        taste: How freely is drawn.
        even: Uniforms of item draws, by the item before.
        deck: Pairs that are left to be dealt.
        random: Source of all other randomness.
    """

    taste: Taste
    even: EvenUniforms
    deck: Deck
    random: np.random.Generator

    @classmethod
    def begin(cls, learned: Learned, n: int, taste: Taste, random: np.random.Generator) -> Self:
        """Begin a sample of ``n`` histories."""
        n_items = learned.ids.n_items
        even = EvenUniforms(n_items + 1, random)
        return cls(taste, even, Deck(learned.company, n / learned.n_users), random)


@torch.inference_mode()
def grow(learned: Learned, plan: Plan, draws: Draws) -> Histories:
    """Sample one block of histories, in the order of the plan.

    A history that has all items that may come, and may have none of them again, ends early. One
    that came out as a real person's, event by event, is drawn anew.
    """
    made = _grown(learned, plan, draws)
    for _ in range(_TRIES):
        copies = np.flatnonzero(learned.wholes.had(made.item, made.offsets))
        if not copies.size:
            break
        again = _grown(learned, plan.take(copies), draws)
        places = np.arange(made.n_users)
        places[copies] = made.n_users + np.arange(copies.size)
        made = take_users(joined([made, again]), places)
    return made


def _grown(learned: Learned, plan: Plan, draws: Draws) -> Histories:
    # Longest first, so that those still growing are a prefix.
    longest_first = np.argsort(-plan.lengths, kind="stable")
    histories = _Block(learned, plan.take(longest_first), draws).grow()
    return take_users(histories, np.argsort(longest_first))


class _Block:
    """Histories that grow together; arrays are ``(n, longest)``, items -1 where there is none."""

    def __init__(self, learned: Learned, plan: Plan, draws: Draws) -> None:
        size = plan.lengths.size, int(plan.lengths.max())
        network = learned.network
        self._learned, self._plan = learned, plan
        self._draws, self._random = draws, draws.random
        self._device = network.start.device
        self._past = Past(network, *size)
        self._item = np.full(size, -1, dtype=np.int64)
        self._gap, self._kind, self._time, self._deeds = np.zeros((4, *size), dtype=np.int64)
        width = network.shape.dim if learned.repeats else 0
        self._keys = torch.zeros(*size, width, device=self._device)
        parts = network, learned.ids, learned.weights
        self._tree = ItemTree(*parts, plan.allowed)
        self._wanted = None if plan.wanted is None else ItemTree(*parts, plan.wanted)

    def grow(self) -> Histories:
        """Draw all events."""
        lengths = self._plan.lengths
        for index in range(self._item.shape[1]):
            self._step(int(np.count_nonzero(lengths > index)), index)
        real = np.arange(self._item.shape[1]) < lengths[:, None]
        item, offsets = self._item[real], np.concatenate(([0], np.cumsum(lengths)))
        moment = np.zeros_like(item)
        made = Tokens(np.maximum(item, 0), self._gap[real], self._kind[real], moment, offsets)
        histories = self._learned.tokens.decode(made, self._random, time=self._time[real])
        return keep_events(histories, item >= 0) if (item < 0).any() else histories

    def _step(self, n: int, index: int) -> None:
        """Draw one event of the first ``n`` histories, which have ``index`` events each."""
        network, now = self._learned.network, (slice(n), index)
        states = self._past.step(self._inputs(n, index), index)
        if self._learned.repeats:
            self._keys[now] = network.to_key(states)
        self._gap[now] = self._given("gap", self._draw_gaps(states, n, index), index)
        told = network.told(states, self._tensor(self._gap[now]))
        item = self._given("item", self._draw_items(told, n, index), index)
        same = (self._item[:n, :index] == item[:, None]) & (item >= 0)[:, None]
        past = np.bitwise_or.reduce(np.where(same, self._deeds[:n, :index], 0), axis=1)
        kind = self._given("kind", self._draw_kinds(told, item, past), index)
        deeds = past | bits_of(kind)
        np.copyto(self._deeds[:n, :index], deeds[:, None], where=same)
        self._item[now], self._kind[now], self._deeds[now] = item, kind, deeds
        self._time[now] = self._given("time", self._draw_times(n, index), index)

    def _given(self, name: str, made: Ints, index: int) -> Ints:
        """Put what the plan gives in place of what was drawn."""
        given = self._plan.given
        if given is None or index >= given.item.shape[1]:
            return made
        known: Ints = getattr(given, name)[: made.size, index]
        return np.where(given.lengths[: made.size] > index, known, made)

    def _inputs(self, n: int, index: int) -> Inputs:
        before = (slice(n), slice(max(index - 1, 0), max(index, 1)))
        return Inputs(
            item=self._tensor(np.maximum(self._item[before], 0)),
            gap=self._tensor(self._gap[before]),
            kind=self._tensor(self._kind[before]),
            moment=self._tensor(self._learned.tokens.moment_of(self._time[before])),
            to_come=self._tensor(self._plan.lengths[:n, None] - index),
            is_start=torch.full((n, 1), index == 0, device=self._device),
            attributes=self._tensor(self._plan.attributes[:n]),
            latent=None if self._plan.latent is None else self._tensor(self._plan.latent[:n]),
        )

    def _draw_gaps(self, states: Tensor, n: int, index: int) -> Ints:
        if index == 0:
            return np.full(n, FIRST)
        tokens = self._learned.tokens
        possible = tokens.possible(self._time[:n, index - 1], self._plan.period[1])
        scores = self._learned.network.to_gap(states).float().cpu().numpy()
        return self._drawn(np.where(possible, scores, IMPOSSIBLE))

    def _draw_items(self, told: Tensor, n: int, index: int) -> Ints:
        """Draw items: such as come again, else of the company, else of the network."""
        taste = self._draws.taste
        learned, back = self._learned.network.sources(told)
        guess = Guess(learned.company, learned.popular * taste.popularity)
        seen = self._item[:n, :index][:, ::-1]
        newest = seen[:, 0] if index else np.full(n, -1)
        item, must = np.full(n, -1, dtype=np.int64), self._must(n, index)
        again = np.flatnonzero((self._random.random(n) < back.sigmoid().cpu().numpy()) & ~must)
        self._draw_again(item, told, again, index)
        new = item < 0
        shares = self._draws.deck.guess(seen, taste.sharpness)
        for tree, asked in ((self._tree, ~must), (self._wanted, must)):
            rows = np.flatnonzero((item < 0) & asked)
            if tree is not None and rows.size:
                place = self._tensor(rows)
                known = told[place], guess.take(place), shares[rows], seen[rows]
                uniforms = self._draws.even.draw(newest[rows])
                item[rows] = tree.draw_new(*known, taste, uniforms, self._random)
        self._draws.deck.take(seen, np.where(new, item, -1))
        # Who has all that may come goes on only with what may come again.
        self._draw_again(item, told, np.flatnonzero(item < 0), index)
        return item

    def _must(self, n: int, index: int) -> NDArray[np.bool_]:
        """Say which histories have to get a wanted item now."""
        plan = self._plan
        if plan.wanted is None or plan.wanted_at is None:
            return np.zeros(n, dtype=np.bool_)
        seen = self._item[:n, :index]
        has = ((seen >= 0) & plan.wanted[seen]).any(axis=1)
        must: NDArray[np.bool_] = (plan.wanted_at[:n] == index) & ~has
        return must

    def _draw_again(self, item: Ints, told: Tensor, rows: Ints, index: int) -> None:
        """Fill in which item of a history comes again, where one may."""
        if not (self._learned.repeats and rows.size and index):
            return
        seen = self._item[rows, :index]
        may = self._learned.tokens.types.allowed(self._deeds[rows, :index].ravel()).any(axis=1)
        may = may.reshape(seen.shape) & (seen >= 0)
        if self._plan.allowed is not None:
            may &= self._plan.allowed[seen]
        place = self._tensor(rows)
        # State j + 1 is the first that has seen event j.
        keys = self._keys[place, 1 : index + 1]
        pointed = self._learned.network.pointer_scores(told[place].unsqueeze(1), keys)
        scores = np.where(may, pointed.squeeze(1).cpu().numpy(), np.float32(IMPOSSIBLE))
        chosen = seen[np.arange(rows.size), self._drawn(scores)]
        item[rows] = np.where(may.any(axis=1), chosen, -1)

    def _draw_kinds(self, told: Tensor, item: Ints, past: Ints) -> Ints:
        types = self._learned.tokens.types
        if types.n_types == 1:
            return np.zeros(item.size, dtype=np.int64)
        known = self._tensor(np.maximum(item, 0))
        scores = self._learned.network.kind_scores(told, known).cpu().numpy()
        scores = np.where(types.allowed(past), scores, IMPOSSIBLE)
        return self._drawn(scores)

    def _draw_times(self, n: int, index: int) -> Ints:
        tokens, period = self._learned.tokens, self._plan.period
        if index == 0:
            return tokens.first_times(self._plan.lengths[:n], period, self._random)
        before, gap = self._time[:n, index - 1], self._gap[:n, index]
        return tokens.next_times(before, gap, period[1], self._random)

    def _drawn(self, scores: NDArray[np.float32]) -> Ints:
        uniforms = self._random.random((scores.shape[0],))
        return drawn(scores, FREELY, uniforms)[0]

    def _tensor(self, array: NDArray[np.generic]) -> Tensor:
        return torch.from_numpy(np.ascontiguousarray(array)).to(self._device)
