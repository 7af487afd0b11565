"""How a network over rows is fitted: steps, evaluations, early stop, and going on after a kill.

In: a network with its first weights and what it learns from. Out: the best of its averaged weights.
Needs torch.

Whatever is random in a step (which rows, what drops out) follows from the seed and the step's
number. So a fit that goes on from a checkpoint ends with the bytes of one that was never stopped.
"""

import copy
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from shopsynth.generate.sequences.checkpoints import Checkpoint, Checkpoints
from shopsynth.schema import InputError, Progress, derived_seed

Network = TypeVar("Network", bound=nn.Module)
Asked_contra = TypeVar("Asked_contra", bound=nn.Module, contravariant=True)


class Padded(Protocol):
    """A batch of rows of unlike length."""

    @property
    def real(self) -> NDArray[np.bool_]:
        """Which cells count in the loss, ``(row, width)``."""


Batch = TypeVar("Batch", bound=Padded)
Batch_contra = TypeVar("Batch_contra", bound=Padded, contravariant=True)
Batch_co = TypeVar("Batch_co", bound=Padded, covariant=True)


class Batched(Protocol[Batch_co]):
    """What a network learns from, in batches that follow from the epoch and their number alone."""

    def epoch(self, number: int) -> Sequence[NDArray[np.int64]]:
        """List the rows of each batch of an epoch."""

    def batch(self, rows: NDArray[np.int64]) -> Batch_co:
        """Make the batch of some rows."""

    def in_order(self) -> Iterator[Batch_co]:
        """Yield all rows once, the same at each evaluation."""


class Asks(Protocol[Asked_contra, Batch_contra]):
    """What a network is asked while it learns."""

    def loss(self, network: Asked_contra, batch: Batch_contra) -> Tensor:
        """Return the mean surprise of an event, or of what else a cell holds, nats."""


@dataclass(frozen=True)
class Schedule:
    """How long and how fast to learn.

    Attributes:
        learning_rate: Of AdamW, after warm-up.
        warm_up: Steps over which the rate rises from 0.
        weight_decay: Of AdamW.
        averaging: Share of the running average of weights that stays at each step; the average
            is what is judged and kept.
        max_epochs: Epochs after which training ends in any case.
        patience: Evaluations without improvement after which training ends.
        bfloat16: Multiply matrices in half the bits while training; weights stay float32.
        compiled: Compile the encoder.
    """

    learning_rate: float
    warm_up: int
    weight_decay: float
    averaging: float
    max_epochs: int
    patience: int
    bfloat16: bool
    compiled: bool


