"""Bi-encoder: items whose meaning is near a query's, by two encoders of texts.

In: a pretrained encoder, the catalogue's texts, and judged queries, real or made, to tune it with;
without any it answers untrained. Out: vectors of items; a query's scores are cosines with them.
Not for model numbers and sizes (``bm25`` finds those; ``search_hybrid`` is both).
"""

from collections.abc import Callable, Mapping
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
from shopsynth.schema.fingerprint import sha256_of
from shopsynth.text.encoders import usual_scale
from shopsynth.train.encoders import Encoder, in_half_bits, load_encoder
from shopsynth.train.ranks import Floats
from shopsynth.train.search._answers import Score, answer, item_texts
from shopsynth.train.search._contrast_options import ContrastOptions
from shopsynth.train.search._judged import Integers, Judged, hold_back
from shopsynth.train.search._mining import Hints
from shopsynth.train.search.base import register
from shopsynth.train.search.bm25 import Fields
from shopsynth.train.space import Choice
from shopsynth.train.store import read_model, write_model

if TYPE_CHECKING:
    from torch import Tensor

_QUERIES, _ITEMS, _VECTORS = "queries.", "items.", "vectors"

_PRETRAINED: dict[str, Floats] = {}
"""Vectors of the last catalogues that pretrained encoders of items read in this process: seeds and
arms share them, and encoding a catalogue costs more than tuning."""

_PRETRAINED_KEPT = 2
"""A catalogue each for two encoders side by side."""


class BiEncoderOptions(ContrastOptions):
    """Options of ``bi_encoder``."""

    space: ClassVar[Mapping[str, Choice]] = {
        "learning_rate": Choice.between(1e-5, 2e-4, log=True),
        "teacher_weight": Choice.between(0.0, 0.9),
        "scale": Choice.between(10.0, 40.0),
    }

    model: str = "minilm"
    """The encoder: minilm (English) or e5-small (Chinese and English), which packages ship
    (shopsynth models add), the path of a folder, or a name on the hub."""

    fields: Fields = ("title",)
    """Columns of items whose words are encoded; those that a shop lacks are left out."""

    trained: Literal["queries", "both"] = "queries"
    """queries: only the encoder of queries learns, so an index of item vectors stays valid, a step
    costs a fifth, and tuning again touches no item; both: one encoder of queries and items."""

    query_prompt: str | None = None
    """What stands before a query; without it what the encoder wants, for e5 "query: "."""

    item_prompt: str | None = None
    """What stands before an item; without it what the encoder wants, for e5 "passage: "."""

    scale: float | None = Field(default=None, gt=0)
    """What cosines are multiplied by: the inverse of the temperature; without it what the encoder
    wants, 50 for e5 and else 20."""

    precision: Literal["float32", "bfloat16"] = "float32"
    """bfloat16 multiplies matrices in half the bits where the processor can: three times as fast,
    cosines the same to four digits. Where it cannot it is float32."""


