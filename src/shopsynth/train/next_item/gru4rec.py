"""GRU4Rec with cross-entropy: a recurrent network that predicts a user's next moment.

In: weighted events, and validation to stop by. Out: item embeddings and recurrent layers; a user's
scores are cosines between the state after its newest events and every item. Not for cold items: an
item never trained is listed after all others, in one tie.
"""

from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Self

from pydantic import Field

from shopsynth.schema import SILENT, Dataset, Holdout, Progress, Ranking, Settings, TrainingSet
from shopsynth.train.next_item._neural import Fitted, NeuralOptions, fit_network, restore
from shopsynth.train.next_item._store import read_model
from shopsynth.train.next_item.base import register

if TYPE_CHECKING:
    from shopsynth.train.next_item._gru_network import GruNetwork


class Gru4RecOptions(NeuralOptions):
    """Options of ``gru4rec``.

    Defaults are those of ``sasrec`` where both have one. A shop of some 3,000 items trains in
    seconds with ``learning_rate`` 0.005 (validation of Online Retail).
    """

    layers: int = Field(default=1, ge=1)
    """Recurrent layers."""

    hidden: int = Field(default=128, ge=1)
    """Width of the recurrent state."""


@register("gru4rec")
class Gru4Rec:
    """Gated recurrent units over a history, trained with cross-entropy.

    A second architecture beside ``sasrec``: an uplift that only one of them shows is the model's,
    not the data's. Questions, loss, early stopping and probes are those of ``sasrec``. The same
    seed and number of threads give the same weights on a CPU.

    Attributes:
        fitted_: The state with the best validation NDCG@10.
        steps_: Optimiser steps taken.

    Source:
        Hidasi et al., ICLR 2016, https://arxiv.org/abs/1511.06939; cross-entropy instead of its
        pairwise losses as in Petrov and Macdonald, gSASRec, RecSys 2023,
        https://arxiv.org/abs/2308.07192, and Klenitskiy and Vasilev, Turning Dross Into Gold Loss,
        RecSys 2023, https://arxiv.org/abs/2309.07602.
    """

    Options: ClassVar[type[Settings]] = Gru4RecOptions
    fitted_: Fitted

    def __init__(self, options: Settings) -> None:
        self.options = Gru4RecOptions.model_validate(options)
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
            "gru4rec",
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
        self.fitted_.save(folder, "gru4rec", self.options, self.steps_)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read the weights."""
        stored = read_model(folder, "gru4rec")
        model = cls(Gru4RecOptions.parse(stored.options, str(folder)))
        model.fitted_ = restore(stored, model.options, model._new_network)
        model.steps_ = stored.steps
        return model

    def _new_network(self, n_items: int) -> "GruNetwork":
        from shopsynth.train.next_item._gru_network import GruNetwork

        options = self.options
        return GruNetwork(
            n_items,
            options.dim,
            options.hidden,
            options.layers,
            options.dropout,
            options.temperature,
        )
