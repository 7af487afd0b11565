"""A teacher of unlabelled texts that knows the order of classes, and sees a text in several ways.

In: features of labelled and unlabelled texts, the numbers of the known classes. Out: a number for
every unlabelled text.

Each view is a kernel under ridge regression on the class's number: five stars are one direction,
not five. Views add their scores, and the unlabelled texts are dealt to the classes in the order of
the sum, each class as many as its share of the labelled. From their own and each other's guesses
the views learn again, and guesses count more round by round. Two classes are always in order.
"""

from collections.abc import Sequence

import numpy as np
from _content import ROUNDS, hidden_classes
from scipy import sparse
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer

PATTERN = r"\w+|[^\w\s]"
"""Words and marks: who invents a review, or complains, sets other marks."""


def words_of(texts: Sequence[str]) -> sparse.csr_matrix:
    """Weigh words, marks and pairs of them that at least two texts have."""
    counter = TfidfVectorizer(
        token_pattern=PATTERN, ngram_range=(1, 2), sublinear_tf=True, min_df=2
    )
    return counter.fit_transform(texts)


def runs_of(texts: Sequence[str]) -> sparse.csr_matrix:
    """Weigh runs of three and four characters, as they are written."""
    counter = TfidfVectorizer(
        analyzer="char",
        ngram_range=(3, 4),
        sublinear_tf=True,
        min_df=4,
        max_features=60_000,
        lowercase=False,
    )
    return counter.fit_transform(texts)


def kernel(features: sparse.csr_matrix | np.ndarray) -> np.ndarray:
    """Return inner products of centred rows, ``(text, text)``, of mean size 1 on the diagonal."""
    found = features @ features.T
    full = np.asarray(found.todense() if sparse.issparse(found) else found, dtype=np.float64)
    full = full - full.mean(axis=0) - full.mean(axis=1)[:, None] + full.mean()
    return full * (len(full) / np.trace(full))


def prior_of(known: np.ndarray) -> np.ndarray:
    """Share of every class among the labelled, none of it 0."""
    counts = np.bincount(known) + 1.0
    return counts / counts.sum()


def dealt(scores: np.ndarray, prior: np.ndarray) -> np.ndarray:
    """Cut texts into classes by their place among all, each class as many as its share."""
    place = (np.argsort(np.argsort(scores, kind="stable")) + 0.5) / scores.size
    return np.searchsorted(np.cumsum(prior)[:-1], place)


def ridge(
    view: np.ndarray, rows: np.ndarray, numbers: np.ndarray, weights: np.ndarray, c: float
) -> np.ndarray:
    """Score all texts of a kernel by numbers of some rows; mean 0, spread 1."""
    middle = np.average(numbers, weights=weights)
    inside = view[np.ix_(rows, rows)] + np.diag(1.0 / (c * weights))
    scores = view[:, rows] @ np.linalg.solve(inside, numbers - middle)
    return (scores - scores.mean()) / scores.std()


def two_hidden_classes(texts: Sequence[str], known: np.ndarray) -> np.ndarray:
    """Score the unlabelled by a generative model of both classes, of words, marks and their pairs.

    Args:
        texts: The labelled, then the unlabelled.
        known: Class numbers of the labelled, 0 and 1.
    """
    counter = CountVectorizer(token_pattern=PATTERN, ngram_range=(1, 2), min_df=2)
    counts = counter.fit_transform(texts)
    labelled, unlabelled = counts[: known.size], counts[known.size :]
    scores = hidden_classes(labelled, np.eye(2)[known], unlabelled, prior_of(known))
    return scores[:, 1] - scores[:, 0]


def order_scores(
    views: Sequence[np.ndarray],
    known: np.ndarray,
    *,
    c: float,
    rounds: Sequence[float] = ROUNDS,
    beside: np.ndarray | None = None,
) -> np.ndarray:
    """Score every text by where its class stands; the labelled are the first rows of each view.

    Args:
        views: Kernels of the labelled, then the unlabelled texts.
        known: Class numbers of the labelled.
        c: How little is regularised.
        rounds: Weight of a guessed class beside a known one, round by round; none: the labelled
            alone teach.
        beside: Scores of the unlabelled by another teacher: the first guess, then one more view.
    """
    n = known.size
    rows, ones = np.arange(len(views[0])), np.ones(n)
    more = np.zeros(rows.size)
    if beside is not None:
        more[n:] = (beside - beside.mean()) / beside.std()
        scores = more
    else:
        scores = sum(ridge(view, rows[:n], known.astype(float), ones, c) for view in views)
    for share in rounds:
        numbers = np.concatenate([known, dealt(scores[n:], prior_of(known))]).astype(float)
        weights = np.concatenate([ones, np.full(rows.size - n, share)])
        scores = more + sum(ridge(view, rows, numbers, weights, c) for view in views)
    return scores


def teach_order(
    views: Sequence[np.ndarray], known: np.ndarray, *, c: float, beside: np.ndarray | None = None
) -> np.ndarray:
    """Guess the class number of every unlabelled text; arguments as in `order_scores`."""
    scores = order_scores(views, known, c=c, beside=beside)
    return dealt(scores[known.size :], prior_of(known))
