"""Cross-encoder: a query and an item read together by a pretrained encoder of texts.

In: judged pairs and a pretrained encoder. Out: a predicted grade for every asked pair.
Not for ranking a whole catalogue (`bi_encoder` of `search` does; this one orders what is found).
"""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal, Self

import numpy as np
import polars as pl
from pydantic import Field

from shopsynth.schema import (
    SILENT,
    Dataset,
    Holdout,
    Progress,
    Ranking,
    Settings,
    TrainingSet,
    derived_seed,
)
from shopsynth.train.encoders import in_half_bits
from shopsynth.train.relevance._pairs import Fields, Floats, graded, pairs_of, read_evidence, rmse
from shopsynth.train.relevance.base import register
from shopsynth.train.space import Choice
from shopsynth.train.store import read_model, write_model

if TYPE_CHECKING:
    from shopsynth.train.relevance._network import PairNetwork

_RANGE = "range"


class CrossEncoderOptions(Settings):
    """Options of ``cross_encoder``."""

    space: ClassVar[Mapping[str, Choice]] = {
        "learning_rate": Choice.between(2e-5, 3e-4, log=True),
        "dropout": Choice.between(0.0, 0.3),
        "l2": Choice.between(1e-3, 0.3, log=True),
    }

    model: str = "minilm"
    """The encoder: minilm (English) or e5-small (Chinese and English), which shopsynth models add
    brings, the path of a folder, or a name on the hub."""

    fields: Fields = ("title",)
    """Columns of items whose words are read; those that a shop lacks are left out."""

    max_length: int = Field(default=64, ge=8)
    """Tokens of a query and an item together."""

    pooling: Literal["mean", "cls"] = "mean"
    """What the prediction is made of: the mean of all tokens' states, or the first one's."""

    tuning: Literal["full", "lora", "adalora"] = "full"
    """full: every weight learns; lora: matrices of a low rank beside them; adalora: the same, with
    ranks moved to layers where they matter."""

    rank: int = Field(default=8, ge=1)
    """Of the matrices of lora and adalora."""

    word_vectors: bool = False
    """Train the word vectors too: half of the parameters, and most words are in few pairs."""

    learning_rate: float = Field(default=1e-4, gt=0)
    """Of AdamW, at its highest. LoRA wants ten times as much."""

    warm_up: float = Field(default=0.1, ge=0, le=1)
    """Share of the steps over which the rate rises; it falls to 0 over the others."""

    l2: float = Field(default=0.01, ge=0)
    """Weight decay of AdamW."""

    dropout: float = Field(default=0.1, ge=0, lt=1)
    """Share of states left out while training."""

    adversarial: Literal["none", "fgm", "pgd", "freelb"] = "none"
    """Attack on word vectors that is learned from too: fgm doubles the cost of a step, pgd and
    freelb multiply it by 1 + rounds and by rounds."""

    radius: float = Field(default=0.01, gt=0)
    """How far an attack moves word vectors, as a share of their own length. On validation pairs of
    Home Depot .05 harmed all three attacks (RMSE .535, .535, .532 beside .498 without); .01 harms
    less (fgm .509, freelb .501) and does not help."""

    rounds: int = Field(default=3, ge=1)
    """Steps of pgd and freelb."""

    batch: int = Field(default=32, ge=1)
    """Pairs a step."""

    epochs: float = Field(default=3.0, gt=0)
    """How often each pair is read."""

    evaluate_every: int = Field(default=100, ge=1)
    """Steps between two looks at validation."""

    patience: int = Field(default=4, ge=1)
    """Looks without improvement after which training ends."""

    precision: Literal["float32", "bfloat16"] = "float32"
    """bfloat16 multiplies matrices in half the bits where the processor can: a step of 32 pairs
    takes .28 CPU seconds instead of .67. Where it cannot it is float32."""


