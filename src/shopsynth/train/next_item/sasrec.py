"""SASRec with cross-entropy: a causal transformer that predicts a user's next moment.

In: weighted events, and validation to stop by. Out: item embeddings and layers; a user's scores are
cosines between the state after its newest events and every item. Not for cold items: an item never
trained is listed after all others, in one tie.
"""

from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal, Self

import numpy as np
import polars as pl
from numpy.typing import NDArray
from pydantic import Field, model_validator

from shopsynth.schema import (
    SILENT,
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
from shopsynth.train.next_item._ranks import UNKNOWN, Floats
from shopsynth.train.next_item._store import read_model, write_model
from shopsynth.train.next_item.base import register

if TYPE_CHECKING:
    from shopsynth.train.next_item._sasrec_network import SasrecNetwork
    from shopsynth.train.next_item._sasrec_training import Schedule

_PROBE_UNITS = 2000


class SasrecOptions(Settings):
    """Options of ``sasrec``.

    Defaults were chosen on validation of Amazon Beauty (12,101 items, 131,000 events). A shop of
    some 3,000 items trains in seconds, and as well, with ``dim`` 32, ``layers`` 1,
    ``learning_rate`` 0.005 and ``dropout`` 0.1 (validation of Online Retail).
    """

    dim: int = Field(default=64, ge=2)
    """Width of embeddings and layers."""

    layers: int = Field(default=2, ge=1)
    """Transformer layers."""

    heads: int = Field(default=2, ge=1)
    """Attention heads; must divide ``dim``."""

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

    device: Literal["auto", "cpu", "cuda"] = "auto"
    """auto takes a GPU where there is one."""

    @model_validator(mode="after")
    def _heads_divide(self) -> Self:
        if self.dim % self.heads:
            raise ValueError(f"heads must divide dim; got heads {self.heads} and dim {self.dim}")
        return self


@register("sasrec")
class Sasrec:
    """Self-attentive sequential recommendation, trained with cross-entropy.

    At the end of each moment of a history (an order, or a single event) the network is asked for
    the items of the next moment: the task's own question. The same seed and number of threads give
    the same weights on a CPU.

    Attributes:
        item_ids_: The training catalogue.
        trained_: ``(item,)`` whether the item was in any training event.
        network_: The state with the best validation NDCG@10.
        steps_: Optimiser steps taken.

    Source:
        Kang and McAuley, ICDM 2018, https://arxiv.org/abs/1808.09781; cross-entropy as in
        Klenitskiy and Vasilev, Turning Dross Into Gold Loss, RecSys 2023,
        https://arxiv.org/abs/2309.07602.
    """

    Options: ClassVar[type[Settings]] = SasrecOptions
    item_ids_: pl.Series
    trained_: NDArray[np.bool_]
    network_: "SasrecNetwork"

    def __init__(self, options: Settings) -> None:
        self.options = SasrecOptions.model_validate(options)
        self.steps_ = 0

    def fit(
        self,
        training: TrainingSet,
        validation: Holdout,
        *,
        seed: int,
        steps: int | None = None,
        progress: Progress = SILENT,
    ) -> Self:
        """Train until validation NDCG@10 stops rising, or for ``steps`` steps.

        Raises:
            EmptyDataError: If no user has events at two different times.
            InputError: If the loss stops being finite.
        """
        import torch

        from shopsynth.train.next_item._sasrec_training import Training

        self.item_ids_ = training.data.items["item_id"]
        histories = read_histories(training.data, self.item_ids_)
        self.trained_ = np.bincount(histories.items, minlength=len(self.item_ids_)) > 0
        rng = np.random.Generator(np.random.PCG64(derived_seed(seed, "sasrec", "batches")))
        rows = max(1, self.options.batch_tokens // self.options.max_length)
        batches = Batches(histories, self.options.max_length, rows, rng)
        if not batches.n_questions:
            raise EmptyDataError(
                f"sasrec: expected users with events at two times or more, got none among "
                f"{len(histories.unit_ids)} users; train a model that needs no order, or more data"
            )
        probe = Probe(validation, _PROBE_UNITS, derived_seed(seed, "sasrec", "probe"))
        asked = read_histories(probe.requests, self.item_ids_).newest(self.options.max_length)

        def judge(network: "SasrecNetwork") -> float:
            self.network_ = network
            ranking = self._answer(probe.requests, asked, CUTOFF, probe.exclude_seen)
            return probe.ndcg(ranking)

        device = self._device()
        # A copy of the global state: nobody else's draws change, and nobody else changes ours.
        with torch.random.fork_rng(devices=[0] if device == "cuda" else []):
            torch.manual_seed(derived_seed(seed, "sasrec", "weights"))
            training_run = Training(self._new_network(device), self._schedule(steps), rng, judge)
            training_run.run(batches, progress)
        self.network_ = training_run.best
        self.steps_ = training_run.n_steps
        return self

    def rank(self, requests: Dataset, *, k: int, exclude_seen: bool = False) -> Ranking:
        """Rank the catalogue by cosine to the state after each user's newest events."""
        histories = read_histories(requests, self.item_ids_).newest(self.options.max_length)
        return self._answer(requests, histories, k, exclude_seen)

    def save(self, folder: Path) -> None:
        """Write the weights."""
        state = self.network_.state_dict()
        arrays = {f"network.{name}": part.cpu().numpy() for name, part in state.items()}
        arrays["trained"] = self.trained_
        write_model(folder, "sasrec", self.options, self.item_ids_, arrays, self.steps_)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read the weights."""
        import torch

        stored = read_model(folder, "sasrec")
        model = cls(SasrecOptions.parse(stored.options, str(folder)))
        model.item_ids_, model.steps_ = stored.item_ids, stored.steps
        model.trained_ = stored.arrays.pop("trained")
        state = {
            name.removeprefix("network."): torch.from_numpy(part)
            for name, part in stored.arrays.items()
        }
        model.network_ = model._new_network(model._device())
        model.network_.load_state_dict(state)
        model.network_.eval()
        return model

    def _answer(
        self, requests: Dataset, histories: Histories, k: int, exclude_seen: bool
    ) -> Ranking:
        def score(start: int, stop: int) -> Floats:
            return self._scores(histories, start, stop)

        return answer(
            requests,
            histories.unit_ids,
            self.item_ids_,
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
        device = self.network_.items.weight.device
        with torch.inference_mode():
            tokens = torch.from_numpy(items).to(device)
            positions = torch.arange(tokens.shape[1], device=device).expand_as(tokens)
            states = self.network_(tokens, positions, torch.from_numpy(marks).to(device))
            newest = torch.from_numpy(np.maximum(lengths, 1) - 1).to(device)
            asking = states[torch.arange(len(newest), device=device), newest]
            scores: Floats = self.network_.scores(asking).cpu().numpy()
        scores[lengths == 0] = 0.0
        scores[:, ~self.trained_] = UNKNOWN
        return scores

    def _new_network(self, device: str) -> "SasrecNetwork":
        from shopsynth.train.next_item._sasrec_network import NetworkSize, SasrecNetwork

        options = self.options
        size = NetworkSize(
            len(self.item_ids_), options.dim, options.layers, options.heads, options.max_length
        )
        return SasrecNetwork(size, options.dropout, options.temperature).to(device)

    def _schedule(self, steps: int | None) -> "Schedule":
        from shopsynth.train.next_item._sasrec_training import Schedule

        options = self.options
        sampled = len(self.item_ids_) > options.full_softmax_items
        return Schedule(
            learning_rate=options.learning_rate,
            warm_up=options.warm_up,
            weight_decay=options.weight_decay,
            averaging=options.averaging,
            negatives=options.negatives if sampled else 0,
            max_epochs=options.max_epochs,
            patience=options.patience,
            steps=steps,
        )

    def _device(self) -> str:
        import torch

        if self.options.device != "auto":
            return self.options.device
        return "cuda" if torch.cuda.is_available() else "cpu"
