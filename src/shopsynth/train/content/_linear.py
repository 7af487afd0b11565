"""The linear classifier on top of any features, and how its one free number is chosen.

In: features, class numbers and weights. Out: a matrix of class vectors, whose scores rank classes.
"""

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from shopsynth.schema import MissingExtraError, Settings, stable_bucket
from shopsynth.train.content._rows import Labelled

Features: TypeAlias = Any
"""Sparse or dense, float32, ``(text, feature)``."""

CANDIDATES = (0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0)
"""Values of ``c`` that are tried, smallest first: of equals the strongest regularisation wins."""

_USUAL = 1.0
"""``c`` where nothing can be held back to choose it: the library's own default."""

_FOLDS = 5
_MAX_ITER = 5_000


class LinearOptions(Settings):
    """Options of a linear classifier, whatever its features."""

    classifier: Literal["svm", "logistic"] = "svm"
    """Squared hinge loss one class against the rest, or the log loss of all classes at once."""

    balanced: bool = True
    """Let every class weigh the same as a whole, so that rare ones are not passed over."""

    c: float = Field(default=0.0, ge=0)
    """How little is regularised; 0 chooses by macro-F1 on validation, or in five folds of the real
    rows where validation has no classes."""


@dataclass(frozen=True)
class Head:
    """A fitted classifier.

    Attributes:
        coef: ``(class, feature)``.
        intercept: ``(class,)``.
    """

    coef: NDArray[np.float32]
    intercept: NDArray[np.float32]

    def scores(self, features: Features) -> NDArray[np.float32]:
        """Score every class; ``(text, class)``, higher is more of it."""
        return np.asarray(features @ self.coef.T + self.intercept, dtype=np.float32)


def fit_head(features: Features, labelled: Labelled, options: LinearOptions, *, seed: int) -> Head:
    """Fit at ``options.c``; weights multiply the loss of their rows.

    Args:
        features: ``(text, feature)``, in the order of the texts.
        labelled: Classes and weights.
        options: With a ``c`` above 0.
        seed: Of the order in which the support vector machine visits rows.

    Raises:
        MissingExtraError: If scikit-learn is not installed.

    Source:
        Fan et al., LIBLINEAR: A Library for Large Linear Classification, JMLR 2008.
    """
    library = linear_library()
    number, weights = labelled.number, row_weights(labelled, balanced=options.balanced)
    model: Any
    if options.classifier == "svm":
        model = library.LinearSVC(C=options.c, random_state=seed % 2**32, max_iter=_MAX_ITER)
    else:
        model = library.LogisticRegression(C=options.c, max_iter=_MAX_ITER)
    with warnings.catch_warnings():
        # Near enough is fine: a large c is among those tried, and loses where it does harm.
        warnings.simplefilter("ignore", import_module("sklearn.exceptions").ConvergenceWarning)
        model.fit(features, number, sample_weight=weights)
    coef, intercept = model.coef_, model.intercept_
    if coef.shape[0] == 1:
        coef, intercept = np.vstack([-coef, coef]), np.concatenate([-intercept, intercept])
    full = np.zeros((labelled.classes.len(), coef.shape[1]), dtype=np.float32)
    base = np.full(labelled.classes.len(), np.finfo(np.float32).min, dtype=np.float32)
    full[model.classes_], base[model.classes_] = coef, intercept
    return Head(full, base)


def row_weights(labelled: Labelled, *, balanced: bool) -> NDArray[np.float64]:
    """Return the weights of rows, ``(row,)``; balanced, those of every class have the same sum."""
    number, weights = labelled.number, labelled.weights
    if not balanced:
        return weights
    of_class = np.bincount(number, weights=weights, minlength=labelled.classes.len())
    even: NDArray[np.float64] = (
        weights / of_class[number] * (weights.sum() / np.count_nonzero(of_class))
    )
    return even


def chosen(
    features: Features,
    labelled: Labelled,
    asked: tuple[Features, Labelled],
    options: LinearOptions,
    *,
    seed: int,
) -> LinearOptions:
    """Set ``c`` where it is 0.

    With classes in validation every candidate is fitted on all rows and judged there. Without, the
    real rows alone are cut into five folds by a hash of their texts, so that no row made from a
    held-back one can help to guess it.

    Args:
        features: Of the training texts.
        labelled: The training texts.
        asked: Features of the validation texts, and these.
        options: As the recipe sets them.
        seed: As in :func:`fit_head`.
    """
    if options.c > 0:
        return options

    def tried(c: float) -> LinearOptions:
        return options.model_copy(update={"c": c})

    judged: Callable[[float], float]
    if asked[1].texts.len():

        def judged(c: float) -> float:
            head = fit_head(features, labelled, tried(c), seed=seed)
            return macro_f1(asked[1].number, head.scores(asked[0]).argmax(axis=1))

    else:
        rows = np.flatnonzero(labelled.real)
        fold = stable_bucket(labelled.texts.gather(rows), _FOLDS).to_numpy()
        known = labelled.number[rows]
        kept = [number for number in range(_FOLDS) if np.unique(known[fold != number]).size > 1]
        if len(kept) < _FOLDS or not np.all(np.bincount(fold, minlength=_FOLDS)):
            return tried(_USUAL)

        def judged(c: float) -> float:
            guess = np.empty_like(known)
            for number in range(_FOLDS):
                inside = rows[fold != number]
                head = fit_head(features[inside], labelled.take(inside), tried(c), seed=seed)
                held = rows[fold == number]
                guess[fold == number] = head.scores(features[held]).argmax(axis=1)
            return macro_f1(known, guess)

    return tried(max(CANDIDATES, key=judged))


def macro_f1(true: NDArray[np.int64], guess: NDArray[np.int64]) -> float:
    """What models choose by; never a figure of a report, which the evaluate room tells."""
    scores = [
        2.0
        * np.sum((true == each) & (guess == each))
        / (np.sum(true == each) + np.sum(guess == each))
        for each in np.unique(true)
    ]
    return float(np.mean(scores))


def linear_library() -> Any:
    """Import scikit-learn's linear models.

    Raises:
        MissingExtraError: If it is not installed.
    """
    try:
        svm, linear = import_module("sklearn.svm"), import_module("sklearn.linear_model")
    except ImportError as error:
        raise MissingExtraError(
            "task content: expected the library scikit-learn, got none; install it with "
            "pip install 'shopsynth[text]'"
        ) from error
    return _Linear(svm.LinearSVC, linear.LogisticRegression)


@dataclass(frozen=True)
class _Linear:
    LinearSVC: Any
    LogisticRegression: Any
