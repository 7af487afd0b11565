"""What the benchmarks of texts and classes share: arms, a teacher of unlabelled texts, intervals.

In: real texts, few of them with a class. Out: training rows of every arm, per-unit figures, and
the paired differences of PROOF.md.

D' is real unlabelled train texts under made classes. The classes come from a teacher of several
views that sees the labelled rows and the unlabelled texts: a generative model of each class (a
multinomial naive Bayes whose hidden classes are found by expectation and maximisation), and linear
classifiers that learn from their own and each other's guesses, which count more round by round. No
text is written. What a shop would do with the same texts and no teacher is the arm `self_training`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from scipy import sparse
from sklearn.feature_extraction.text import CountVectorizer, TfidfTransformer
from sklearn.svm import LinearSVC

from shopsynth.evaluate import score_units
from shopsynth.evaluate.bootstrap import resample_means
from shopsynth.generate import augment_text
from shopsynth.schema import (
    RANKING_COLUMNS,
    TRUTH_COLUMNS,
    Dataset,
    Holdout,
    Ranking,
    TrainingSet,
)
from shopsynth.text.words import split_words
from shopsynth.train import make_ranker

EDITS = ("swap", "delete", "insert")
"""Easy data augmentation, less its synonyms (they need a lexicon that is not shipped)."""

ROUNDS = (0.01, 0.03, 0.1, 0.3)
"""Weight of a guessed class beside a known one, round by round (Joachims 1999)."""

EM_WEIGHT, EM_ROUNDS, SMOOTHING = 0.1, 15, 0.05
"""Weight of an unlabelled text in naive Bayes (Nigam et al. 2000: far below 1)."""

RESAMPLES = 10_000


@dataclass(frozen=True)
class Texts:
    """Texts with a class: ``classes`` holds numbers from 0."""

    said: pl.Series
    classes: np.ndarray

    def take(self, rows: np.ndarray) -> "Texts":
        return Texts(self.said.gather(rows), self.classes[rows])


# ---- teacher -------------------------------------------------------------------------------------


def spread(texts: pl.Series, most: int = 2) -> sparse.csr_matrix:
    """Count words and pairs of words that at least two texts have."""
    words = split_words(texts)
    flat = words.vocabulary.gather(words.ids).to_list()
    lines = [" ".join(flat[a:b]) for a, b in zip(words.offsets, words.offsets[1:], strict=False)]
    counter = CountVectorizer(
        token_pattern=r"\S+",
        ngram_range=(1, most),
        min_df=2,
        lowercase=False,
    )
    return counter.fit_transform(lines)


def fitted_to(scores: np.ndarray, prior: np.ndarray) -> np.ndarray:
    """Shift the columns until the mean probability of each class is its prior; probabilities."""
    shift = np.zeros(prior.size)
    for _ in range(100):
        shares = np.exp(scores + shift - (scores + shift).max(axis=1, keepdims=True))
        shares /= shares.sum(axis=1, keepdims=True)
        shift += 0.5 * np.log(prior / np.maximum(shares.mean(axis=0), 1e-9))
    return shares


def level(scores: np.ndarray) -> np.ndarray:
    """Give a view's scores mean 0 a class and mean size 1."""
    centred = scores - scores.mean(axis=0)
    return centred / np.abs(centred).mean()


def hidden_classes(
    known: sparse.csr_matrix, one_hot: np.ndarray, hidden: sparse.csr_matrix, prior: np.ndarray
) -> np.ndarray:
    """Log likelihoods of hidden texts by class, learned from both; ``(text, class)``.

    Source: Nigam, McCallum, Thrun & Mitchell, Machine Learning 2000.
    """
    known, hidden = known.sign(), hidden.sign()
    counts = known.T @ one_hot
    for _ in range(EM_ROUNDS):
        smooth = counts + SMOOTHING
        scores = hidden @ np.log(smooth / smooth.sum(axis=0))
        counts = known.T @ one_hot + EM_WEIGHT * (hidden.T @ fitted_to(scores, prior))
    return scores


