"""Cross-encoder agreement: a made grade stays only if a model of pairs would have given it too.

In: made judgments with their texts, a model that scores pairs, pairs whose grade is known. Out: the
judgments kept, and the rejects.
"""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import polars as pl
from numpy.typing import NDArray

from shopsynth.combine.filters._rows import need_columns, parted, reasons_of
from shopsynth.schema import InputError, derived_seed

_FEWEST = 20
"""Pairs below which a margin is a guess: of 20, the second farthest is the 90 % margin."""

Floats = NDArray[np.float64]
PAIR = ("query", "document")


class PairScorer(Protocol):
    """Whoever scores a search with what it may find: a cross-encoder, or anything else."""

    def score(self, queries: pl.Series, documents: pl.Series) -> Floats:
        """Return ``(n,)`` scores, greater for what answers better; of any scale."""


@dataclass(frozen=True)
class Agreement:
    """What a score means in grades, and how far from it a grade may lie.

    Attributes:
        scores: ``(m,)`` scores, rising.
        grades: ``(m,)`` the grade each stands for, never falling.
        margin: Farthest that a made grade may lie from the grade of its score.
        n_pairs: Pairs with known grades this was learned from.
    """

    scores: Floats
    grades: Floats
    margin: float
    n_pairs: int

    def grade_of(self, scores: Floats) -> Floats:
        """Return the grades that scores stand for, ``(n,)``."""
        return np.asarray(np.interp(scores, self.scores, self.grades), np.float64)


def learn_agreement(
    labelled: pl.DataFrame, scorer: PairScorer, *, keep: float = 0.9, seed: int = 0
) -> Agreement:
    """Learn what scores mean, and the margin within which most known grades lie.

    Scores are turned into grades by the monotone curve that fits one half of the searches best;
    the margin is the one within which the share ``keep`` of the other half's grades lie. So it is
    as wide as the model is bad: a model that knows nothing rejects little.

    Args:
        labelled: Columns ``query``, ``document``, ``grade``: real pairs of the validation part, or
            made ones held back from what the scorer was trained on.
        scorer: The model.
        keep: Share of right grades that the filter should let pass, in (0, 1].
        seed: Of the halves.

    Raises:
        InputError: If a column is missing, there are too few pairs, or ``keep`` is out of range.

    Source:
        Isotonic regression for scores: Zadrozny and Elkan, KDD 2002; the margin as in split
        conformal prediction: Papadopoulos et al., ECML 2002.
    """
    from scipy.optimize import isotonic_regression

    where = "learn_agreement"
    need_columns(where, labelled, *PAIR, "grade")
    if not 0 < keep <= 1:
        raise InputError(f"{where}: expected keep above 0 and at most 1, got {keep}")
    queries = labelled["query"].unique().sort()
    random = np.random.Generator(np.random.PCG64(derived_seed(seed, "cross_encoder_agreement")))
    half = queries.filter(pl.Series(random.permutation(queries.len()) % 2 == 0))
    ours = labelled["query"].is_in(half.implode()).to_numpy()
    if min(ours.sum(), (~ours).sum()) < _FEWEST:
        raise InputError(
            f"{where}: expected at least {2 * _FEWEST} pairs of known grade of many searches, got "
            f"{labelled.height} of {queries.len()}; hold back made pairs of sure grades, or leave "
            "the filter out"
        )
    scores = _scores(labelled, scorer, where)
    grades = labelled["grade"].cast(pl.Float64).to_numpy()
    points, place = np.unique(scores[ours], return_inverse=True)
    counts = np.bincount(place)
    means = np.bincount(place, weights=grades[ours]) / counts
    curve = Agreement(points, isotonic_regression(means, weights=counts).x, 0.0, labelled.height)
    misses = np.abs(curve.grade_of(scores[~ours]) - grades[~ours])
    margin = float(np.quantile(misses, keep, method="higher"))
    return Agreement(curve.scores, curve.grades, margin, labelled.height)


def cross_encoder_agreement(
    rows: pl.DataFrame,
    scorer: PairScorer,
    agreement: Agreement,
    *,
    table: str = "judgments",
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Drop made judgments whose grade the model of pairs does not confirm.

    Not for a model trained on these very judgments, which agrees with what it was told.

    Args:
        rows: Made judgments with the texts: columns ``query``, ``document``, ``grade``, and any
            others; ``joined_pairs`` makes them.
        scorer: The model.
        agreement: What its scores mean.
        table: Name of the table, for the rejects.

    Returns:
        The rows kept, in order, and the rejects with the reasons ``graded_above_model`` and
        ``graded_below_model``.

    Raises:
        InputError: If a column is missing or the scorer does not score every pair.

    Source:
        Wang et al., GPL: generative pseudo labeling, NAACL 2022 (a cross-encoder judges made
        pairs); Dai et al., Promptagator, ICLR 2023 (what disagrees is left out).
    """
    where = f"cross_encoder_agreement, table {table}"
    need_columns(where, rows, *PAIR, "grade")
    meant = agreement.grade_of(_scores(rows, scorer, where))
    apart = rows["grade"].cast(pl.Float64).to_numpy() - meant
    # A grade that lies on the margin is within it, whatever rounding says.
    reach = agreement.margin + 1e-9
    found = (
        ("graded_above_model", pl.Series(apart > reach, dtype=pl.Boolean)),
        ("graded_below_model", pl.Series(apart < -reach, dtype=pl.Boolean)),
    )
    return parted(rows, table, reasons_of(rows.height, *found))


def joined_pairs(
    judgments: pl.DataFrame, queries: pl.DataFrame, items: pl.DataFrame, column: str = "title"
) -> pl.DataFrame:
    """Put the texts beside judgments: columns ``query`` and ``document`` more.

    Args:
        judgments: Columns ``query_id``, ``item_id``, ``grade``.
        queries: Columns ``query_id``, ``text``.
        items: Columns ``item_id`` and the one named.
        column: The items' text.

    Returns:
        The judgments in order; a missing text is empty.
    """
    texts = queries.select("query_id", query="text")
    documents = items.select("item_id", document=column)
    pairs = judgments.join(texts, on="query_id", how="left", maintain_order="left")
    pairs = pairs.join(documents, on="item_id", how="left", maintain_order="left")
    return pairs.with_columns(pl.col(PAIR).fill_null(""))


def _scores(rows: pl.DataFrame, scorer: PairScorer, where: str) -> Floats:
    scores = np.asarray(scorer.score(rows["query"], rows["document"]), np.float64)
    if scores.shape != (rows.height,) or not np.isfinite(scores).all():
        raise InputError(
            f"{where}: expected of the scorer one finite score for each of {rows.height} pairs, "
            f"got an array of shape {scores.shape}; check the model with two pairs"
        )
    return scores
