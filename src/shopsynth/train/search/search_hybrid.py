"""Search hybrid: BM25 and bi-encoders together, weighed on validation or on held-back queries.

In: what `bm25` and `bi_encoder` need. Out: a weighted sum of their scores of the whole catalogue.
Not for catalogues without text.
"""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, ClassVar, Self, TypeVar

import numpy as np
import polars as pl
from pydantic import Field, model_validator

from shopsynth.schema import (
    SILENT,
    Dataset,
    Holdout,
    Progress,
    Ranking,
    Settings,
    SourceError,
    TrainingSet,
)
from shopsynth.train.ranks import Floats
from shopsynth.train.search._answers import Score, answer
from shopsynth.train.search._judged import Judged, hold_back
from shopsynth.train.search.base import register
from shopsynth.train.search.bi_encoder import BiEncoder, BiEncoderOptions
from shopsynth.train.search.bm25 import Bm25, Bm25Options
from shopsynth.train.space import Choice

_FACTS = "search_hybrid.json"
_VERSION = 1

Part = TypeVar("Part", bound=Settings)


class SearchHybridOptions(Bm25Options, BiEncoderOptions):
    """Options of ``search_hybrid``: those of ``bm25`` and ``bi_encoder``, and how they meet."""

    space: ClassVar[Mapping[str, Choice]] = {**Bm25Options.space, **BiEncoderOptions.space}

    also: tuple[str, ...] = ()
    """Further encoders beside `model`, such as e5-small beside minilm: each is tuned as that one
    is, with its own prompts and scale, and all share the dense part's weight alike."""

    weights: tuple[Annotated[float, Field(ge=0, le=1)], ...] = Field(
        default=(0.4, 0.0, 0.1, 0.2, 0.3, 0.5, 0.6, 0.7, 0.8, 1.0), min_length=1
    )
    """Weights of the dense part to choose from; 0 is BM25 alone, 1 the dense part alone. The first
    is taken where there is nothing to choose by."""

    @model_validator(mode="after")
    def _need_each_encoder_once(self) -> Self:
        named = (self.model, *self.also)
        if len(set(named)) < len(named):
            raise ValueError("also must name encoders besides model, each once")
        return self


