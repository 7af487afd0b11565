"""Sparse encoder: items that share words with a query, those that a language model adds too.

In: a pretrained masked language model, the catalogue's texts, and judged queries, real or made, to
tune it with; without any it answers untrained. Out: an inverted index of weighted words; a query's
scores are products with it. It reads titles as search engines do, but knows that a sofa is a couch.
Not for languages that the model was not trained on, nor for words it cuts into pieces.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Self

import numpy as np
import polars as pl
from pydantic import Field
from scipy import sparse

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
from shopsynth.schema.fingerprint import sha256_of
from shopsynth.train.ranks import Floats
from shopsynth.train.search._answers import Score, answer, item_texts
from shopsynth.train.search._contrast_options import ContrastOptions
from shopsynth.train.search._expansion import Expansion, products
from shopsynth.train.search._judged import Integers, Judged, hold_back
from shopsynth.train.search._mining import Hints
from shopsynth.train.search.base import register
from shopsynth.train.search.bm25 import Fields
from shopsynth.train.space import Choice
from shopsynth.train.store import matrix_arrays, matrix_of, read_model, write_model

if TYPE_CHECKING:
    from torch import Tensor

_NAME = "sparse_encoder"
_NETWORK, _INDEX = "network.", "index"


class SparseEncoderOptions(ContrastOptions):
    """Options of ``sparse_encoder``."""

    space: ClassVar[Mapping[str, Choice]] = {
        "learning_rate": Choice.between(1e-5, 5e-4, log=True),
        "flops": Choice.between(1e-4, 1e-1, log=True),
    }

    model: str = "splade-tiny"
    """The masked language model: splade-tiny (English; shopsynth models add splade-tiny), the path
    of a folder, or a name on the hub."""

    fields: Fields = ("title",)
    """Columns of items whose words are expanded; those that a shop lacks are left out."""

    batch: int = Field(default=32, ge=2)
    """Judged queries a step; each one's answer is a negative of all others."""

    flops: float = Field(default=0.003, ge=0)
    """Weight of the regulariser that keeps vectors sparse: squares of the words' mean weights."""


@register(_NAME)
class SparseEncoder:
    """Product of a query's weighted words and an item's, both expanded by one network.

    It is tuned as ``bi_encoder`` is: cross-entropy over the answers of a batch and mined hard
    negatives, a teacher's margins if asked; and a penalty on words that many texts have.

    Attributes:
        network_: Expands queries and items.
        steps_: Optimiser steps taken; 0 where nothing was judged.

    Source:
        Formal, Piwowarski and Clinchant, SPLADE, SIGIR 2021; Paria et al., Minimizing FLOPs to
        Learn Efficient Sparse Representations, ICLR 2020 (the regulariser).
    """

    Options: ClassVar[type[Settings]] = SparseEncoderOptions
    network_: Expansion

    def __init__(self, options: Settings) -> None:
        self.options = SparseEncoderOptions.model_validate(options)
        self.steps_ = 0
        self._known: tuple[str, sparse.csr_matrix] | None = None

    def fit(
        self,
        training: TrainingSet,
        validation: Holdout,
        *,
        seed: int,
        steps: int | None = None,
        progress: Progress = SILENT,
    ) -> Self:
        """Tune the network until the score stops rising, or for ``steps`` steps.

        Raises:
            MissingExtraError: If a library or the package with the weights is not installed.
            SourceError: If the network cannot be loaded.
            SchemaError: If the catalogue has none of the fields.
            InputError: If the loss stops being finite.
        """
        options = self.options
        item_texts(training.data.items, options.fields)
        self.network_ = Expansion.named(options.model, options.max_length)
        self._known, self.steps_ = None, 0
        rest, asked = hold_back(training, validation)
        judged = Judged.of_training(rest)
        if judged.has_answers() and (options.max_steps if steps is None else steps):
            self._tune(rest, judged, Judged.of_questions(asked), seed, steps, progress)
        return self

    def rank(self, requests: Dataset, *, k: int, exclude_seen: bool = False) -> Ranking:
        """Rank the catalogue by shared weights of words; nothing is ever left out."""
        return answer(requests, self.scorer(requests.items), k=k)

    def scorer(self, items: pl.DataFrame) -> Score:
        """Prepare the scores of a catalogue, none below 0: 0 is an item that shares nothing."""
        index = self._indexed(items)

        def score(queries: pl.Series) -> Floats:
            return products(self.network_.expand(queries), index)

        return score

    def save(self, folder: Path) -> None:
        """Write network, tokenizer and the index of the catalogue asked about last."""
        weights = self.network_.save(folder)
        arrays = {_NETWORK + name: part for name, part in weights.items()}
        texts_sha256 = ""
        if self._known is not None:
            texts_sha256, index = self._known
            arrays |= matrix_arrays(_INDEX, index)
        names = pl.Series("item_id", [texts_sha256], dtype=pl.String)
        write_model(folder, _NAME, self.options, names, arrays, self.steps_)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read network and index."""
        stored = read_model(folder, _NAME)
        model = cls(SparseEncoderOptions.parse(stored.options, str(folder)))
        model.steps_ = stored.steps
        if f"{_INDEX}.data" in stored.arrays:
            model._known = (stored.item_ids[0], matrix_of(_INDEX, stored.arrays))
        weights = {
            name.removeprefix(_NETWORK): part
            for name, part in stored.arrays.items()
            if name.startswith(_NETWORK)
        }
        model.network_ = Expansion.load(folder, weights, model.options.max_length)
        return model

    def _tune(
        self,
        training: TrainingSet,
        judged: Judged,
        asked: Judged,
        seed: int,
        steps: int | None,
        progress: Progress,
    ) -> None:
        import torch

        from shopsynth.train.search._contrast import Contrast

        items, weight = training.data.items, self.options.flops
        texts = item_texts(items, self.options.fields)

        def judge() -> float:
            self._known = None
            return asked.ndcg(self.scorer(items))

        def told(rows: Integers) -> "Tensor":
            return self.network_.vectors(texts.gather(rows).to_list())

        def penalty(queries: "Tensor", documents: "Tensor") -> "Tensor":
            means = [each.mean(dim=0).square().sum() for each in (queries, documents)]
            return weight * torch.stack(means).sum()

        rng = np.random.Generator(np.random.PCG64(derived_seed(seed, _NAME, "rows")))
        hints = Hints(training, self.options, seed)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(derived_seed(seed, _NAME, "dropout"))
            network, options = self.network_, self.options
            contrast = Contrast(
                _NAME, options, judged, hints, network, told, rng, scale=1.0, penalty=penalty
            )
            contrast.run(judge, steps, progress)
        self.steps_, self._known = contrast.n_steps, None

    def _indexed(self, items: pl.DataFrame) -> sparse.csr_matrix:
        """Index a catalogue, or remember it: ``(word, item)``."""
        texts = item_texts(items, self.options.fields)
        sha256 = sha256_of(texts.to_list())
        if self._known is None or self._known[0] != sha256:
            self._known = (sha256, self.network_.expand(texts).T.tocsr())
        return self._known[1]
