"""How an encoder learns which items answer a query: contrast with items that do not.

In: judged queries, an encoder of queries, vectors of items. Out: the encoder, trained.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import polars as pl
import torch
from torch import Tensor

from shopsynth.schema import InputError, Progress
from shopsynth.train.encoders import Kind
from shopsynth.train.search._contrast_options import ContrastOptions
from shopsynth.train.search._judged import Integers, Judged
from shopsynth.train.search.base import RELEVANT

Hints = Callable[[pl.Series], tuple[Integers, np.ndarray]]
"""For queries' texts the items that look like answers, ``(query, mined)``, and their scores."""

ItemVectors = Callable[[Integers], Tensor]
"""Vectors ``(item, dim)`` of these rows of the catalogue."""

Penalty = Callable[[Tensor, Tensor], Tensor]
"""What is added to the loss for the vectors of queries and of items."""

_ITEM_BITS = 32
"""Of a number that stands for a query and an item."""


class Trainable(Protocol):
    """An encoder that learns."""

    @property
    def network(self) -> Any:
        """A transformers model."""

    def vectors(self, texts: list[str], kind: Kind = "plain") -> Tensor:
        """Encode texts with gradients: ``(text, dim)``."""


@dataclass(frozen=True)
class _Batch:
    """Some queries, each with an answer, and the items they are contrasted with.

    Attributes:
        texts: Of the queries.
        candidates: ``(candidate,)`` distinct rows of the catalogue, ascending.
        answer: ``(query,)`` place of each query's answer among the candidates.
        known: ``(query, candidate)`` whether an item is another answer of the query: it must not
            be pushed away.
        weight: ``(query,)`` of the rows.
        taught: ``(query, candidate)`` the teacher's score, NaN where it says nothing.
    """

    texts: list[str]
    candidates: Integers
    answer: Integers
    known: np.ndarray
    weight: np.ndarray
    taught: np.ndarray


