"""Tuned text classifier: a pretrained encoder that learns to tell the classes apart.

In: reviews with a class, a pretrained encoder. Out: a score of every class for any text.
Not for few and plain labels in a hurry (`embedding_linear` takes seconds, and starts this one).
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
from shopsynth.train.content._linear import LinearOptions, chosen, fit_head
from shopsynth.train.content._rows import Labelled, held_back, ranked, read_questions, read_rows
from shopsynth.train.content.base import register, texts_of
from shopsynth.train.content.embedding_linear import encoded, placing
from shopsynth.train.encoders import Encoder, in_half_bits, load_encoder
from shopsynth.train.space import Choice
from shopsynth.train.store import read_model, write_model

if TYPE_CHECKING:
    from shopsynth.train.content._classifier import Classifier

_WEIGHTS = "encoder."


class TextClassifierOptions(Settings):
    """Options of ``text_classifier``."""

    space: ClassVar[Mapping[str, Choice]] = {
        "learning_rate": Choice.between(1e-5, 3e-4, log=True),
        "dropout": Choice.between(0.0, 0.3),
        "mixup": Choice.of(0.0, 0.2, 1.0),
    }

    model: str = "minilm"
    """The encoder: ``minilm`` (English) or ``e5-small`` (Chinese and English), which packages ship,
    a folder, or a name on a hub."""

    max_length: int = Field(default=128, ge=8, le=8192)
    """Tokens of a text that are read."""

    start: Literal["linear", "random"] = "linear"
    """linear: the last layer is first fitted alone, as embedding_linear fits it, so that tuning
    does not unlearn what the encoder knows; random: it starts from small random numbers."""

    balanced: bool = True
    """Let every class weigh the same as a whole, so that rare ones are not passed over."""

    tuning: Literal["full", "lora", "adalora"] = "full"
    """full: every weight learns; lora: matrices of a low rank beside them; adalora: the same, with
    ranks moved to layers where they matter."""

    rank: int = Field(default=8, ge=1)
    """Of the matrices of lora and adalora."""

    word_vectors: bool = False
    """Train the word vectors too: half of the parameters, and most words are in few texts."""

    learning_rate: float = Field(default=5e-5, gt=0)
    """Of the encoder, by AdamW, at its highest. LoRA wants ten times as much."""

    head_rate: float = Field(default=1e-3, gt=0)
    """Of the last layer, which has more to learn than the encoder."""

    warm_up: float = Field(default=0.1, ge=0, le=1)
    """Share of the steps over which rates rise; they fall to 0 over the others."""

    l2: float = Field(default=0.01, ge=0)
    """Weight decay of AdamW."""

    dropout: float = Field(default=0.1, ge=0, lt=1)
    """Share of states left out while training."""

    mixup: float = Field(default=0.0, ge=0)
    """Learn from points between the vectors of two texts and from both their classes; how far
    between is drawn from Beta(mixup, mixup). 0 mixes nothing, 1 mixes evenly."""

    batch: int = Field(default=16, ge=1)
    """Texts a step."""

    epochs: float = Field(default=5.0, gt=0)
    """How often each text is read."""

    evaluate_every: int = Field(default=20, ge=1)
    """Steps between two looks at validation."""

    patience: int = Field(default=4, ge=1)
    """Looks without improvement after which training ends."""

    precision: Literal["float32", "bfloat16"] = "float32"
    """bfloat16 multiplies matrices in half the bits: faster where the processor can;
    where it cannot it is float32."""


@register("text_classifier")
class TextClassifier:
    """A BERT-like encoder and a linear layer on its pooled states, tuned by the log loss.

    Rows learn with their weights. It stops by macro-F1 on validation, or on every tenth real text
    held back where validation has no classes; with too few texts for that it reads all of them
    ``epochs`` times.

    Attributes:
        network_: Encoder and last layer.
        steps_: Optimiser steps taken.

    Source:
        Devlin et al., BERT, NAACL 2019; Kumar et al., Fine-Tuning can Distort Pretrained Features,
        ICLR 2022 (the start); Guo et al., Augmenting Data with Mixup for Sentence Classification,
        arXiv 1905.08941 (sentence vectors are mixed).
    """

    Options: ClassVar[type[Settings]] = TextClassifierOptions
    network_: "Classifier"

    def __init__(self, options: Settings) -> None:
        self.options = TextClassifierOptions.model_validate(options)
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
        """Tune the network until validation stops improving, or for ``steps`` steps.

        Raises:
            InputError: If the rows have fewer than two classes, or the loss stops being finite.
            SchemaError: If reviews have no column that is a class.
            SourceError: If there is no such encoder.
            MissingExtraError: If a library or the package with the weights is not installed.
        """
        import torch

        from shopsynth.train.content._classifier import Classifier
        from shopsynth.train.content._tuning import Tuning

        options = self.options
        labelled = read_rows(training)
        self.classes_ = labelled.classes
        asked = read_questions(validation, labelled.classes)
        if not asked.texts.len():
            labelled, asked = held_back(labelled)
        rng = np.random.Generator(np.random.PCG64(derived_seed(seed, "text_classifier", "rows")))
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(derived_seed(seed, "text_classifier", "weights"))
            self.network_ = Classifier(self._encoder(), self.classes_.len())
            if options.start == "linear":
                self._start(labelled, asked, seed)
            tuning = Tuning(options, self.network_, labelled, steps, rng)
            tuning.run(asked if asked.texts.len() else None, progress)
        self.steps_ = tuning.n_steps
        return self

    def rank(self, requests: Dataset, *, k: int, exclude_seen: bool = False) -> Ranking:
        """Rank the classes of training for every review; nothing is ever left out."""
        scores = self.network_.scores(texts_of(requests.need("reviews")))
        return ranked(requests, self.classes_, scores, k)

    def save(self, folder: Path) -> None:
        """Write the network and its tokenizer."""
        self.network_.encoder.save(folder)
        arrays = self.network_.encoder.weights(_WEIGHTS) | self.network_.head_arrays()
        write_model(folder, "text_classifier", self.options, self.classes_, arrays, self.steps_)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read the network and its tokenizer.

        Raises:
            MissingExtraError: If transformers is not installed.
            SourceError: If the files are damaged.
        """
        from shopsynth.train.content._classifier import Classifier

        stored = read_model(folder, "text_classifier")
        model = cls(TextClassifierOptions.parse(stored.options, str(folder)))
        model.classes_ = pl.Series("class", stored.item_ids)
        weights = {
            name.removeprefix(_WEIGHTS): part
            for name, part in stored.arrays.items()
            if name.startswith(_WEIGHTS)
        }
        encoder = Encoder.load(
            folder, weights, model.options.max_length, bfloat16=model._has_half_bits
        )
        model.network_ = Classifier(encoder, model.classes_.len())
        model.network_.take_head(stored.arrays)
        model.steps_ = stored.steps
        return model

    def _start(self, labelled: Labelled, asked: Labelled, seed: int) -> None:
        """Fit the last layer alone, on vectors of the encoder as it came."""
        vectors = encoded(labelled.texts, self.options.model, self.options.max_length)
        centre, scale = placing(vectors, labelled.weights)
        questions = encoded(asked.texts, self.options.model, self.options.max_length)
        wanted = LinearOptions(classifier="logistic", balanced=self.options.balanced)
        features = (vectors - centre) * scale
        wanted = chosen(
            features, labelled, ((questions - centre) * scale, asked), wanted, seed=seed
        )
        head = fit_head(features, labelled, wanted, seed=seed)
        self.network_.take_head(
            {
                "coef": head.coef,
                "intercept": head.intercept,
                "centre": centre,
                "scale": np.array([scale]),
            }
        )

    def _encoder(self) -> Encoder:
        return load_encoder(
            self.options.model,
            max_length=self.options.max_length,
            bfloat16=self._has_half_bits,
        )

    @property
    def _has_half_bits(self) -> bool:
        return in_half_bits(self.options.precision)
