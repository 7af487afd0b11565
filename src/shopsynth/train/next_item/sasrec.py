"""SASRec with cross-entropy: a causal transformer that predicts a user's next moment.

In: weighted events, and validation to stop by. Out: item embeddings and layers; a user's scores are
cosines between the state after its newest events and every item. Not for cold items: an item never
trained is listed after all others, in one tie.
"""

from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Self

from pydantic import Field, model_validator

from shopsynth.schema import SILENT, Dataset, Holdout, Progress, Ranking, Settings, TrainingSet
from shopsynth.train.next_item._neural import Fitted, NeuralOptions, fit_network, restore
from shopsynth.train.next_item._store import read_model
from shopsynth.train.next_item.base import register

if TYPE_CHECKING:
    from shopsynth.train.next_item._sasrec_network import SasrecNetwork


class SasrecOptions(NeuralOptions):
    """Options of ``sasrec``.

    Defaults were chosen on validation of Amazon Beauty (12,101 items, 131,000 events). A shop of
    some 3,000 items trains in seconds, and as well, with ``dim`` 32, ``layers`` 1,
    ``learning_rate`` 0.005 and ``dropout`` 0.1 (validation of Online Retail).
    """

    layers: int = Field(default=2, ge=1)
    """Transformer layers."""

    heads: int = Field(default=2, ge=1)
    """Attention heads; must divide ``dim``."""

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
        fitted_: The state with the best validation NDCG@10.
        steps_: Optimiser steps taken.

    Source:
        Kang and McAuley, ICDM 2018, https://arxiv.org/abs/1808.09781; cross-entropy as in
        Klenitskiy and Vasilev, Turning Dross Into Gold Loss, RecSys 2023,
        https://arxiv.org/abs/2309.07602.
    """

    Options: ClassVar[type[Settings]] = SasrecOptions
    fitted_: Fitted

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
        self.fitted_, self.steps_ = fit_network(
            "sasrec",
            self.options,
            self._new_network,
            training,
            validation,
            seed=seed,
            steps=steps,
            progress=progress,
        )
        return self

    def rank(self, requests: Dataset, *, k: int, exclude_seen: bool = False) -> Ranking:
        """Rank the catalogue by cosine to the state after each user's newest events."""
        histories = self.fitted_.read(requests)
        return self.fitted_.answer(requests, histories, k, exclude_seen)

    def save(self, folder: Path) -> None:
        """Write the weights."""
        self.fitted_.save(folder, "sasrec", self.options, self.steps_)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read the weights."""
        stored = read_model(folder, "sasrec")
        model = cls(SasrecOptions.parse(stored.options, str(folder)))
        model.fitted_ = restore(stored, model.options, model._new_network)
        model.steps_ = stored.steps
        return model

    def _new_network(self, n_items: int) -> "SasrecNetwork":
        from shopsynth.train.next_item._sasrec_network import NetworkSize, SasrecNetwork

        options = self.options
        size = NetworkSize(n_items, options.dim, options.layers, options.heads, options.max_length)
        return SasrecNetwork(size, options.dropout, options.temperature)