@register("bi_encoder")
class BiEncoder:
    """Cosine of a query's vector and an item's.

    It is tuned by cross-entropy over the answers of a batch and mined hard negatives, other answers
    of a query left out, each row with its weight; and, if asked, by the margins of a teacher.
    It stops by validation, or by training queries held back where nobody judged validation.

    Attributes:
        queries_: Encoder of queries.
        items_: Encoder of items; the same one if both learn.
        steps_: Optimiser steps taken; 0 where nothing was judged.

    Source:
        Reimers and Gurevych, Sentence-BERT, EMNLP 2019; Karpukhin et al., Dense Passage Retrieval,
        EMNLP 2020 (in-batch and BM25 negatives); Hofstätter et al., arXiv 2010.02666 (margin-MSE);
        Lee et al., Learning Dense Representations of Phrases at Scale, ACL 2021 (tuning the query
        side alone).
    """

    Options: ClassVar[type[Settings]] = BiEncoderOptions
    queries_: Encoder
    items_: Encoder

    def __init__(self, options: Settings) -> None:
        self.options = BiEncoderOptions.model_validate(options)
        self.steps_ = 0
        self._known: tuple[str, Floats] | None = None
        self._items_are_pretrained = False

    def fit(
        self,
        training: TrainingSet,
        validation: Holdout,
        *,
        seed: int,
        steps: int | None = None,
        progress: Progress = SILENT,
    ) -> Self:
        """Tune the encoder until the score stops rising, or for ``steps`` steps.

        Raises:
            MissingExtraError: If a library or the package with the weights is not installed.
            SourceError: If the encoder cannot be loaded.
            SchemaError: If the catalogue has none of the fields.
            InputError: If the loss stops being finite.
        """
        options = self.options
        items = training.data.items
        item_texts(items, options.fields)
        self.items_ = self.queries_ = self._pretrained()
        self._items_are_pretrained, self._known = True, None
        rest, asked = hold_back(training, validation)
        judged = Judged.of_training(rest)
        if not judged.has_answers() or (options.max_steps if steps is None else steps) == 0:
            return self
        if options.trained == "queries":
            self.queries_ = self.items_.copy(words=options.word_vectors)
        self._items_are_pretrained = options.trained == "queries"
        self._tune(rest, judged, Judged.of_questions(asked), seed, steps, progress)
        return self

    def rank(self, requests: Dataset, *, k: int, exclude_seen: bool = False) -> Ranking:
        """Rank the catalogue by cosine; nothing is ever left out."""
        return answer(requests, self.scorer(requests.items), k=k)

    def scorer(self, items: pl.DataFrame) -> Score:
        """Prepare the scores of a catalogue, exact and not approximate.

        Each text is scored once: a matrix product may round equal columns differently, and items
        with equal texts must tie.
        """
        texts = pl.DataFrame({"text": item_texts(items, self.options.fields)}).with_row_index("row")
        firsts = texts.unique("text", keep="first", maintain_order=True).with_row_index("column")
        vectors = self._vectors(items)[firsts["row"].to_numpy()].T
        column = texts.join(firsts.select("text", "column"), on="text", maintain_order="left")[
            "column"
        ].to_numpy()
        repeated = firsts.height < texts.height

        def score(queries: pl.Series) -> Floats:
            scores: Floats = self.queries_.encode(queries, "query") @ vectors
            return scores[:, column] if repeated else scores

        return score

    def save(self, folder: Path) -> None:
        """Write encoders, tokenizer and the vectors of the catalogue asked about last."""
        arrays = self.queries_.weights(_QUERIES)
        if self.items_ is not self.queries_:
            arrays |= self.items_.weights(_ITEMS, unlike=self.queries_)
        texts_sha256 = ""
        if self._known is not None:
            texts_sha256, arrays[_VECTORS] = self._known
        names = pl.Series("item_id", [texts_sha256], dtype=pl.String)
        self.queries_.save(folder)
        write_model(folder, "bi_encoder", self.options, names, arrays, self.steps_)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read encoders and vectors."""
        stored = read_model(folder, "bi_encoder")
        model = cls(BiEncoderOptions.parse(stored.options, str(folder)))
        model.steps_ = stored.steps
        arrays = dict(stored.arrays)
        if _VECTORS in arrays:
            model._known = (stored.item_ids[0], arrays.pop(_VECTORS))
        model.queries_ = model.items_ = model._loaded(folder, arrays, _QUERIES)
        if any(name.startswith(_ITEMS) for name in arrays):
            model.items_ = model._loaded(folder, arrays, _QUERIES, _ITEMS)
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

        items = training.data.items

        def judge() -> float:
            if self.items_ is self.queries_:
                self._known = None
            return asked.ndcg(self.scorer(items))

        rng = np.random.Generator(np.random.PCG64(derived_seed(seed, "bi_encoder", "rows")))
        hints = Hints(training, self.options, seed)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(derived_seed(seed, "bi_encoder", "dropout"))
            contrast = Contrast(
                "bi_encoder",
                self.options,
                judged,
                hints,
                self.queries_,
                self._item_vectors(items),
                rng,
                scale=self.options.scale or usual_scale(self.options.model),
            )
            contrast.run(judge, steps, progress)
        self.steps_ = contrast.n_steps
        if self.items_ is self.queries_:
            self._known = None

    def _item_vectors(self, items: pl.DataFrame) -> Callable[[Integers], "Tensor"]:
        """Give vectors of rows for training: those at hand, or encoded with gradients."""
        import torch

        if self.items_ is not self.queries_:
            vectors = self._vectors(items)
            return lambda rows: torch.from_numpy(vectors[rows])
        texts = item_texts(items, self.options.fields)
        return lambda rows: self.items_.vectors(texts.gather(rows).to_list(), "passage")

    def _vectors(self, items: pl.DataFrame) -> Floats:
        """Encode a catalogue, or remember its vectors: ``(item, dim)``."""
        texts = item_texts(items, self.options.fields)
        sha256 = sha256_of(texts.to_list())
        if self._known is None or self._known[0] != sha256:
            vectors = self._untrained(sha256)
            if vectors is None:
                vectors = self.items_.encode(texts, "passage")
                self._keep_untrained(sha256, vectors)
            self._known = (sha256, vectors)
        return self._known[1]

    def _untrained(self, sha256: str) -> Floats | None:
        """Find what another model of this process encoded with the same pretrained encoder."""
        return _PRETRAINED.get(self._key(sha256)) if self._items_are_pretrained else None

    def _keep_untrained(self, sha256: str, vectors: Floats) -> None:
        if self._items_are_pretrained:
            while len(_PRETRAINED) >= _PRETRAINED_KEPT:
                del _PRETRAINED[next(iter(_PRETRAINED))]
            _PRETRAINED[self._key(sha256)] = vectors

    def _key(self, sha256: str) -> str:
        said = self.options.model_dump(include={"model", "max_length", "precision"})
        return sha256_of([said, self.items_.prompts, sha256])

    def _pretrained(self) -> Encoder:
        options = self.options
        return load_encoder(
            options.model,
            max_length=options.max_length,
            bfloat16=self._bfloat16(),
            query_prompt=options.query_prompt,
            item_prompt=options.item_prompt,
        )

    def _loaded(self, folder: Path, arrays: Mapping[str, np.ndarray], *prefixes: str) -> Encoder:
        """Load an encoder; what the first prefix has is overruled by the next."""
        weights = {
            name.removeprefix(prefix): part
            for prefix in prefixes
            for name, part in arrays.items()
            if name.startswith(prefix)
        }
        return Encoder.load(folder, weights, self.options.max_length, bfloat16=self._bfloat16())

    def _bfloat16(self) -> bool:
        return in_half_bits(self.options.precision)
