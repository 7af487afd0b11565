"""How likely a text is, by its characters: what a search looks like, whatever it says.

In: texts of searches. Out: mean log probability of a character.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np
import polars as pl
from numpy.typing import NDArray

from shopsynth.text.characters import Characters
from shopsynth.text.words import spell_alike

_ORDER = 4
_LEAST = 3
"""Times a character must occur to be told from other rare ones."""

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class CharacterLikelihood:
    """Character n-grams of order four, each backed by the shorter one.

    Attributes:
        letters: Known characters as code points, rising.
        counts: One entry an order: keys of n-grams and how often each occurs.
        contexts: One entry an order: keys of contexts, how often each occurs, and how many
            different characters follow it.

    Example:
        >>> model = CharacterLikelihood.fit(pl.Series(["red cup", "blue cup", "cup"] * 3))
        >>> likely, unlikely = model.log_likelihood(pl.Series(["cup red", "puc der"]))
        >>> bool(likely > unlikely)
        True
    """

    letters: NDArray[np.uint32]
    counts: tuple[tuple[NDArray[np.int64], NDArray[np.int64]], ...]
    contexts: tuple[tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]], ...]

    @classmethod
    def fit(cls, texts: pl.Series) -> Self:
        """Count; an empty series gives a model to which all texts are alike.

        Source:
            Witten and Bell, IEEE Trans. Inf. Theory 37(4), 1991 (method C).
        """
        codes, n = np.unique(_laid_out(texts)[0], return_counts=True)
        letters = codes[n >= _LEAST]
        digits, text = _digits(texts, letters)
        counts, contexts = [], []
        base = letters.size + 1
        for order in range(1, _ORDER + 1):
            keys = _keys(digits, text, order, base)
            found, times = np.unique(keys, return_counts=True)
            before, owner = np.unique(found // base, return_inverse=True)
            counts.append((found, times))
            total = np.bincount(owner, weights=times, minlength=before.size).astype(np.int64)
            contexts.append((before, total, np.bincount(owner, minlength=before.size)))
        return cls(letters, tuple(counts), tuple(contexts))

    def log_likelihood(self, texts: pl.Series) -> Floats:
        """Return the mean log probability of each text's characters, its end among them."""
        digits, text = _digits(texts, self.letters)
        base = self.letters.size + 1
        chance = np.full(digits.size, 1.0 / base)
        for order in range(1, _ORDER + 1):
            keys = _keys(digits, text, order, base)
            context, total, kinds = self.contexts[order - 1]
            times = _looked_up(keys, *self.counts[order - 1])
            seen, follow = (_looked_up(keys // base, context, x) for x in (total, kinds))
            known = seen > 0
            mixed = (times + follow * chance) / np.maximum(seen + follow, 1)
            chance = np.where(known, mixed, chance)
        sums = np.bincount(text, weights=np.log(chance), minlength=texts.len())
        means: Floats = sums / np.maximum(np.bincount(text, minlength=texts.len()), 1)
        return means


def _laid_out(texts: pl.Series) -> tuple[NDArray[np.uint32], NDArray[np.int64]]:
    """Return the characters of all texts, each closed by a line feed, and whose they are."""
    characters = Characters.of(spell_alike(texts))
    return characters.codes, np.repeat(np.arange(texts.len()), np.diff(characters.offsets))


def _digits(
    texts: pl.Series, letters: NDArray[np.uint32]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Number characters from 1 on, 0 for rare ones; and say whose they are."""
    codes, text = _laid_out(texts)
    if letters.size == 0:
        return np.zeros(codes.size, np.int64), text
    place = np.minimum(np.searchsorted(letters, codes), letters.size - 1)
    return np.where(letters[place] == codes, place + 1, 0), text


def _keys(
    digits: NDArray[np.int64], text: NDArray[np.int64], order: int, base: int
) -> NDArray[np.int64]:
    """Return each character with those before it in its text; before its beginning stand zeros."""
    keys = np.zeros(digits.size, np.int64)
    for back in range(order - 1, -1, -1):
        keys *= base
        end = digits.size - back
        keys[back:] += np.where(text[back:] == text[:end], digits[:end], 0)
    return keys


def _looked_up(
    keys: NDArray[np.int64], known: NDArray[np.int64], values: NDArray[np.int64]
) -> NDArray[np.int64]:
    if known.size == 0:
        return np.zeros(keys.size, np.int64)
    place = np.minimum(np.searchsorted(known, keys), known.size - 1)
    return np.where(known[place] == keys, values[place], 0)