class Contrast:
    """Training of one encoder.

    Args:
        name: Of the model, for progress and errors.
        options: Of the training.
        scale: What products of vectors are multiplied by.
        judged: Training rows.
        hints: Mines hard negatives; its scores are the teacher's.
        encoder: Of queries, changed in place.
        item_vectors: With gradients if the encoder of items learns too.
        rng: Draws rows and negatives.
        penalty: Of the vectors, if any.

    Attributes:
        n_steps: Optimiser steps taken.
    """

    def __init__(
        self,
        name: str,
        options: ContrastOptions,
        judged: Judged,
        hints: Hints,
        encoder: Trainable,
        item_vectors: ItemVectors,
        rng: np.random.Generator,
        *,
        scale: float,
        penalty: Penalty | None = None,
    ) -> None:
        self._name = name
        self._options = options
        self._scale = scale
        self._judged = judged
        self._hints = hints
        self._encoder = encoder
        self._item_vectors = item_vectors
        self._rng = rng
        self._penalty = penalty
        self._right = np.flatnonzero((judged.grade >= RELEVANT) & (judged.weight > 0))
        self._answers = (judged.query[self._right] << _ITEM_BITS) + judged.item[self._right]
        words = encoder.network.get_input_embeddings()
        words.weight.requires_grad_(options.word_vectors)
        learned = [each for each in encoder.network.parameters() if each.requires_grad]
        self._optimizer = torch.optim.AdamW(learned, lr=options.learning_rate, weight_decay=0.01)
        self.n_steps = 0

    def run(self, judge: Callable[[], float], steps: int | None, progress: Progress) -> None:
        """Train until ``judge`` stops rising, or for exactly ``steps`` steps; keep the best state.

        A given number of steps is looked at as often and keeps its best state too, be it the first:
        a control that trains as long must not be held to a state that no other arm would keep.

        Raises:
            InputError: If the loss is no longer a finite number.
        """
        options, network = self._options, self._encoder.network
        most = options.max_steps if steps is None else steps
        progress.start(self._name, most)
        best, best_state, n_worse = judge(), _state(network), 0
        for _ in range(most):
            network.train()
            self._step(self._draw())
            network.eval()
            progress.advance()
            if self.n_steps % options.evaluate_every and self.n_steps < most:
                continue
            score = judge()
            if score > best:
                best, best_state, n_worse = score, _state(network), 0
            else:
                n_worse += 1
            if steps is None and n_worse >= options.patience:
                break
        network.load_state_dict(best_state, strict=False)
        network.eval()

    def _draw(self) -> _Batch:
        """Draw queries with an answer each, and mine what else looks like one."""
        judged, size = self._judged, min(self._options.batch, self._right.size)
        rows = self._rng.choice(self._right, size, replace=False)
        texts = judged.texts.gather(judged.query[rows])
        hinted, scores = self._hints(texts)
        n_hinted = hinted.shape[1]
        n = min(self._options.negatives, n_hinted)
        drawn = self._rng.permuted(np.tile(np.arange(n_hinted), (size, 1)), axis=1)[:, :n]
        mined = np.take_along_axis(hinted, drawn, axis=1)
        candidates = np.unique(np.concatenate([judged.item[rows], mined.ravel()]))
        known = np.isin((judged.query[rows, None] << _ITEM_BITS) + candidates, self._answers)
        answer = np.searchsorted(candidates, judged.item[rows])
        known[np.arange(size), answer] = False
        taught = np.full(known.shape, np.nan)
        place = np.searchsorted(candidates, hinted).clip(max=candidates.size - 1)
        row, column = np.nonzero(candidates[place] == hinted)
        taught[row, place[row, column]] = scores[row, column]
        return _Batch(texts.to_list(), candidates, answer, known, judged.weight[rows], taught)

    def _step(self, batch: _Batch) -> None:
        options = self._options
        asked = self._encoder.vectors(batch.texts, "query")
        told = self._item_vectors(batch.candidates)
        loss = _loss(asked @ told.T, batch, self._scale, options.teacher_weight)
        if self._penalty is not None:
            loss = loss + self._penalty(asked, told)
        if not torch.isfinite(loss):
            raise InputError(
                f"{self._name}: expected a finite loss, got {loss.item()} after {self.n_steps} "
                f"steps; lower learning_rate in [train.options.{self._name}]"
            )
        self.n_steps += 1
        for group in self._optimizer.param_groups:
            group["lr"] = options.learning_rate * min(1.0, self.n_steps / options.warm_up)
        self._optimizer.zero_grad(set_to_none=True)
        torch.autograd.backward(loss)
        self._optimizer.step()


def _loss(products: Tensor, batch: _Batch, scale: float, teacher_weight: float) -> Tensor:
    """Mix cross-entropy over the candidates with the teacher's margins.

    ``L = (1 - t) CE(scale * q.i) + t MSE(scale * (q.answer - q.i), teacher_answer - teacher)``.
    """
    weight = torch.from_numpy(batch.weight).float()
    answer = torch.from_numpy(batch.answer)
    logits = scale * products.masked_fill(torch.from_numpy(batch.known), -torch.inf)
    losses = torch.nn.functional.cross_entropy(logits, answer, reduction="none")
    if teacher_weight > 0:
        taught = torch.from_numpy(batch.taught).float()
        own = torch.arange(len(answer))
        margin = scale * (products[own, answer, None] - products)
        wanted = taught[own, answer, None] - taught
        said = ~wanted.isnan()
        errors = (margin - wanted.nan_to_num()).square() * said
        distances = errors.sum(1) / said.sum(1).clamp(min=1)
        losses = (1 - teacher_weight) * losses + teacher_weight * distances
    return (losses * weight).sum() / weight.sum()


def _state(network: torch.nn.Module) -> dict[str, Tensor]:
    """Copy what learns; what is frozen, most of a network of many languages, stays as it is."""
    return {
        name: value.detach().clone()
        for name, value in network.named_parameters()
        if value.requires_grad
    }
