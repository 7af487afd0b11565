"""Who judges made grades: a model of relevance that learned from real training judgments alone.

In: the training part of a split. Out: ``scorer``, the files of the model, and ``agreement``, what
its scores mean; read back, whoever scores pairs of a search and an item.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from shopsynth.combine import Agreement, joined_pairs, learn_agreement
from shopsynth.pipeline.job import Job
from shopsynth.pipeline.stages.base import read_dataset
from shopsynth.schema import (
    TRUTH_COLUMNS,
    Dataset,
    Holdout,
    InputError,
    TrainingSet,
    derived_seed,
    stable_bucket,
)
from shopsynth.train import Ranker, make_ranker, rankers

AGREEMENT = "cross_encoder_agreement"
"""The filter that asks."""

TASK = "relevance"

_SCORER, _AGREEMENT = "scorer", "agreement"

_HELD_BACK = 3
"""The model does not learn from one training query in so many: its grades tell what scores mean."""

_FEWEST = 40
"""Pairs held back; fewer say nothing about a margin."""

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class FittedScorer:
    """A fitted model of relevance as a scorer of pairs; a document is named by its item's id.

    Attributes:
        ranker: The model.
        items: The whole catalogue, which says how rare a word is.
    """

    ranker: Ranker
    items: pl.DataFrame

    def score(self, queries: pl.Series, documents: pl.Series) -> Floats:
        """Predict the grade of each pair, equal ones once: ``(n,)``."""
        pairs = pl.DataFrame({"text": queries, "item_id": documents})
        texts = pairs.select("text").unique(maintain_order=True)
        texts = texts.select(pl.int_range(pl.len()).cast(pl.String).alias("query_id"), "text")
        asked = (
            pairs.unique(maintain_order=True)
            .join(texts, on="text", maintain_order="left")
            .with_columns(
                pl.lit(None, pl.Float64).alias("grade"),
                pl.int_range(pl.len()).cast(pl.String).alias("unit_id"),
            )
        )
        judgments = asked.select("query_id", "item_id", "grade", "unit_id")
        requests = Dataset(items=self.items, queries=texts, judgments=judgments)
        scores = self.ranker.rank(requests, k=1).frame.select("unit_id", "score")
        told = asked.join(scores, on="unit_id", maintain_order="left")
        both = pairs.join(told, on=["text", "item_id"], how="left", maintain_order="left")
        return np.asarray(both["score"].to_numpy(), np.float64)


def fit_scorer(job: Job) -> dict[str, Any]:
    """Fit the model on most training queries, and learn from the others what its scores mean.

    Validation and test are not read: neither their judgments nor their texts.

    Raises:
        InputError: If there are too few real judgments to judge by.
    """
    params = job.params
    train = read_dataset(job, "train")
    pairs = _known_pairs(train)
    held = pl.Series(stable_bucket(pairs["query"], _HELD_BACK) == 0, dtype=pl.Boolean)
    if held.sum() < _FEWEST or held.all():
        raise InputError(
            "combine.text_filters, cross_encoder_agreement: expected real training judgments of "
            f"many queries, {_FEWEST} pairs of them to hold back, got {pairs.height} pairs of "
            f"{pairs['query'].n_unique()} queries, of which {held.sum()} could be held back; leave "
            "the filter out, or train on more labels"
        )
    seed = derived_seed(params["seed"], "scorer")
    ranker = make_ranker(TASK, params["model"], params["options"])
    ranker.fit(_training(train, pairs.filter(~held)), _nobody(train), seed=seed,
               progress=job.progress)  # fmt: skip
    known = learn_agreement(
        pairs.filter(held), FittedScorer(ranker, train.items), keep=params["keep"], seed=seed
    )
    job.write_folder(_SCORER, ranker.save)
    curve = {"scores": known.scores.tolist(), "grades": known.grades.tolist()}
    told = {"model": params["model"], "margin": known.margin, "n_pairs": known.n_pairs}
    job.write_json(_AGREEMENT, {**curve, **told, "greatest_grade": pairs["grade"].max()})
    return told


def read_scorer(job: Job) -> tuple[FittedScorer, Agreement, float]:
    """Read what :func:`fit_scorer` wrote.

    Returns:
        The model, what its scores mean, and the greatest grade that people gave.
    """
    told = job.json(_AGREEMENT)
    ranker = rankers(TASK).get(told["model"]).load(job.folder(_SCORER))
    scores, grades = (np.array(told[name], np.float64) for name in ("scores", "grades"))
    agreement = Agreement(scores, grades, told["margin"], told["n_pairs"])
    return FittedScorer(ranker, job.frame("items")), agreement, float(told["greatest_grade"])


def _known_pairs(train: Dataset) -> pl.DataFrame:
    """Put texts beside real judgments: columns ``query`` and ``document``, the item's id, more."""
    if train.judgments is None or train.queries is None:
        names = ("query_id", "item_id", "query", "document")
        return pl.DataFrame(schema=dict.fromkeys(names, pl.String()) | {"grade": pl.Float64()})
    judged = train.judgments.join(train.queries, on="query_id", how="semi", maintain_order="left")
    return joined_pairs(judged, train.queries, train.items, column="item_id")


def _training(train: Dataset, pairs: pl.DataFrame) -> TrainingSet:
    rows = pairs.select(
        "query_id",
        "item_id",
        pl.col("grade").cast(pl.Float64),
        pl.lit("real").alias("origin"),
        pl.lit(1.0).alias("weight"),
    )
    data = Dataset(items=train.items, queries=train.queries, judgments=rows)
    return TrainingSet(data, "real", "judgments")


def _nobody(train: Dataset) -> Holdout:
    """Ask nothing: the model then stops by training queries that it holds back itself."""
    return Holdout(Dataset(items=train.items), pl.DataFrame(schema=TRUTH_COLUMNS))
