"""Fidelity of texts: how near made queries or reviews are to real ones, beside held-out real texts.

In: texts that a method could read, real texts that it could not, made texts. Out: one row a figure.

The ceiling is what held-out real texts reach against the same train texts.
"""

import numpy as np
import polars as pl
from numpy.typing import NDArray

from shopsynth.evaluate.text_diversity import compare_diversity
from shopsynth.evaluate.text_vectors import learn_text_vectors
from shopsynth.schema import EVALUATION_COLUMNS
from shopsynth.text.words import Words, spell_alike, split_words

_MOST = 20_000
"""Texts a side that are compared; more change no figure that is told."""

_MOST_DIVERSE = 4_000
"""Texts a side whose diversity is told: coverage asks for all distances between them."""

_LEAST_DIVERSE = 12
"""Held-out texts without which coverage has too few neighbours, halved as they are."""

_DIVERSITY = {
    "self_bleu": "up to four words in a row that others have: self-BLEU (near real is best)",
    "distinct_1": "different words: share (near real is best)",
    "distinct_2": "different pairs of words: share (near real is best)",
    "largest_cluster": "texts in the largest group of near duplicates: share (near real is best)",
    "coverage": "held-out texts with a made one near: share (1 is best)",
}
"""Figures of diversity, and what the report calls them."""


def measure_text_fidelity(
    table: str, train: pl.DataFrame, heldout: pl.DataFrame, synthetic: pl.DataFrame
) -> pl.DataFrame:
    """Compare made texts with real ones.

    Args:
        table: Where the texts stand: ``queries`` or ``reviews``.
        train: Real texts that the method could read; column ``text``.
        heldout: Real texts that it could not.
        synthetic: Made texts.

    Returns:
        Columns of ``EVALUATION_COLUMNS["fidelity"]``: the distance of the distributions of words
        per text (Kolmogorov-Smirnov), the share of words that train texts have, and of texts that
        are different from each other; with twelve held-out texts and twelve made ones also how
        diverse they are, whether many say the same, and how many of the held-out ones have a made
        one near. None where a side has no texts.

    Example:
        >>> real = pl.DataFrame({"text": ["red mug", "blue mug"]})
        >>> measure_text_fidelity("queries", real, real, real)["value"].to_list()
        [0.0, 1.0, 1.0]
    """
    sides = [frame["text"].drop_nulls().head(_MOST) for frame in (train, heldout, synthetic)]
    if not all(side.len() for side in sides):
        return pl.DataFrame(schema=EVALUATION_COLUMNS["fidelity"])
    real, later, made = (split_words(side) for side in sides)
    rows = [
        (
            "words per text: distance of distributions (0 is best)",
            _distance(_lengths(made), _lengths(real)),
            _distance(_lengths(later), _lengths(real)),
        ),
        ("words that real texts have: share (1 is best)", _known(made, real), _known(later, real)),
        (
            "texts that differ from each other: share (1 is best)",
            *(sides[place].n_unique() / sides[place].len() for place in (2, 1)),
        ),
    ]
    rows += _diversity(*sides)
    return pl.DataFrame(
        [(table, *row) for row in rows], schema=EVALUATION_COLUMNS["fidelity"], orient="row"
    )


def _diversity(
    train: pl.Series, heldout: pl.Series, made: pl.Series
) -> list[tuple[str, float, float]]:
    """Measure made texts, and as many held-out ones as a ceiling; nothing where they are few."""
    sides = [
        each.filter(spell_alike(each) != "").head(_MOST_DIVERSE) for each in (train, heldout, made)
    ]
    if min(side.len() for side in sides) < _LEAST_DIVERSE:
        return []
    train, heldout, made = sides
    ours, theirs = compare_diversity(made, heldout, vectors=learn_text_vectors(train))
    return [
        (what, float(getattr(ours, name)), float(getattr(theirs, name)))
        for name, what in _DIVERSITY.items()
    ]


def _lengths(words: Words) -> NDArray[np.int64]:
    return np.diff(words.offsets)


def _distance(some: NDArray[np.int64], others: NDArray[np.int64]) -> float:
    """Return the largest difference of two distribution functions (Kolmogorov-Smirnov)."""
    places = np.union1d(some, others)
    shares = [
        np.searchsorted(np.sort(each), places, side="right") / each.size for each in (some, others)
    ]
    return float(np.abs(shares[0] - shares[1]).max())


def _known(words: Words, real: Words) -> float:
    """Return the share of words, each as often as it stands, that real texts have."""
    if not words.ids.size:
        return 0.0
    return float(words.vocabulary.is_in(real.vocabulary.implode()).to_numpy()[words.ids].mean())
