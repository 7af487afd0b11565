"""Drawing from scores, and drawing items code by code, so that only items there are come out.

In: a network's scores. Out: choices, and items that a history does not have yet. Needs torch.
"""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import sparse
from torch import Tensor

from shopsynth.generate.sequences.company import mass_of_codes
from shopsynth.generate.sequences.network import Guess, HistoryNetwork
from shopsynth.generate.sequences.semantic_ids import SemanticIds

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

_GOLDEN = (5**0.5 - 1) / 2

IMPOSSIBLE = -1e9
"""Score of what must not be drawn."""

_TRIES = 4
"""Draws of a new item by taste, then as many at temperature 1, then by popularity alone."""


@dataclass(frozen=True)
class Taste:
    """How freely is drawn.

    Attributes:
        temperature: Scores are divided by it; below 1 the likely becomes likelier.
        top_p: Share of probability that may be drawn, the likeliest first, at every code.
        sharpness: Power to which the votes of an item's company are raised.
        popularity: Weight of popularity in the first guess, relative to what was learned.

    Source:
        Nucleus sampling: Holtzman et al., ICLR 2020, arXiv 1904.09751.
    """

    temperature: float = 1.0
    top_p: float = 1.0
    sharpness: float = 1.0
    popularity: float = 1.0


FREELY = Taste()
"""By the probabilities as they are."""


class EvenUniforms:
    """Uniforms that fill [0, 1) evenly among draws of one group, over a whole sample.

    Each is uniform by itself. Together, what follows an item comes as often as it should far more
    nearly than by independent draws, so a sample tells more of what the network learned.

    Args:
        n_groups: Number of groups.
        random: Source of randomness: where each group begins.

    Source:
        Additive recurrence with the golden ratio, randomly shifted: Cranley and Patterson, SIAM J.
        Numer. Anal. 13(6), 1976.
    """

    def __init__(self, n_groups: int, random: np.random.Generator) -> None:
        self._next = random.random(n_groups)

    def draw(self, groups: Ints) -> Floats:
        """Draw the next uniforms of groups, ``(n,)``."""
        order = np.argsort(groups, kind="stable")
        ordered = groups[order]
        uniforms = np.empty(groups.size)
        rank = np.arange(groups.size) - np.searchsorted(ordered, ordered)
        uniforms[order] = (self._next[ordered] + rank * _GOLDEN) % 1.0
        group, counts = np.unique(groups, return_counts=True)
        self._next[group] = (self._next[group] + counts * _GOLDEN) % 1.0
        return uniforms


def drawn(scores: NDArray[np.float32], taste: Taste, uniforms: Floats) -> tuple[Ints, Floats]:
    """Draw one choice a row.

    Args:
        scores: ``(n, size)`` logarithms of weights.
        taste: How freely is drawn.
        uniforms: ``(n,)`` in [0, 1).

    Returns:
        ``(n,)`` choices, and uniforms for a further draw: where in its choice each one fell.
    """
    shifted = (scores - scores.max(axis=1, keepdims=True)) / np.float32(taste.temperature)
    weights = np.exp(shifted, dtype=np.float32).astype(np.float64)
    if taste.top_p < 1:
        weights[~_nucleus(weights, taste.top_p)] = 0.0
    cumulative = np.cumsum(weights, axis=1)
    target = uniforms * cumulative[:, -1]
    choice: Ints = (cumulative <= target[:, None]).sum(axis=1)
    row = np.arange(choice.size)
    weight = weights[row, choice]
    rest = (target - (cumulative[row, choice] - weight)) / weight
    return choice, np.clip(rest, 0.0, np.nextafter(1.0, 0.0))


