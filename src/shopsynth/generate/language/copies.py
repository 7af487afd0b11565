"""Which made texts give texts of the training data back: whole, or a long run of their words.

In: the texts that were learned from, then made ones. Out: for each made text whether it is a copy.

Words are compared as :func:`~shopsynth.text.words.split_words` spells them, so that case,
punctuation and markup hide nothing. A run that several training texts share is a phrase of the
trade ("true to size and very comfortable"), and nobody's own words: it may come back.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np
import polars as pl
from numpy.typing import NDArray

from shopsynth.schema import InputError
from shopsynth.text.words import Words, spell_alike, split_words

Hashes = NDArray[np.uint64]

RUN = 12
"""Words in a row that a made text may not share with a training text. Of 4,000 real reviews of
women's clothing held back, 1 in 300 has such a run of 8,000 others: redraws are seldom, and a copy
is not explained by chance."""

SHARED_BY = 3
"""Training texts that must share a run for it to be a phrase of the trade."""

_HASH_SEED = 0x5EED_0F_C0B1E5


@dataclass(frozen=True)
class Copies:
    """What made texts must not give back.

    Attributes:
        run: Words of a run that may not come back.
        spelled: Distinct training texts in one spelling.
        vocabulary: Distinct training words, sorted.
        runs: Hashes of runs that too few training texts share, sorted.

    Example:
        >>> import polars as pl
        >>> copies = Copies.of(pl.Series(["a red cup for tea", "it broke"]), run=3)
        >>> made = pl.Series(["It broke!", "I want a red cup", "a cup for tea", "red tea"])
        >>> copies.among(made).tolist()
        [True, True, True, False]
    """

    run: int
    spelled: pl.Series
    vocabulary: pl.Series
    runs: Hashes

    @classmethod
    def of(cls, texts: pl.Series, *, run: int = RUN, shared_by: int = SHARED_BY) -> Self:
        """Read the training texts; memory some 8 bytes a word.

        Args:
            texts: What was learned from; nulls have no words.
            run: Words in a row that may not come back, at least 2.
            shared_by: Distinct texts that must share a run for it to be nobody's own, at least 2.

        Raises:
            InputError: If ``run`` or ``shared_by`` is below 2.
        """
        if min(run, shared_by) < 2:
            raise InputError(
                f"copies: expected a run and shared_by of at least 2, got {run} and {shared_by}; "
                "a single word is nobody's, and a run of one text is a copy of it"
            )
        spelled = spell_alike(texts).unique().sort()
        spelled = spelled.filter(spelled != "")
        words = split_words(spelled)
        hashes, text = _hashed_runs(words, words.ids, run)
        # A text that repeats itself is still one text.
        order = np.lexsort((text, hashes))
        hashes, text = hashes[order], text[order]
        new = np.ones(hashes.size, dtype=np.bool_)
        new[1:] = (hashes[1:] != hashes[:-1]) | (text[1:] != text[:-1])
        distinct, n_texts = np.unique(hashes[new], return_counts=True)
        return cls(run, spelled, words.vocabulary, distinct[n_texts < shared_by])

    def among(self, texts: pl.Series) -> NDArray[np.bool_]:
        """Say of made texts whether each is a copy, ``(n_texts,)``.

        A text is one if it reads the same as a training text, or has a run of one. Texts without
        words are none.
        """
        whole = spell_alike(texts).is_in(self.spelled.implode()).to_numpy()
        words = split_words(texts)
        hashes, text = _hashed_runs(
            words, _numbered(words.vocabulary, self.vocabulary)[words.ids], self.run
        )
        place = np.minimum(np.searchsorted(self.runs, hashes), max(self.runs.size - 1, 0))
        found = np.zeros(texts.len(), dtype=np.bool_)
        if self.runs.size:
            found[text[self.runs[place] == hashes]] = True
        return np.asarray(whole | found)


def _numbered(words: pl.Series, vocabulary: pl.Series) -> NDArray[np.int64]:
    """Return each word's place in a sorted vocabulary, -1 where it has none."""
    known = words.is_in(vocabulary.implode()).to_numpy()
    place = vocabulary.search_sorted(words).to_numpy().astype(np.int64)
    return np.where(known, place, -1)


def _hashed_runs(
    words: Words, ids: NDArray[np.int64], run: int
) -> tuple[Hashes, NDArray[np.int64]]:
    """Hash every run of words that lies in one text; also say in which.

    A run's hash is the sum of its words' numbers, each times a random odd number of its place,
    modulo 2^64: of a million runs against a million, two different ones agree by chance about once
    in ten million times.
    """
    n_runs = np.maximum(np.diff(words.offsets) - run + 1, 0)
    text = np.repeat(np.arange(n_runs.size), n_runs)
    first = np.arange(n_runs.sum()) + np.repeat(
        words.offsets[:-1] - np.cumsum(n_runs) + n_runs, n_runs
    )
    random = np.random.Generator(np.random.PCG64(_HASH_SEED))
    factors = random.integers(0, 1 << 63, size=run, dtype=np.uint64) * np.uint64(2) + np.uint64(1)
    # Unknown words are 0, known ones count from 1.
    numbers = (ids + 1).astype(np.uint64)
    hashes = np.zeros(first.size, dtype=np.uint64)
    for place, factor in enumerate(factors):
        hashes += numbers[first + place] * factor
    return hashes, text
