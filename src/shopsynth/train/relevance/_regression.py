"""How a cross-encoder learns grades: a regression with warm-up, early stopping and adversaries.

In: a network, pairs with grades and weights. Out: the network, trained.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import torch
from numpy.typing import NDArray
from torch import Tensor

from shopsynth.schema import InputError, Progress
from shopsynth.train.adapters import Adapters
from shopsynth.train.encoders import in_half_bits
from shopsynth.train.finetuning import (
    LONGEST_GRADIENT,
    decaying,
    learned_state,
    row_batches,
    set_dropout,
    share_of_rate,
)
from shopsynth.train.relevance._adversary import backward
from shopsynth.train.relevance._network import PairNetwork

if TYPE_CHECKING:
    from shopsynth.train.relevance.cross_encoder import CrossEncoderOptions

Integers = NDArray[np.int64]


class Regression:
    """Training of one network.

    Args:
        options: Of ``cross_encoder``.
        network: Changed in place.
        learned: Pairs with ``grade`` and ``weight``.
        steps: Optimiser steps to take exactly; ``None``: as the options say, stopping early.
        rng: Draws the order.

    Attributes:
        n_steps: Optimiser steps taken.
    """

    def __init__(
        self,
        options: "CrossEncoderOptions",
        network: PairNetwork,
        learned: pl.DataFrame,
        steps: int | None,
        rng: np.random.Generator,
    ) -> None:
        self._options, self._network, self._rng = options, network, rng
        self._tokens = network.tokens(learned)
        self._grades = torch.from_numpy(learned["grade"].to_numpy().astype(np.float32))
        self._weights = torch.from_numpy(learned["weight"].to_numpy().astype(np.float32))
        n_planned = int(np.ceil(options.epochs * np.ceil(learned.height / options.batch)))
        self._stops_early, self._most = steps is None, n_planned if steps is None else steps
        self._set_scale()
        set_dropout(network, options.dropout)
        network.half_bits = in_half_bits(options.precision)
        self._adapters: Adapters | None = None
        network.encoder.get_input_embeddings().weight.requires_grad_(options.word_vectors)
        if options.tuning != "full":
            self._adapters = Adapters(network.encoder, options.tuning, options.rank, self._most)
            network.encoder = self._adapters.encoder
        self._optimizer = torch.optim.AdamW(decaying(network, options.l2), lr=options.learning_rate)
        self.n_steps = 0

    def run(self, judge: Callable[[], float] | None, progress: Progress) -> None:
        """Train until ``judge``, an error, stops falling, or to the end; keep the best state.

        A given number of steps is taken in full, but looked at as often and keeps its best state
        too: a control that trains as long must not be held to a state no other arm would keep.

        Args:
            judge: ``None`` where there is nothing to stop by.
            progress: Listener.

        Raises:
            InputError: If the loss is no longer a finite number.
        """
        options, network = self._options, self._network
        progress.start("cross_encoder", self._most)
        best, best_state, n_worse = np.inf, None, 0
        for rows in row_batches(self._tokens.lengths, options.batch, self._most, self._rng):
            network.train()
            self._step(rows)
            progress.advance()
            at_end = self.n_steps == self._most
            if judge and (at_end or self.n_steps % options.evaluate_every == 0):
                network.eval()
                error = judge()
                n_worse = 0 if error < best else n_worse + 1
                if error < best:
                    best, best_state = error, learned_state(network)
            if self._stops_early and n_worse >= options.patience:
                break
        if best_state is not None:
            network.load_state_dict(best_state, strict=False)
        if self._adapters is not None:
            network.encoder = self._adapters.merged()
        network.requires_grad_(True).eval()

    def _step(self, rows: Integers) -> None:
        options, network = self._options, self._network
        batch = self._tokens.batch(rows)
        grades, weights = self._grades[rows], self._weights[rows]

        def loss(shift: Tensor) -> Tensor:
            wrong = network(network.embed(batch) + shift, batch) - grades
            mean: Tensor = (weights * (wrong / network.scale[1]).square()).sum() / weights.sum()
            return mean if self._adapters is None else mean + self._adapters.penalty()

        self._optimizer.zero_grad(set_to_none=True)
        said = backward(
            loss, network.embed(batch), options.adversarial, options.radius, options.rounds
        )
        if not torch.isfinite(said):
            raise InputError(
                f"cross_encoder: expected a finite loss, got {said.item()} after {self.n_steps} "
                "steps; lower learning_rate in [train.options.cross_encoder]"
            )
        self.n_steps += 1
        torch.nn.utils.clip_grad_norm_(network.parameters(), LONGEST_GRADIENT)
        share = share_of_rate(self.n_steps, self._most, options.warm_up)
        for group in self._optimizer.param_groups:
            group["lr"] = options.learning_rate * share
        self._optimizer.step()
        if self._adapters is not None:
            self._adapters.stepped()

    def _set_scale(self) -> None:
        total = self._weights.sum()
        mean = (self._weights * self._grades).sum() / total
        spread = ((self._weights * (self._grades - mean).square()).sum() / total).sqrt()
        self._network.scale.copy_(torch.stack([mean, spread.clamp(min=1e-3)]))