def teach(labelled: Texts, unlabelled: pl.Series, views: Sequence[np.ndarray] = ()) -> np.ndarray:
    """Guess the class of unlabelled texts.

    Args:
        labelled: Few.
        unlabelled: Many.
        views: Further features of the labelled, then the unlabelled texts.
    """
    n, k = labelled.classes.size, int(labelled.classes.max()) + 1
    one_hot = np.eye(k)[labelled.classes]
    prior = (one_hot.sum(axis=0) + 1.0) / (n + k)
    counts = spread(pl.concat([labelled.said, unlabelled]))
    terms = TfidfTransformer(sublinear_tf=True).fit_transform(counts)
    generative = level(hidden_classes(counts[:n], one_hot, counts[n:], prior))
    guess = fitted_to(generative, prior).argmax(axis=1)
    for share in ROUNDS:
        total = generative
        for view in (terms, *views):
            total = total + level(_margins(view, labelled.classes, guess, share, k))
        guess = fitted_to(total, prior).argmax(axis=1)
    return guess


def _margins(
    view: object, known: np.ndarray, guess: np.ndarray, share: float, k: int
) -> np.ndarray:
    weights = np.concatenate([np.ones(known.size), np.full(guess.size, share)])
    number = np.concatenate([known, guess])
    of_class = np.bincount(number, weights, minlength=k)
    model = LinearSVC(random_state=0).fit(
        view, number, weights / of_class[number] * of_class.mean()
    )
    margins = model.decision_function(view[known.size :])
    return np.stack([-margins, margins], axis=1) if margins.ndim == 1 else margins


# ---- arms ----------------------------------------------------------------------------------------


