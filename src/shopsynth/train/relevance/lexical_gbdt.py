"""Lexical GBDT: boosted trees over what the words of a query and of an item have in common.

In: judged pairs. Out: a predicted grade for every asked pair. Not for what is said in other words
(`cross_encoder` reads meaning).
"""

from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
import polars as pl
from pydantic import Field

from shopsynth.schema import (
    SILENT,
    Dataset,
    Holdout,
    MissingExtraError,
    Progress,
    Ranking,
    Settings,
    SourceError,
    TrainingSet,
    derived_seed,
)
from shopsynth.train.relevance._features import lexical_features
from shopsynth.train.relevance._pairs import (
    Fields,
    Floats,
    graded,
    item_words,
    pairs_of,
    read_evidence,
)
from shopsynth.train.relevance.base import register
from shopsynth.train.space import Choice
from shopsynth.train.store import read_model, write_model

_TREES, _RANGE = "trees", "range"

_MAX_LENGTH = 64
"""Tokens that an encoder reads: 99 % of Home Depot's titles have fewer."""


class LexicalGbdtOptions(Settings):
    """Options of ``lexical_gbdt``."""

    space: ClassVar[Mapping[str, Choice]] = {
        "leaves": Choice.of(7, 15, 31, 63),
        "shrinkage": Choice.between(0.01, 0.1, log=True),
        "min_rows": Choice.of(10, 20, 50, 100),
        "l2": Choice.between(0.1, 30.0, log=True),
    }

    fields: Fields = ("title",)
    """Columns of items whose words are read; those that a shop lacks are left out."""

    dense: str = ""
    """An encoder of texts whose cosine is one more feature: minilm (English; shopsynth models add
    minilm), the path of a folder or a name on the hub; empty for none."""

    shrinkage: float = Field(default=0.03, gt=0)
    """Share of each tree's values that is added: the learning rate of boosting."""

    leaves: int = Field(default=15, ge=2)
    """Of a tree."""

    min_rows: int = Field(default=50, ge=1)
    """Pairs that a leaf must hold."""

    l2: float = Field(default=5.0, ge=0)
    """Penalty on the values of leaves."""

    columns: float = Field(default=0.5, gt=0, le=1)
    """Share of features that each tree may use."""

    rows: float = Field(default=0.8, gt=0, le=1)
    """Share of pairs that each tree sees."""

    max_trees: int = Field(default=1500, ge=1)
    """Trees after which training ends in any case."""

    patience: int = Field(default=60, ge=1)
    """Trees without improvement on validation after which training ends."""

    threads: int = Field(default=1, ge=1)
    """Threads that trees are grown with. Other processes use the other cores, and with one thread
    sums have one order everywhere."""