class Training(Generic[Network, Batch]):
    """One network in training.

    Args:
        method: Whose network, for messages.
        network: With its first weights; changed in place.
        schedule: How long and how fast.
        questions: Asks the network.
        seed: Of all that is random.
        checkpoints: Where the state is kept, if anywhere.

    Attributes:
        best: The averaged network of the best evaluation.
        best_loss: Its surprise on the held-out rows, nats an event.
        n_steps: Optimiser steps taken.
    """

    def __init__(
        self,
        method: str,
        network: Network,
        schedule: Schedule,
        questions: Asks[Network, Batch],
        seed: int,
        checkpoints: Checkpoints | None = None,
    ) -> None:
        self._method = method
        self._network = network
        self._schedule = schedule
        self._questions = questions
        self._seed = seed
        self._checkpoints = checkpoints
        self._device = next(network.parameters()).device
        self._optimizer = torch.optim.AdamW(
            network.parameters(),
            lr=schedule.learning_rate,
            weight_decay=schedule.weight_decay,
            fused=True,
        )
        self._average = copy.deepcopy(network).eval()
        self._counted = _kept_buffers(self._average), _kept_buffers(network)
        self.best = copy.deepcopy(self._average)
        self.best_loss = float("inf")
        self._n_worse = 0
        self.n_steps = 0
        if schedule.compiled:
            network.compile(dynamic=True)

    def run(self, learned: Batched[Batch], held_out: Batched[Batch], progress: Progress) -> None:
        """Train until the held-out rows surprise no less, or for ``max_epochs``.

        Raises:
            InputError: If the loss is no longer a finite number.
        """
        epoch, done = self._resumed()
        progress.start(f"{self._method}: epochs", self._schedule.max_epochs)
        progress.advance(epoch)
        self._network.train()
        # A copy of the global state: nobody else's draws change, and nobody else changes ours.
        with torch.random.fork_rng(devices=[0] if self._device.type == "cuda" else []):
            while epoch < self._schedule.max_epochs and self._n_worse < self._schedule.patience:
                for number, rows in enumerate(learned.epoch(epoch)):
                    if number < done:
                        continue
                    self._step(learned.batch(rows))
                    if self._checkpoints is not None and self._checkpoints.due(self.n_steps):
                        self._keep(epoch, number + 1)
                epoch, done = epoch + 1, 0
                self._evaluate(held_out)
                progress.advance()
        if self._checkpoints is not None:
            self._keep(epoch, 0)

    def _step(self, batch: Batch) -> None:
        torch.manual_seed(derived_seed(self._seed, "dropout", self.n_steps))
        with self._half():
            loss = self._questions.loss(self._network, batch)
        if not torch.isfinite(loss):
            raise InputError(
                f"generate.{self._method}: expected a finite loss, got {loss.item()} after "
                f"{self.n_steps} steps; lower learning_rate"
            )
        self.n_steps += 1
        warm = min(1.0, self.n_steps / max(1, self._schedule.warm_up))
        for group in self._optimizer.param_groups:
            group["lr"] = self._schedule.learning_rate * warm
        self._optimizer.zero_grad(set_to_none=False)
        torch.autograd.backward(loss)
        torch.nn.utils.clip_grad_norm_(self._network.parameters(), 1.0)
        self._optimizer.step()
        self._update_average()

    def _half(self) -> torch.autocast | nullcontext[None]:
        if not self._schedule.bfloat16:
            return nullcontext()
        return torch.autocast(self._device.type, torch.bfloat16)

    def _update_average(self) -> None:
        """Move the running average; early on it forgets the first weights quickly."""
        keep = min(self._schedule.averaging, (1 + self.n_steps) / (10 + self.n_steps))
        with torch.no_grad():
            average = [p.data for p in self._average.parameters()]
            current = [p.data for p in self._network.parameters()]
            torch._foreach_lerp_(average, current, 1.0 - keep)
            for there, here in zip(*self._counted, strict=True):
                there.copy_(here)

    @torch.no_grad()
    def _evaluate(self, held_out: Batched[Batch]) -> None:
        total, n_events = 0.0, 0
        for batch in held_out.in_order():
            n = int(batch.real.sum())
            total += float(self._questions.loss(self._average, batch)) * n
            n_events += n
        loss = total / n_events
        self._n_worse = 0 if loss < self.best_loss else self._n_worse + 1
        if loss < self.best_loss:
            self.best_loss = loss
            self.best.load_state_dict(self._average.state_dict())

    def _keep(self, epoch: int, done: int) -> None:
        if self._checkpoints is None:
            return
        networks = {"network": self._network, "average": self._average, "best": self.best}
        arrays = {
            f"{role}.{name}": part
            for role, network in networks.items()
            for name, part in network.state_dict().items()
        }
        for place, state in self._optimizer.state_dict()["state"].items():
            arrays |= {f"optimizer.{place}.{name}": part for name, part in state.items()}
        facts = {
            "epoch": epoch,
            "done": done,
            "steps": self.n_steps,
            "worse": self._n_worse,
            "best_loss": self.best_loss,
        }
        self._checkpoints.write(Checkpoint(facts, arrays))

    def _resumed(self) -> tuple[int, int]:
        """Take over the state of a checkpoint; return its epoch and the batches done of it."""
        kept = None if self._checkpoints is None else self._checkpoints.read()
        if kept is None:
            return 0, 0
        networks = {"network": self._network, "average": self._average, "best": self.best}
        for role, network in networks.items():
            network.load_state_dict(kept.part(role))
        state = self._optimizer.state_dict()
        state["state"] = {
            place: kept.part(f"optimizer.{place}")
            for place in range(len(state["param_groups"][0]["params"]))
        }
        self._optimizer.load_state_dict(state)
        self.n_steps, self._n_worse = int(kept.facts["steps"]), int(kept.facts["worse"])
        self.best_loss = float(kept.facts["best_loss"])
        return int(kept.facts["epoch"]), int(kept.facts["done"])


def _kept_buffers(network: nn.Module) -> list[Tensor]:
    """Find what a network counts while it learns: buffers that are part of its weights."""
    kept = network.state_dict().keys()
    return [buffer for name, buffer in network.named_buffers() if name in kept]