def noise(labelled: Texts, n_rows: int, seed: int) -> Texts:
    """Copies of the labelled texts with words swapped, left out and inserted."""
    copies = -(-n_rows // (len(EDITS) * labelled.classes.size))
    made = augment_text(labelled.said, EDITS, seed=seed, copies=copies).variants.head(n_rows)
    return Texts(made["text"], labelled.classes[made["row"].to_numpy()])


def arms(labelled: Texts, made: Texts, seed: int) -> dict[str, Texts | None]:
    """The made rows of each arm; controls have the size of D'."""
    rng = np.random.Generator(np.random.PCG64(seed))
    n = made.classes.size
    return {
        "real": None,
        "combined": made,
        "oversample": labelled.take(rng.integers(labelled.classes.size, size=n)),
        "noise": noise(labelled, n, seed),
        "broken_link": Texts(made.said.gather(rng.permutation(n)), made.classes),
    }


def training(real: Texts, made: Texts | None, weight: float) -> TrainingSet:
    """Put the rows of an arm together; a made row has ``weight``."""
    parts = [_reviews(real, "r").with_columns(origin=pl.lit("real"), weight=pl.lit(1.0))]
    if made is not None:
        rows = _reviews(made, "m")
        parts.append(rows.with_columns(origin=pl.lit("made"), weight=pl.lit(weight)))
    return TrainingSet(Dataset(items=_ITEMS, reviews=pl.concat(parts)), "arm", "reviews")


def answers(
    model: str, options: Mapping[str, object], rows: TrainingSet, asked: pl.Series, seed: int
) -> Ranking:
    """Fit and ask for the class of texts."""
    reviews = _reviews(Texts(asked, np.zeros(asked.len(), np.int64)), "t")
    nobody = Holdout(
        Dataset(items=_ITEMS, reviews=reviews.clear()), pl.DataFrame(schema=TRUTH_COLUMNS)
    )
    ranker = make_ranker("content", model, dict(options)).fit(rows, nobody, seed=seed)
    return ranker.rank(Dataset(items=_ITEMS, reviews=reviews.drop("label")), k=1)


def judged(
    model: str,
    options: Mapping[str, object],
    rows: TrainingSet,
    test: Texts,
    metrics: Sequence[str],
    seed: int,
) -> dict[str, np.ndarray]:
    """Fit, ask, and return each metric's values of all test texts, in their order."""
    return _values(answers(model, options, rows, test.said, seed), test, metrics)


def scored(guess: np.ndarray, test: Texts, metrics: Sequence[str]) -> dict[str, np.ndarray]:
    """Return each metric's values of all test texts that somebody has put into classes."""
    said = _reviews(Texts(test.said, guess), "t").select(
        pl.col("review_id").alias("unit_id"),
        pl.col("label").alias("item_id"),
        pl.lit(1.0).alias("score"),
        pl.lit(1).alias("rank"),
    )
    return _values(Ranking(said.cast(dict(RANKING_COLUMNS))), test, metrics)


def _values(ranking: Ranking, test: Texts, metrics: Sequence[str]) -> dict[str, np.ndarray]:
    truth = _reviews(test, "t").select(
        pl.col("review_id").alias("unit_id"),
        pl.col("label").alias("item_id"),
        pl.lit(1.0).alias("grade"),
    )
    membership = truth.select("unit_id", "item_id", pl.lit("all").alias("slice"))
    found = score_units(ranking, truth, membership, metrics, [10])
    return {name: found.filter(metric=name).sort("unit_id")["value"].to_numpy() for name in metrics}


def own_guess(
    model: str, options: Mapping[str, object], known: Texts, hidden: pl.Series, seed: int
) -> Texts:
    """Unlabelled texts with the classes that the arm `real` says: self-training in one step."""
    said = answers(model, options, training(known, None, 1.0), hidden, seed).frame
    return Texts(hidden, said.sort("unit_id")["item_id"].cast(pl.Int64).to_numpy())


def _reviews(texts: Texts, prefix: str) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "review_id": [f"{prefix}{n:06}" for n in range(texts.classes.size)],
            "item_id": "i",
            "text": texts.said.alias("text"),
            "label": texts.classes.astype(str),
        }
    )


_ITEMS = pl.DataFrame({"item_id": ["i"]})


# ---- intervals -----------------------------------------------------------------------------------


def compared(ours: np.ndarray, theirs: np.ndarray) -> dict[str, float | int]:
    """Difference of means, and the wider of two 95 % intervals: units; seeds, then units.

    Args:
        ours: ``(seed, unit)``; NaN where a seed does not ask a unit, which another one does.
        theirs: The same, in the same order.
    """
    gain = ours - theirs
    middle = float(np.nanmean(gain, axis=1).mean())
    of_unit = np.nanmean(gain, axis=0)
    by_unit = resample_means(of_unit[:, None], resamples=RESAMPLES, seed=0)[:, 0]
    rng = np.random.Generator(np.random.PCG64(1))
    drawn = rng.integers(len(gain), size=(2_000, len(gain)))
    units = rng.integers(gain.shape[1], size=(2_000, gain.shape[1]))
    both = np.array([np.nanmean(gain[d][:, u]) for d, u in zip(drawn, units, strict=True)])
    ends = [
        np.quantile(means, [0.025, 0.975]) - centre + middle
        for means, centre in ((by_unit, of_unit.mean()), (both, np.nanmean(gain)))
    ]
    low, high = max(ends, key=lambda pair: pair[1] - pair[0])
    return {
        "absolute": round(middle, 4),
        "low": round(float(low), 4),
        "high": round(float(high), 4),
        "seeds_above_0": int(np.sum(np.nanmean(gain, axis=1) > 0)),
    }


def placed(values: np.ndarray, rows: np.ndarray, n_units: int) -> np.ndarray:
    """Put the values of some units at their places among all; NaN elsewhere."""
    full = np.full(n_units, np.nan)
    full[rows] = values
    return full
