"""What every model with a network shares: options, fitting, answering, saving.

In: weighted events, validation to stop by, and a way to build the network. Out: a fitted network
that ranks the catalogue. torch is imported only when one is built or asked.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray
from pydantic import Field

from shopsynth.schema import (
    Dataset,
    EmptyDataError,
    Holdout,
    Progress,
    Ranking,
    Settings,
    TrainingSet,
    derived_seed,
)
from shopsynth.train.next_item._answers import answer
from shopsynth.train.next_item._batches import Batches
from shopsynth.train.next_item._histories import Histories, read_histories
from shopsynth.train.next_item._probe import CUTOFF, Probe
from shopsynth.train.ranks import UNKNOWN, Floats
from shopsynth.train.space import Choice
from shopsynth.train.store import Stored, write_model

if TYPE_CHECKING:
    from shopsynth.train.next_item._network import HistoryNetwork
    from shopsynth.train.next_item._training import Schedule

_PROBE_UNITS = 2000


class NeuralOptions(Settings):
    """Options of every model with a network. A model may give a field another default."""

    space: ClassVar[Mapping[str, Choice]] = {
        "dropout": Choice.between(0.1, 0.5),
        "learning_rate": Choice.between(0.0005, 0.005, log=True),
        "temperature": Choice.between(0.05, 0.15, log=True),
        "weight_decay": Choice.between(0.001, 0.1, log=True),
    }

    dim: int = Field(default=64, ge=2)
    """Width of embeddings and layers."""

    layers: int = Field(default=1, ge=1)
    """Layers of the network."""

    max_length: int = Field(default=50, ge=1)
    """Newest events of a history that are read."""

    dropout: float = Field(default=0.25, ge=0, lt=1)
    """Share of activations dropped while training."""

    temperature: float = Field(default=0.07, gt=0)
    """Cosines are divided by it to become logits."""

    learning_rate: float = Field(default=0.001, gt=0)
    """Of AdamW, after warm-up."""

    warm_up: int = Field(default=100, ge=0)
    """Steps over which the learning rate rises."""

    weight_decay: float = Field(default=0.01, ge=0)
    """Of AdamW."""

    averaging: float = Field(default=0.99, ge=0, lt=1)
    """Share of the running average of weights kept at each step; 0 averages nothing."""

    batch_tokens: int = Field(default=1024, ge=1)
    """Events of a batch."""

    negatives: int = Field(default=1024, ge=1)
    """Sampled items that all questions of a batch share, where the catalogue is large."""

    full_softmax_items: int = Field(default=5000, ge=0)
    """Up to this catalogue size the loss runs over every item and samples none."""

    max_epochs: int = Field(default=200, ge=1)
    """Epochs after which training ends even if validation still improves."""

    patience: int = Field(default=5, ge=1)
    """Evaluations without improvement of validation NDCG@10 after which training ends."""

    precision: Literal["auto", "float32", "bfloat16"] = "auto"
    """Of matrix products while training; weights and ranking stay float32. auto takes bfloat16 on a
    GPU and float32 on a CPU, where it does not gain: one thread of a server CPU with avx512_bf16
    takes 36 to 38 ms a step of sasrec on Amazon Beauty, against 32 ms in float32."""

    device: Literal["auto", "cpu", "cuda"] = "auto"
    """auto takes a GPU where there is one."""


Build = Callable[[int], "HistoryNetwork"]
"""Makes a network with first weights for a catalogue of so many items."""


@dataclass(frozen=True)
class Fitted:
    """A network and the catalogue it ranks.

    Attributes:
        item_ids: The training catalogue.
        trained: ``(item,)`` whether the item was in any training event.
        network: In evaluation mode.
        max_length: Newest events of a history that are read.
    """

    item_ids: pl.Series
    trained: NDArray[np.bool_]
    network: "HistoryNetwork"
    max_length: int

    def read(self, requests: Dataset) -> Histories:
        """Read as much of each history as the network does."""
        return read_histories(requests, self.item_ids).newest(self.max_length)

    def answer(
        self, requests: Dataset, histories: Histories, k: int, exclude_seen: bool
    ) -> Ranking:
        """Rank the catalogue by cosine to the state after each history of :meth:`read`."""

        def score(start: int, stop: int) -> Floats:
            return self._scores(histories, start, stop)

        return answer(
            requests,
            histories.unit_ids,
            self.item_ids,
            score,
            k=k,
            exclude_seen=exclude_seen,
            unknown=float(UNKNOWN),
        )

    def _scores(self, histories: Histories, start: int, stop: int) -> Floats:
        """Score users ``start`` to ``stop``; one without a known item scores every item 0."""
        import torch

        lengths = np.diff(histories.starts)[start:stop]
        part = slice(histories.starts[start], histories.starts[stop])
        row = histories.users[part] - start
        place = np.arange(part.start, part.stop) - histories.starts[start:stop][row]
        items, marks = np.zeros((2, stop - start, max(1, int(lengths.max(initial=0)))), np.int64)
        items[row, place] = histories.items[part]
        marks[row, place] = 1
        device = self.network.items.weight.device
        with torch.inference_mode():
            tokens = torch.from_numpy(items).to(device)
            positions = torch.arange(tokens.shape[1], device=device).expand_as(tokens)
            states = self.network(tokens, positions, torch.from_numpy(marks).to(device))
            newest = torch.from_numpy(np.maximum(lengths, 1) - 1).to(device)
            asking = states[torch.arange(len(newest), device=device), newest]
            scores: Floats = self.network.scores(asking).cpu().numpy()
        scores[lengths == 0] = 0.0
        scores[:, ~self.trained] = UNKNOWN
        return scores

    def save(self, folder: Path, name: str, options: Settings, steps: int) -> None:
        """Write the weights as model ``name``; :func:`restore` reads them."""
        state = self.network.state_dict()
        arrays = {f"network.{key}": part.cpu().numpy() for key, part in state.items()}
        arrays["trained"] = self.trained
        write_model(folder, name, options, self.item_ids, arrays, steps)


def fit_network(
    name: str,
    options: NeuralOptions,
    build: Build,
    training: TrainingSet,
    validation: Holdout,
    *,
    seed: int,
    steps: int | None,
    progress: Progress,
) -> tuple[Fitted, int]:
    """Train until validation NDCG@10 stops rising, or for ``steps`` steps.

    Args:
        name: The model's registered name.
        options: How to train.
        build: Makes the network.
        training: Rows with weights.
        validation: Questions with real answers, to stop by and to keep the best state.
        seed: Of initial weights, sampling and order.
        steps: Take exactly so many steps instead of stopping early.
        progress: Listener.

    Returns:
        The best network and the optimiser steps taken.

    Raises:
        EmptyDataError: If no user has events at two different times.
        InputError: If the loss stops being finite.
    """
    import torch

    from shopsynth.train.next_item._training import Training

    item_ids = training.data.items["item_id"]
    histories = read_histories(training.data, item_ids)
    trained = np.bincount(histories.items, minlength=len(item_ids)) > 0
    rng = np.random.Generator(np.random.PCG64(derived_seed(seed, name, "batches")))
    rows = max(1, options.batch_tokens // options.max_length)
    batches = Batches(histories, options.max_length, rows, rng)
    if not batches.n_questions:
        raise EmptyDataError(
            f"{name}: expected users with events at two times or more, got none among "
            f"{len(histories.unit_ids)} users; train a model that needs no order, or more data"
        )
    probe = Probe(validation, _PROBE_UNITS, derived_seed(seed, name, "probe"))
    asked = read_histories(probe.requests, item_ids).newest(options.max_length)

    def judge(network: "HistoryNetwork") -> float:
        fitted = Fitted(item_ids, trained, network, options.max_length)
        return probe.ndcg(fitted.answer(probe.requests, asked, CUTOFF, probe.exclude_seen))

    device = _device(options)
    # A copy of the global state: nobody else's draws change, and nobody else changes ours.
    with torch.random.fork_rng(devices=[0] if device == "cuda" else []):
        torch.manual_seed(derived_seed(seed, name, "weights"))
        network = build(len(item_ids)).to(device)
        schedule = _schedule(options, len(item_ids), steps)
        run = Training(name, network, schedule, rng, judge)
        run.run(batches, progress)
    return Fitted(item_ids, trained, run.best, options.max_length), run.n_steps


def restore(stored: Stored, options: NeuralOptions, build: Build) -> Fitted:
    """Read the weights that :meth:`Fitted.save` wrote."""
    import torch

    arrays = dict(stored.arrays)
    trained = arrays.pop("trained")
    network = build(len(stored.item_ids)).to(_device(options))
    network.load_state_dict(
        {name.removeprefix("network."): torch.from_numpy(part) for name, part in arrays.items()}
    )
    return Fitted(stored.item_ids, trained, network.eval(), options.max_length)


def _schedule(options: NeuralOptions, n_items: int, steps: int | None) -> "Schedule":
    from shopsynth.train.next_item._training import Schedule

    return Schedule(
        learning_rate=options.learning_rate,
        warm_up=options.warm_up,
        weight_decay=options.weight_decay,
        averaging=options.averaging,
        negatives=options.negatives if n_items > options.full_softmax_items else 0,
        max_epochs=options.max_epochs,
        patience=options.patience,
        steps=steps,
        bfloat16=_in_bfloat16(options),
    )


def _in_bfloat16(options: NeuralOptions) -> bool:
    return options.precision == "bfloat16" or (
        options.precision == "auto" and _device(options) == "cuda"
    )


def _device(options: NeuralOptions) -> str:
    import torch

    if options.device != "auto":
        return options.device
    return "cuda" if torch.cuda.is_available() else "cpu"