def _nucleus(weights: NDArray[np.float64], top_p: float) -> NDArray[np.bool_]:
    """Find the likeliest choices that together have ``top_p``; the likeliest is always among."""
    order = np.argsort(-weights, axis=1, kind="stable")
    ordered = np.take_along_axis(weights, order, axis=1)
    before = np.cumsum(ordered, axis=1) - ordered
    inside = before < top_p * ordered.sum(axis=1, keepdims=True)
    kept: NDArray[np.bool_] = np.empty_like(inside)
    np.put_along_axis(kept, order, inside, axis=1)
    return kept


class ItemTree:
    """Draws items among some of the catalogue.

    Args:
        network: Scores the codes.
        ids: Codes of the catalogue.
        weights: ``(n_items,)`` above 0: popularity, the last resort.
        among: ``(n_items,)`` items that may be drawn; all if ``None``.
    """

    def __init__(
        self,
        network: HistoryNetwork,
        ids: SemanticIds,
        weights: NDArray[np.float64],
        among: NDArray[np.bool_] | None = None,
    ) -> None:
        self._network = network
        self._ids = ids
        self._choices = np.arange(ids.n_items) if among is None else np.flatnonzero(among)
        self._cumulative = np.cumsum(weights[self._choices])
        tables = ids.children if among is None else ids.children_among(among)
        device = network.start.device
        self._tables = [torch.from_numpy(table).to(device) for table in tables]

    def draw_new(
        self,
        told: Tensor,
        guess: Guess,
        shares: sparse.csr_matrix,
        seen: Ints,
        taste: Taste,
        uniforms: Floats,
        random: np.random.Generator,
    ) -> Ints:
        """Draw items that histories do not have.

        Args:
            told: ``(n, dim)`` of :meth:`HistoryNetwork.told`.
            guess: What the first guess is made of.
            shares: ``(n, n_items)`` shares of the company.
            seen: ``(n, length)`` items of each history.
            taste: How freely is drawn.
            uniforms: ``(n,)`` for the first draw of each.
            random: Source of randomness of further ones.

        Returns:
            ``(n,)`` item_index, -1 where a history has all of them.
        """
        item = np.full(told.shape[0], -1, dtype=np.int64)
        open_ = np.arange(item.size)
        for attempt in range(3 * _TRIES):
            if not open_.size:
                return item
            if attempt < 2 * _TRIES:
                style = taste if attempt < _TRIES else FREELY
                rows = torch.from_numpy(open_).to(told.device)
                asked = told[rows], guess.take(rows), shares[open_]
                item[open_] = self._walk(*asked, style, uniforms)
            else:
                target = uniforms * self._cumulative[-1]
                item[open_] = self._choices[np.searchsorted(self._cumulative, target, "right")]
            had = (seen[open_] == item[open_, None]).any(axis=1)
            open_ = open_[had]
            uniforms = random.random(open_.size)
        for row in open_:
            unseen = np.setdiff1d(self._choices, seen[row])
            item[row] = random.choice(unseen) if unseen.size else -1
        return item

    def _walk(
        self,
        told: Tensor,
        guess: Guess,
        shares: sparse.csr_matrix,
        taste: Taste,
        uniforms: Floats,
    ) -> Ints:
        """Walk down the tree, code by code: ``(n,)`` items."""
        network, device = self._network, told.device
        node = torch.zeros(told.shape[0], dtype=torch.int64, device=device)
        passed = torch.zeros(told.shape[0], 0, dtype=torch.int64, device=device)
        for level, table in enumerate(self._tables):
            children = table[node]
            query = network.code_state(told, level, passed)
            mass = torch.from_numpy(mass_of_codes(self._ids, shares, level, node.cpu().numpy()))
            scores = network.code_scores(query, level, children, guess, mass.to(device))
            choice, uniforms = drawn(scores.cpu().numpy(), taste, uniforms)
            code = torch.from_numpy(choice).to(device).unsqueeze(1)
            node = children.gather(1, code).squeeze(1).long()
            passed = torch.cat([passed, code], dim=1)
        found: Ints = network.item_of[node].cpu().numpy()
        return found