@register("search_hybrid")
class SearchHybrid:
    """``(1 - w) * bm25 + w * dense``, each in its standard deviations of a query.

    The dense part is a bi-encoder, or the mean of several. The weight is chosen by NDCG@10 on
    validation, or on training queries held back where nobody judged validation; no bi-encoder
    trains on these.

    Attributes:
        bm25_: The lexical part.
        bi_encoders_: The dense part.
        steps_: Optimiser steps of the bi-encoder that took most.
        weight_: Of the dense part; of equally good ones the first that ``weights`` names.

    Source:
        Bruch, Gai and Ingber, An Analysis of Fusion Functions for Hybrid Retrieval, ACM TOIS 2023
        (weighted sums of normalised scores beat reciprocal ranks and need few queries to weigh).
    """

    Options: ClassVar[type[Settings]] = SearchHybridOptions
    made_of: ClassVar[tuple[str, ...]] = ("bm25", "bi_encoder")
    bm25_: Bm25
    bi_encoders_: tuple[BiEncoder, ...]
    weight_: float

    def __init__(self, options: Settings) -> None:
        self.options = SearchHybridOptions.model_validate(options)
        self.bm25_ = Bm25(_part(self.options, Bm25Options))
        self.bi_encoders_ = tuple(BiEncoder(each) for each in _encoders(self.options))
        self.weight_ = self.options.weights[0]
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
        """Index the catalogue, tune the encoder and choose the weight.

        Raises:
            MissingExtraError: If a library or the package with the weights is not installed.
            SourceError: If the encoder cannot be loaded.
            SchemaError: If the catalogue has none of the fields.
            InputError: If the loss stops being finite.
        """
        rest, asked = hold_back(training, validation)
        self.bm25_.fit(rest, asked, seed=seed)
        for encoder in self.bi_encoders_:
            encoder.fit(rest, asked, seed=seed, steps=steps, progress=progress)
        self.steps_ = max(encoder.steps_ for encoder in self.bi_encoders_)
        self.weight_ = self._best_weight(Judged.of_questions(asked), asked.requests.items)
        return self

    def rank(self, requests: Dataset, *, k: int, exclude_seen: bool = False) -> Ranking:
        """Rank the catalogue by the weighted sum; nothing is ever left out."""
        lexical, dense = self._scorers(requests.items)
        return answer(requests, _mixed(lexical, dense, self.weight_), k=k)

    def save(self, folder: Path) -> None:
        """Write the bi-encoders, the options and the weight."""
        for encoder, place in zip(self.bi_encoders_, self._places(folder), strict=True):
            place.mkdir(exist_ok=True)
            encoder.save(place)
        facts = {
            "version": _VERSION,
            "options": self.options.model_dump(mode="json"),
            "weight": self.weight_,
        }
        (folder / _FACTS).write_text(json.dumps(facts), encoding="utf-8")

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what :meth:`save` wrote.

        Raises:
            SourceError: If a file is missing, damaged or of another version.
        """
        where = folder / _FACTS
        try:
            facts = json.loads(where.read_text(encoding="utf-8"))
            version, options, weight = (facts[key] for key in ("version", "options", "weight"))
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise SourceError(
                f"{where}: expected the facts of a search_hybrid; reading them failed "
                f"({type(error).__name__}). Train again."
            ) from error
        if version != _VERSION:
            raise SourceError(f"{where}: expected version {_VERSION}, got {version}. Train again.")
        model = cls(SearchHybridOptions.parse(options, str(folder)))
        model.bi_encoders_ = tuple(BiEncoder.load(place) for place in model._places(folder))
        model.weight_ = weight
        model.steps_ = max(encoder.steps_ for encoder in model.bi_encoders_)
        return model

    def _places(self, folder: Path) -> list[Path]:
        """Name a folder for each bi-encoder: the first one's is the model's own."""
        also = range(1, len(self.bi_encoders_))
        return [folder, *(folder / f"bi_encoder_{number}" for number in also)]

    def _scorers(self, items: pl.DataFrame) -> tuple[Score, Score]:
        dense = [encoder.scorer(items) for encoder in self.bi_encoders_]
        return self.bm25_.scorer(items), dense[0] if len(dense) == 1 else _mean(dense)

    def _best_weight(self, asked: Judged, items: pl.DataFrame) -> float:
        weights = self.options.weights
        if len(weights) == 1 or not asked.texts.len():
            return weights[0]
        lexical, dense = self._scorers(items)

        def mixed(queries: pl.Series) -> Iterator[Floats]:
            parts = _scaled(lexical(queries), 1.0), _scaled(dense(queries), 1.0)
            return ((1.0 - weight) * parts[0] + weight * parts[1] for weight in weights)

        gains = asked.ndcgs(mixed, len(weights))
        return weights[int(np.argmax(gains))]


def _part(options: SearchHybridOptions, kind: type[Part]) -> Part:
    return kind(**{name: getattr(options, name) for name in kind.model_fields})


def _encoders(options: SearchHybridOptions) -> list[BiEncoderOptions]:
    """Give each encoder its options; what only one can want is not handed to another."""
    first = _part(options, BiEncoderOptions)
    own = {"query_prompt": None, "item_prompt": None, "scale": None}
    return [first, *(first.model_copy(update={"model": name, **own}) for name in options.also)]


def _mean(scores: list[Score]) -> Score:
    """Take the mean of encoders, each in its standard deviations of a query."""

    def score(queries: pl.Series) -> Floats:
        return sum(
            (_scaled(each(queries), 1 / len(scores)) for each in scores[1:]),
            start=_scaled(scores[0](queries), 1 / len(scores)),
        )

    return score


def _mixed(lexical: Score, dense: Score, weight: float) -> Score:
    def score(queries: pl.Series) -> Floats:
        if weight == 0.0:
            return lexical(queries)
        if weight == 1.0:
            return dense(queries)
        total = _scaled(lexical(queries), 1.0 - weight)
        total += _scaled(dense(queries), weight)
        return total

    return score


def _scaled(scores: Floats, weight: float) -> Floats:
    """Divide each row by its standard deviation and multiply it by ``weight``."""
    deviation = scores.std(axis=1, keepdims=True)
    factor = np.divide(weight, deviation, out=np.zeros_like(deviation), where=deviation > 0)
    scaled: Floats = scores * factor
    return scaled
