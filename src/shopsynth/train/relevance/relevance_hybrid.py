"""Relevance hybrid: boosted trees and a cross-encoder together, weighed on validation.

In: what `lexical_gbdt` and `cross_encoder` need. Out: a weighted mean of their grades.
Not for catalogues without text.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar, Self, TypeVar

import numpy as np
import polars as pl
from pydantic import Field

from shopsynth.schema import SILENT, Dataset, Holdout, Progress, Ranking, Settings, TrainingSet
from shopsynth.train.relevance._pairs import Floats, graded, item_words, pairs_of, read_evidence
from shopsynth.train.relevance.base import register
from shopsynth.train.relevance.cross_encoder import CrossEncoder, CrossEncoderOptions
from shopsynth.train.relevance.lexical_gbdt import LexicalGbdt, LexicalGbdtOptions
from shopsynth.train.space import Choice
from shopsynth.train.store import read_model, write_model

_NAME = "relevance_hybrid"
_TREES, _NETWORK, _WEIGHT = "lexical_gbdt.", "cross_encoder.", "weight"

Part = TypeVar("Part", bound=Settings)


class RelevanceHybridOptions(LexicalGbdtOptions, CrossEncoderOptions):
    """Options of ``relevance_hybrid``: those of ``lexical_gbdt`` and ``cross_encoder``."""

    space: ClassVar[Mapping[str, Choice]] = {
        **LexicalGbdtOptions.space,
        **CrossEncoderOptions.space,
    }

    weight: float = Field(default=0.5, ge=0, le=1)
    """Of the cross-encoder where there are no grades to choose it by."""


@register(_NAME)
class RelevanceHybrid:
    """``(1 - w) * lexical_gbdt + w * cross_encoder``.

    The weight is the least-squares one on validation, or on training queries held back where
    nobody judged validation; neither part learns from these.

    Attributes:
        lexical_gbdt_: The trees.
        cross_encoder_: The network.
        weight_: Of the network, from 0 to 1.

    Source:
        Breiman, Stacked Regressions, Machine Learning 1996.
    """

    Options: ClassVar[type[Settings]] = RelevanceHybridOptions
    made_of: ClassVar[tuple[str, ...]] = ("lexical_gbdt", "cross_encoder")

    def __init__(self, options: Settings) -> None:
        self.options = RelevanceHybridOptions.model_validate(options)
        self.lexical_gbdt_ = LexicalGbdt(_part(self.options, LexicalGbdtOptions))
        self.cross_encoder_ = CrossEncoder(_part(self.options, CrossEncoderOptions))
        self.weight_ = self.options.weight
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
        """Grow the trees, tune the network and choose the weight.

        Raises:
            MissingExtraError: If a library or the package with the weights is not installed.
            SourceError: If the encoder cannot be loaded.
            SchemaError: If the catalogue has none of the fields, or the shop has no queries.
            InputError: If there is no pair to learn from, or the loss stops being finite.
        """
        learned, asked = read_evidence(training, validation, self.options.fields)
        catalogue = item_words(training.data.items, self.options.fields)
        self.lexical_gbdt_.fit_pairs(learned, asked, catalogue, seed=seed, progress=progress)
        self.cross_encoder_.fit_pairs(learned, asked, seed=seed, steps=steps, progress=progress)
        self.steps_ = self.cross_encoder_.steps_
        self.weight_ = self._best_weight(asked, catalogue)
        return self

    def rank(self, requests: Dataset, *, k: int, exclude_seen: bool = False) -> Ranking:
        """Predict the grade of every asked pair."""
        pairs = pairs_of(requests.need("judgments"), requests, self.options.fields)
        plain, read = self._parts(pairs, item_words(requests.items, self.options.fields))
        return graded(requests, (1.0 - self.weight_) * plain + self.weight_ * read)

    def save(self, folder: Path) -> None:
        """Write both parts and the weight."""
        self.cross_encoder_.network_.save(folder)
        arrays = {
            **{_TREES + name: part for name, part in self.lexical_gbdt_.arrays().items()},
            **{_NETWORK + name: part for name, part in self.cross_encoder_.arrays().items()},
            _WEIGHT: np.array([self.weight_]),
        }
        nobody = pl.Series("item_id", [], dtype=pl.String)
        write_model(folder, _NAME, self.options, nobody, arrays, self.steps_)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what :meth:`save` wrote.

        Raises:
            MissingExtraError: If a library is not installed.
            SourceError: If a file is missing, damaged or of another version.
        """
        stored = read_model(folder, _NAME)
        model = cls(RelevanceHybridOptions.parse(stored.options, str(folder)))
        model.lexical_gbdt_.take(_below(stored.arrays, _TREES), folder)
        model.cross_encoder_.take(_below(stored.arrays, _NETWORK), folder, stored.steps)
        model.weight_, model.steps_ = float(stored.arrays[_WEIGHT][0]), stored.steps
        return model

    def _parts(self, pairs: pl.DataFrame, catalogue: pl.Series) -> tuple[Floats, Floats]:
        return self.lexical_gbdt_.predict(pairs, catalogue), self.cross_encoder_.predict(pairs)

    def _best_weight(self, asked: pl.DataFrame, catalogue: pl.Series) -> float:
        """Solve ``min_w |grade - plain - w (read - plain)|^2`` for ``w`` from 0 to 1."""
        if not asked.height:
            return self.options.weight
        plain, read = self._parts(asked, catalogue)
        apart = read - plain
        if not apart.any():
            return self.options.weight
        best = float(apart @ (asked["grade"].to_numpy() - plain) / (apart @ apart))
        return float(np.clip(best, 0.0, 1.0))


def _part(options: RelevanceHybridOptions, kind: type[Part]) -> Part:
    return kind(**{name: getattr(options, name) for name in kind.model_fields})


def _below(arrays: Mapping[str, np.ndarray], prefix: str) -> dict[str, np.ndarray]:
    return {
        name.removeprefix(prefix): part for name, part in arrays.items() if name.startswith(prefix)
    }
