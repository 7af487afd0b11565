"""How a network is fitted: steps, evaluations, early stopping.

In: batches and a way to judge a network on validation. Out: the best network and the steps taken.
"""

import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from shopsynth.schema import InputError, Progress
from shopsynth.train.next_item._batches import Batch, Batches
from shopsynth.train.next_item._network import (
    Answers,
    HistoryNetwork,
    sampled_softmax_loss,
    softmax_loss,
)

_MIN_STEPS_BETWEEN = 25  # an evaluation costs about five steps of a small shop


@dataclass(frozen=True)
class Schedule:
    """How long and how fast to learn.

    Attributes:
        learning_rate: Of AdamW, after warm-up.
        warm_up: Steps over which the rate rises from 0.
        weight_decay: Of AdamW.
        averaging: Share of the running average of weights that stays at each step; the average
            is what is judged and kept.
        negatives: Shared negatives of the sampled softmax; 0 takes the full softmax.
        max_epochs: Epochs after which training ends in any case.
        patience: Evaluations without improvement after which training ends.
        steps: Take exactly so many steps instead.
        bfloat16: Multiply matrices in half the bits while training; weights stay float32.
    """

    learning_rate: float
    warm_up: int
    weight_decay: float
    averaging: float
    negatives: int
    max_epochs: int
    patience: int
    steps: int | None
    bfloat16: bool


class Training:
    """One network in training.

    Args:
        name: The model's registered name, for the listener and for errors.
        network: With its first weights; changed in place.
        schedule: How long and how fast.
        rng: Draws negatives.
        judge: Gives a network's validation score; higher is better.

    Attributes:
        best: The averaged network of the best evaluation; the latest of equally good ones.
        n_steps: Optimiser steps taken.
    """

    def __init__(
        self,
        name: str,
        network: HistoryNetwork,
        schedule: Schedule,
        rng: np.random.Generator,
        judge: Callable[[HistoryNetwork], float],
    ) -> None:
        self._name = name
        self._network = network
        self._schedule = schedule
        self._rng = rng
        self._judge = judge
        self._device = network.items.weight.device
        self._optimizer = torch.optim.AdamW(
            network.parameters(),
            lr=schedule.learning_rate,
            weight_decay=schedule.weight_decay,
            fused=True,
        )
        self._average = copy.deepcopy(network).eval()
        self._best_score = -1.0
        self._n_worse = 0
        self.best = copy.deepcopy(self._average)
        self.n_steps = 0

    def run(self, batches: Batches, progress: Progress) -> None:
        """Train until the validation score stops rising, or for ``schedule.steps`` steps.

        Raises:
            InputError: If the loss is no longer a finite number.
        """
        schedule = self._schedule
        progress.start(self._name, schedule.steps)
        self._network.train()
        since = 0
        for batch, ends_epoch in self._stream(batches):
            self._step(batch)
            progress.advance()
            since += 1
            done = self.n_steps == schedule.steps
            if done or (ends_epoch and since >= _MIN_STEPS_BETWEEN):
                since = 0
                self._evaluate()
                if done or (schedule.steps is None and self._n_worse >= schedule.patience):
                    return
        self._evaluate()

    def _stream(self, batches: Batches) -> Iterator[tuple[Batch, bool]]:
        """Yield batches and whether each ends its epoch, until epochs or fixed steps are done."""
        epoch, steps = 0, self._schedule.steps
        while epoch < self._schedule.max_epochs if steps is None else self.n_steps < steps:
            epoch += 1
            held = None
            for batch in batches.epoch():
                if held is not None:
                    yield held, False
                held = batch
            if held is not None:
                yield held, True

    def _step(self, batch: Batch) -> None:
        loss = self._loss_of(batch)
        if not torch.isfinite(loss):
            raise InputError(
                f"{self._name}: expected a finite loss, got {loss.item()} after {self.n_steps} "
                f"steps; lower learning_rate in [train.options.{self._name}]"
            )
        self.n_steps += 1
        warm = min(1.0, self.n_steps / max(1, self._schedule.warm_up))
        for group in self._optimizer.param_groups:
            group["lr"] = self._schedule.learning_rate * warm
        self._optimizer.zero_grad(set_to_none=True)
        torch.autograd.backward(loss)
        self._optimizer.step()
        self._update_average()

    def _loss_of(self, batch: Batch) -> Tensor:
        answers = Answers(
            self._tensor(batch.asked_by),
            self._tensor(batch.targets),
            self._tensor(batch.weights),
        )
        with torch.autocast(self._device.type, torch.bfloat16, self._schedule.bfloat16):
            states = self._network(
                self._tensor(batch.items),
                self._tensor(batch.positions),
                self._tensor(batch.histories),
            )
            asking = states.flatten(0, 1)[self._tensor(batch.questions)]
            return self._loss(asking, answers)

    def _loss(self, asking: Tensor, answers: Answers) -> Tensor:
        n_items, n = len(self._network.items.weight), self._schedule.negatives
        if not n:
            return softmax_loss(self._network, asking, answers)
        negatives = self._tensor(self._rng.integers(0, n_items, n))
        log_expected = float(np.log(n / n_items))
        return sampled_softmax_loss(self._network, asking, answers, negatives, log_expected)

    def _update_average(self) -> None:
        """Move the running average; early on it forgets the first weights quickly."""
        keep = min(self._schedule.averaging, (1 + self.n_steps) / (10 + self.n_steps))
        with torch.no_grad():
            average = [p.data for p in self._average.parameters()]
            current = [p.data for p in self._network.parameters()]
            torch._foreach_lerp_(average, current, 1.0 - keep)

    def _evaluate(self) -> None:
        score = self._judge(self._average)
        self._n_worse = 0 if score > self._best_score else self._n_worse + 1
        if score >= self._best_score:
            self._best_score = score
            self.best.load_state_dict(self._average.state_dict())

    def _tensor(self, array: np.ndarray) -> Tensor:
        return torch.from_numpy(array).to(self._device)
