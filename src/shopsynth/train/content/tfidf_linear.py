"""TF-IDF and a linear classifier: the words, and pieces of words, that tell classes apart.

In: reviews with a class. Out: a score of every class for any text. Not for what is said in words
that no training text has (``embedding_linear`` knows synonyms).
"""

from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar, Self

import polars as pl
from pydantic import Field, model_validator

from shopsynth.schema import SILENT, Dataset, Holdout, Progress, Ranking, Settings, TrainingSet
from shopsynth.train.content._linear import Head, LinearOptions, chosen, fit_head
from shopsynth.train.content._rows import ranked, read_questions, read_rows
from shopsynth.train.content._terms import Terms
from shopsynth.train.content.base import register, texts_of
from shopsynth.train.space import Choice
from shopsynth.train.store import read_model, write_model


class TfidfLinearOptions(LinearOptions):
    """Options of ``tfidf_linear``."""

    space: ClassVar[Mapping[str, Choice]] = {
        "classifier": Choice.of("svm", "logistic"),
        "words": Choice.of(1, 2),
        "balanced": Choice.of(True, False),
    }

    words: int = Field(default=2, ge=0, le=5)
    """Words in a row that make a term, at most; 0 counts no words. Chinese, Japanese and Thai are
    cut into pairs of characters."""

    least_gram: int = Field(default=2, ge=1, le=8)
    """Characters of the shortest pieces of words."""

    most_gram: int = Field(default=5, ge=0, le=8)
    """Characters of the longest pieces of words; 0 counts no pieces."""

    @model_validator(mode="after")
    def _counts_something(self) -> Self:
        if not self.words and not self.most_gram:
            raise ValueError("expected words or most_gram above 0: one of them must be counted")
        if self.most_gram and self.most_gram < self.least_gram:
            raise ValueError(
                f"expected most_gram of at least least_gram ({self.least_gram}), or 0, got "
                f"{self.most_gram}"
            )
        return self

    @property
    def grams(self) -> tuple[int, int] | None:
        """Shortest and longest piece of a word, if any are counted."""
        return (self.least_gram, self.most_gram) if self.most_gram else None


@register("tfidf_linear")
class TfidfLinear:
    """Sublinear TF-IDF of words, pairs of words and pieces of words under a linear classifier.

    Source:
        Joachims, Text Categorization with Support Vector Machines, ECML 1998; Salton & Buckley,
        Term-weighting approaches in automatic text retrieval, 1988.
    """

    Options: ClassVar[type[Settings]] = TfidfLinearOptions

    def __init__(self, options: Settings) -> None:
        self.options = TfidfLinearOptions.model_validate(options)
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
        """Learn terms and their weights; ``steps`` are not counted.

        Raises:
            InputError: If the rows have fewer than two classes.
            SchemaError: If reviews have no column that is a class.
            MissingExtraError: If scikit-learn is not installed.
        """
        labelled = read_rows(training)
        asked = read_questions(validation, labelled.classes)
        self.classes_ = labelled.classes
        self.terms_ = Terms.learn(labelled.texts, self.options.words, self.options.grams)
        features = self.terms_.of(labelled.texts)
        options = chosen(
            features, labelled, (self.terms_.of(asked.texts), asked), self.options, seed=seed
        )
        self.c_ = options.c
        self.head_ = fit_head(features, labelled, options, seed=seed)
        return self

    def rank(self, requests: Dataset, *, k: int, exclude_seen: bool = False) -> Ranking:
        """Rank the classes of training for every review; nothing is ever left out."""
        features = self.terms_.of(texts_of(requests.need("reviews")))
        return ranked(requests, self.classes_, self.head_.scores(features), k)

    def save(self, folder: Path) -> None:
        """Write terms and class vectors."""
        arrays = {"coef": self.head_.coef, "intercept": self.head_.intercept}
        options = self.options.model_copy(update={"c": self.c_})
        write_model(folder, "tfidf_linear", options, self.classes_, arrays | self.terms_.arrays())

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read terms and class vectors."""
        stored = read_model(folder, "tfidf_linear")
        model = cls(TfidfLinearOptions.parse(stored.options, str(folder)))
        model.classes_ = pl.Series("class", stored.item_ids)
        model.c_ = model.options.c
        model.head_ = Head(stored.arrays["coef"], stored.arrays["intercept"])
        model.terms_ = Terms.read(stored.arrays, model.options.words, model.options.grams)
        return model
