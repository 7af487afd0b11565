"""What the rankers with a network are beside their network: fitting, ranking, saving, loading.

In: weighted events, and validation to stop by. Out: a fitted network that ranks the catalogue. A
model adds its options and builds its network.
"""

from abc import ABC, abstractmethod
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Generic, Self, TypeVar

from shopsynth.schema import SILENT, Dataset, Holdout, Progress, Ranking, Settings, TrainingSet
from shopsynth.train.next_item._neural import Fitted, NeuralOptions, fit_network, restore
from shopsynth.train.store import read_model

if TYPE_CHECKING:
    from shopsynth.train.next_item._network import HistoryNetwork

AnyOptions = TypeVar("AnyOptions", bound=NeuralOptions)


class NeuralRanker(ABC, Generic[AnyOptions]):
    """A network over histories as a ranker.

    At the end of each moment of a history (an order, or a single event) the network is asked for
    the items of the next moment: the task's own question. The same seed and number of threads give
    the same weights on a CPU.

    Args:
        options: The model's own options, checked.

    Attributes:
        name: The model's registered name.
        fitted_: The state with the best validation NDCG@10.
        steps_: Optimiser steps taken.
    """

    name: ClassVar[str]
    Options: ClassVar[type[Settings]]
    fitted_: Fitted

    def __init__(self, options: Settings) -> None:
        self.options: AnyOptions = self._checked(options)
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
            self.name,
            self.options,
            self.new_network,
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
        self.fitted_.save(folder, self.name, self.options, self.steps_)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read the weights."""
        stored = read_model(folder, cls.name)
        model = cls(cls.Options.parse(stored.options, str(folder)))
        model.fitted_ = restore(stored, model.options, model.new_network)
        model.steps_ = stored.steps
        return model

    @abstractmethod
    def new_network(self, n_items: int) -> "HistoryNetwork":
        """Make a network with first weights for a catalogue of ``n_items`` items."""

    @classmethod
    @abstractmethod
    def _checked(cls, options: Settings) -> AnyOptions:
        """Return ``options`` as the model's own."""