@register("lexical_gbdt")
class LexicalGbdt:
    """Gradient-boosted regression trees; a prediction never leaves the range of the grades.

    Attributes:
        steps_: 0: trees are no optimiser's steps.
        n_trees_: Trees that validation chose.

    Source:
        Ke et al., LightGBM, NeurIPS 2017; features in the way of the Home Depot competition, 2016.
    """

    Options: ClassVar[type[Settings]] = LexicalGbdtOptions

    def __init__(self, options: Settings) -> None:
        self.options = LexicalGbdtOptions.model_validate(options)
        self.steps_ = 0
        self.n_trees_ = 0
        self._trees: Any = None
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
        """Grow trees until validation stops improving; ``steps`` are not for trees.

        Raises:
            MissingExtraError: If LightGBM, or what ``dense`` needs, is not installed.
            SourceError: If the encoder cannot be loaded.
            SchemaError: If the catalogue has none of the fields, or the shop has no queries.
            InputError: If there is no pair to learn from.
        """
        learned, asked = read_evidence(training, validation, self.options.fields)
        catalogue = item_words(training.data.items, self.options.fields)
        return self.fit_pairs(learned, asked, catalogue, seed=seed, progress=progress)

    def fit_pairs(
        self,
        learned: pl.DataFrame,
        asked: pl.DataFrame,
        catalogue: pl.Series,
        *,
        seed: int,
        progress: Progress = SILENT,
    ) -> Self:
        """Grow trees on frames of pairs; ``asked`` says when to stop.

        Raises:
            MissingExtraError: If LightGBM, or what ``dense`` needs, is not installed.
            SourceError: If the encoder cannot be loaded.
        """
        library, options = _library(), self.options
        progress.start("lexical_gbdt", 1)
        rows = library.Dataset(
            self._features(learned, catalogue),
            learned["grade"].to_numpy(),
            weight=learned["weight"].to_numpy(),
        )
        judged, stops = [], []
        if asked.height:
            features = self._features(asked, catalogue)
            judged = [library.Dataset(features, asked["grade"].to_numpy(), reference=rows)]
            stops = [library.early_stopping(options.patience, verbose=False)]
        trees = library.train(
            self._parameters(seed, learned.height), rows, options.max_trees, judged, callbacks=stops
        )
        self.n_trees_ = trees.best_iteration or trees.current_iteration()
        text = trees.model_to_string(num_iteration=self.n_trees_)
        self._trees = library.Booster(model_str=text)
        self._range = (float(learned["grade"].min()), float(learned["grade"].max()))  # type: ignore[arg-type]
        progress.advance()
        return self

    def rank(self, requests: Dataset, *, k: int, exclude_seen: bool = False) -> Ranking:
        """Predict the grade of every asked pair."""
        pairs = pairs_of(requests.need("judgments"), requests, self.options.fields)
        catalogue = item_words(requests.items, self.options.fields)
        return graded(requests, self.predict(pairs, catalogue))

    def predict(self, pairs: pl.DataFrame, catalogue: pl.Series) -> Floats:
        """Predict grades.

        Args:
            pairs: Frame of pairs.
            catalogue: Texts of all items.

        Returns:
            ``(pair,)`` within the range of the grades that were learned from.
        """
        if not pairs.height:
            return np.zeros(0)
        features = self._features(pairs, catalogue)
        found = self._trees.predict(features, num_threads=self.options.threads)
        return np.clip(np.asarray(found, dtype=np.float64), *self._range)

    def save(self, folder: Path) -> None:
        """Write the trees as LightGBM's own text, kept as bytes in the safetensors file."""
        nobody = pl.Series("item_id", [], dtype=pl.String)
        write_model(folder, "lexical_gbdt", self.options, nobody, self.arrays())

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read the trees.

        Raises:
            SourceError: If the files are damaged.
            MissingExtraError: If LightGBM is not installed.
        """
        stored = read_model(folder, "lexical_gbdt")
        model = cls(LexicalGbdtOptions.parse(stored.options, str(folder)))
        return model.take(stored.arrays, folder)

    def arrays(self) -> dict[str, np.ndarray]:
        """Return what was learned."""
        text = self._trees.model_to_string().encode()
        return {
            _TREES: np.frombuffer(text, dtype=np.uint8),
            _RANGE: np.array(self._range, dtype=np.float64),
        }

    def take(self, arrays: Mapping[str, np.ndarray], folder: Path) -> Self:
        """Take what :meth:`arrays` gave; ``folder`` is named where it is damaged.

        Raises:
            SourceError: If it is damaged.
            MissingExtraError: If LightGBM is not installed.
        """
        library = _library()
        try:
            text = arrays[_TREES].tobytes().decode()
            low, high = arrays[_RANGE].tolist()
            self._trees = library.Booster(model_str=text)
        except (KeyError, ValueError, library.basic.LightGBMError) as error:
            raise SourceError(
                f"{folder}: expected the trees of a lexical_gbdt; reading them failed "
                f"({type(error).__name__}). Train the model again."
            ) from error
        self._range, self.n_trees_ = (low, high), self._trees.num_trees()
        return self

    def _features(self, pairs: pl.DataFrame, catalogue: pl.Series) -> Floats:
        features = lexical_features(pairs, catalogue)
        if not self.options.dense:
            return features
        return np.column_stack([features, cosines(pairs, self.options.dense)])

    def _parameters(self, seed: int, n_rows: int) -> dict[str, Any]:
        options = self.options
        return {
            "objective": "regression",
            "metric": "rmse",
            "learning_rate": options.shrinkage,
            "num_leaves": options.leaves,
            "min_data_in_leaf": min(options.min_rows, max(1, n_rows // 4)),
            "lambda_l2": options.l2,
            "feature_fraction": options.columns,
            "bagging_fraction": options.rows,
            "bagging_freq": 1,
            "num_threads": options.threads,
            "deterministic": True,
            "force_row_wise": True,
            "seed": derived_seed(seed, "lexical_gbdt") % (1 << 31),
            "verbose": -1,
        }


def cosines(pairs: pl.DataFrame, encoder: str) -> Floats:
    """Compute the cosine of query and item by a pretrained encoder, ``(pair,)``."""
    from shopsynth.train.encoders import load_encoder

    loaded = load_encoder(encoder, max_length=_MAX_LENGTH)
    queries, items = loaded.encode(pairs["query"], "query"), loaded.encode(pairs["item"], "passage")
    return np.asarray((queries * items).sum(axis=1), dtype=np.float64)


def _library() -> Any:
    try:
        return import_module("lightgbm")
    except ImportError as error:
        raise MissingExtraError(
            "task relevance, model lexical_gbdt: expected the library lightgbm, got none; install "
            "it with pip install 'shopsynth[text]'"
        ) from error