@register("cross_encoder")
class CrossEncoder:
    """A linear regression on the pooled states of a BERT-like network that reads both texts.

    It learns by the squared error, each row with its weight; a prediction never leaves the range
    of the grades. It stops by validation, or by training queries held back where nobody judged
    validation.

    Attributes:
        network_: The network.
        steps_: Optimiser steps taken.

    Source:
        Nogueira and Cho, Passage Re-ranking with BERT, arXiv 1901.04085.
    """

    Options: ClassVar[type[Settings]] = CrossEncoderOptions
    network_: "PairNetwork"

    def __init__(self, options: Settings) -> None:
        self.options = CrossEncoderOptions.model_validate(options)
        self.steps_ = 0
        self._range = (-np.inf, np.inf)

    def fit(
        self,
        training: TrainingSet,
        validation: Holdout,
        *,
        seed: int,
        steps: int | None = None,
        progress: Progress = SILENT,
    ) -> Self:
        """Tune the network until validation stops improving, or for ``steps`` steps.

        Raises:
            MissingExtraError: If a library or the package with the weights is not installed.
            SourceError: If the encoder cannot be loaded.
            SchemaError: If the catalogue has none of the fields, or the shop has no queries.
            InputError: If there is no pair to learn from, or the loss stops being finite.
        """
        learned, asked = read_evidence(training, validation, self.options.fields)
        return self.fit_pairs(learned, asked, seed=seed, steps=steps, progress=progress)

    def fit_pairs(
        self,
        learned: pl.DataFrame,
        asked: pl.DataFrame,
        *,
        seed: int,
        steps: int | None = None,
        progress: Progress = SILENT,
    ) -> Self:
        """Tune the network on frames of pairs; ``asked`` says when to stop.

        Raises:
            As :meth:`fit`.
        """
        import torch

        from shopsynth.train.relevance._network import PairNetwork
        from shopsynth.train.relevance._regression import Regression

        options = self.options
        grades = learned["grade"].to_numpy()
        self._range = (float(grades.min()), float(grades.max()))
        rng = np.random.Generator(np.random.PCG64(derived_seed(seed, "cross_encoder", "rows")))
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(derived_seed(seed, "cross_encoder", "weights"))
            self.network_ = PairNetwork.pretrained(
                options.model, options.pooling, options.max_length
            )
            training = Regression(options, self.network_, learned, steps, rng)
            judge = (lambda: rmse(self.predict(asked), asked)) if asked.height else None
            training.run(judge, progress)
        self.steps_ = training.n_steps
        return self

    def rank(self, requests: Dataset, *, k: int, exclude_seen: bool = False) -> Ranking:
        """Predict the grade of every asked pair."""
        pairs = pairs_of(requests.need("judgments"), requests, self.options.fields)
        return graded(requests, self.predict(pairs))

    def predict(self, pairs: pl.DataFrame) -> Floats:
        """Predict the grades of a frame of pairs, ``(pair,)``."""
        return np.clip(self.network_.predict(pairs), *self._range)

    def save(self, folder: Path) -> None:
        """Write the network and its tokenizer."""
        self.network_.save(folder)
        nobody = pl.Series("item_id", [], dtype=pl.String)
        write_model(folder, "cross_encoder", self.options, nobody, self.arrays(), self.steps_)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read the network and its tokenizer.

        Raises:
            MissingExtraError: If transformers is not installed.
            SourceError: If the files are damaged.
        """
        stored = read_model(folder, "cross_encoder")
        model = cls(CrossEncoderOptions.parse(stored.options, str(folder)))
        return model.take(stored.arrays, folder, stored.steps)

    def arrays(self) -> dict[str, np.ndarray]:
        """Return what was learned."""
        return self.network_.weights() | {_RANGE: np.array(self._range, dtype=np.float64)}

    def take(self, arrays: Mapping[str, np.ndarray], folder: Path, steps: int) -> Self:
        """Take what :meth:`arrays` gave, and configuration and tokenizer from ``folder``.

        Raises:
            MissingExtraError: If transformers is not installed.
            SourceError: If they are damaged or of another network.
        """
        from shopsynth.train.relevance._network import PairNetwork

        weights = {name: part for name, part in arrays.items() if name != _RANGE}
        self.network_ = PairNetwork.load(folder, weights)
        self.network_.half_bits = in_half_bits(self.options.precision)
        low, high = arrays[_RANGE].tolist()
        self._range, self.steps_ = (low, high), steps
        return self
