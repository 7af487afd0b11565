"""A frozen sentence embedding and a linear classifier: what was said, in whatever words.

In: reviews with a class, the name of an encoder. Out: a score of every class for any text. Not for
style, spelling and single words (``tfidf_linear`` sees those).
"""

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import ClassVar, Literal, Self

import numpy as np
import polars as pl
from numpy.typing import NDArray
from pydantic import Field

from shopsynth.schema import SILENT, Dataset, Holdout, Progress, Ranking, Settings, TrainingSet
from shopsynth.train.content._linear import Head, LinearOptions, chosen, fit_head
from shopsynth.train.content._rows import ranked, read_questions, read_rows
from shopsynth.train.content.base import register, texts_of
from shopsynth.train.encoders import Encoder, load_encoder
from shopsynth.train.space import Choice
from shopsynth.train.store import read_model, write_model

_KEPT = 40_000
"""Vectors kept between fits: 60 MB. All arms of a run learn from the same real texts, and are asked
the same ones, and encoding is 99 % of the time."""


class EmbeddingLinearOptions(LinearOptions):
    """Options of ``embedding_linear``."""

    space: ClassVar[Mapping[str, Choice]] = {
        "classifier": Choice.of("svm", "logistic"),
        "balanced": Choice.of(True, False),
    }

    model: str = "minilm"
    """The encoder: ``minilm`` (English) or ``e5-small`` (Chinese and English), which packages ship,
    a folder, or a name on a hub."""

    max_length: int = Field(default=128, ge=8, le=8192)
    """Tokens of a text that are read."""

    classifier: Literal["svm", "logistic"] = "logistic"
    """Squared hinge loss one class against the rest, or the log loss of all classes at once."""


@register("embedding_linear")
class EmbeddingLinear:
    """The vectors of a pretrained encoder, centred and scaled, under a linear classifier.

    The encoder is not tuned and not saved: a saved model names it, and is loaded where it is found.
    Vectors are centred and scaled by one number, since some encoders keep all texts within a
    narrow cone and no regularisation suits both kinds.

    Source:
        Reimers & Gurevych, Sentence-BERT, EMNLP 2019.
    """

    Options: ClassVar[type[Settings]] = EmbeddingLinearOptions

    def __init__(self, options: Settings) -> None:
        self.options = EmbeddingLinearOptions.model_validate(options)
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
        """Encode the texts and fit the classifier; ``steps`` are not counted.

        Raises:
            InputError: If the rows have fewer than two classes.
            SchemaError: If reviews have no column that is a class.
            SourceError: If there is no such encoder.
            MissingExtraError: If scikit-learn, sentence-transformers or the package with the
                weights is not installed.
        """
        labelled = read_rows(training)
        asked = read_questions(validation, labelled.classes)
        self.classes_ = labelled.classes
        vectors = self._vectors(labelled.texts)
        self.centre_, self.scale_ = placing(vectors, labelled.weights)
        features = self._placed(vectors)
        options = chosen(
            features,
            labelled,
            (self._placed(self._vectors(asked.texts)), asked),
            self.options,
            seed=seed,
        )
        self.c_ = options.c
        self.head_ = fit_head(features, labelled, options, seed=seed)
        return self

    def rank(self, requests: Dataset, *, k: int, exclude_seen: bool = False) -> Ranking:
        """Rank the classes of training for every review; nothing is ever left out."""
        vectors = self._placed(self._vectors(texts_of(requests.need("reviews"))))
        return ranked(requests, self.classes_, self.head_.scores(vectors), k)

    def save(self, folder: Path) -> None:
        """Write the class vectors and the encoder's name."""
        arrays = {
            "coef": self.head_.coef,
            "intercept": self.head_.intercept,
            "centre": self.centre_,
            "scale": np.array([self.scale_]),
        }
        options = self.options.model_copy(update={"c": self.c_})
        write_model(folder, "embedding_linear", options, self.classes_, arrays)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read the class vectors; the encoder is looked up when a text is to be read."""
        stored = read_model(folder, "embedding_linear")
        model = cls(EmbeddingLinearOptions.parse(stored.options, str(folder)))
        model.classes_ = pl.Series("class", stored.item_ids)
        model.c_ = model.options.c
        model.head_ = Head(stored.arrays["coef"], stored.arrays["intercept"])
        model.centre_, model.scale_ = stored.arrays["centre"], stored.arrays["scale"][0]
        return model

    def _vectors(self, texts: pl.Series) -> NDArray[np.float32]:
        return encoded(texts, self.options.model, self.options.max_length)

    def _placed(self, vectors: NDArray[np.float32]) -> NDArray[np.float32]:
        return np.asarray((vectors - self.centre_) * self.scale_)


def placing(
    vectors: NDArray[np.float32], weights: NDArray[np.float64]
) -> tuple[NDArray[np.float32], np.float32]:
    """Tell what to take off vectors, ``(dim,)``, and what to multiply them by, to even them out."""
    centre = np.average(vectors, axis=0, weights=weights).astype(np.float32)
    spread = float(np.sqrt(np.mean((vectors - centre) ** 2)))
    return centre, np.float32(1.0 / (spread * np.sqrt(vectors.shape[1]) or 1.0))


def encoded(texts: pl.Series, model: str, max_length: int) -> NDArray[np.float32]:
    """Encode texts as queries of an encoder, those of earlier calls from memory; ``(text, dim)``.

    Raises:
        SourceError: If there is no such encoder.
        MissingExtraError: If a library or the weights are not installed.
    """
    encoder = _encoder(model, max_length)
    known = _known(model, max_length)
    new = (
        texts.filter(~texts.is_in(list(known))).unique().sort() if known else texts.unique().sort()
    )
    if len(known) + new.len() > _KEPT:
        known.clear()
        new = texts.unique().sort()
    vectors = encoder.encode(new, "query")
    known.update(zip(new.to_list(), vectors, strict=True))
    if not texts.len():
        return vectors
    return np.stack([known[text] for text in texts.to_list()])


@lru_cache(maxsize=2)
def _encoder(model: str, max_length: int) -> Encoder:
    return load_encoder(model, max_length=max_length)


@lru_cache(maxsize=2)
def _known(model: str, max_length: int) -> dict[str, NDArray[np.float32]]:
    """Vectors of texts by text; the same place for the same encoder."""
    return {}
