"""How the words of searches follow each other: an n-gram model of order three.

In: searches as numbers of stems. Out: log probabilities of made ones.

It only ranks; nothing is drawn from it. Not for: telling a search's meaning, or long texts.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from shopsynth.generate._draws import Floats, Integers

_ORDER = 3


@dataclass(frozen=True)
class Grams:
    """Counts of one order.

    Attributes:
        keys: ``(n_grams,)`` rising; the words as digits in base ``n_words``.
        discounted: ``(n_grams,)`` share of its context that each keeps.
        contexts: ``(n_contexts,)`` keys of what stands before the last word, rising.
        left: ``(n_contexts,)`` share that goes to the next lower order.
    """

    keys: NDArray[np.int64]
    discounted: Floats
    contexts: NDArray[np.int64]
    left: Floats

    @classmethod
    def of(cls, keys: NDArray[np.int64], counts: NDArray[np.int64], n_words: int) -> Self:
        """Discount the counts by one figure, estimated from how many are 1 and 2."""
        once, twice = np.count_nonzero(counts == 1), np.count_nonzero(counts == 2)
        discount = once / (once + 2 * twice) if once and twice else 0.5
        contexts, owner = np.unique(keys // n_words, return_inverse=True)
        totals = np.bincount(owner, weights=counts)
        kinds = np.bincount(owner)
        return cls(keys, (counts - discount) / totals[owner], contexts, discount * kinds / totals)

    def mix(self, keys: NDArray[np.int64], lower: Floats, n_words: int) -> Floats:
        """Interpolate with the next lower order's probabilities."""
        if self.keys.size == 0:  # A shop without searches.
            return lower
        place = np.minimum(np.searchsorted(self.keys, keys), self.keys.size - 1)
        own = np.where(self.keys[place] == keys, self.discounted[place], 0.0)
        context = keys // n_words
        at = np.minimum(np.searchsorted(self.contexts, context), self.contexts.size - 1)
        mixed: Floats = own + np.where(self.contexts[at] == context, self.left[at], 1.0) * lower
        return mixed


@dataclass(frozen=True)
class QueryLanguage:
    """Interpolated Kneser-Ney over classes of words.

    Words that few people have share one class, numbers one each by their length: what counts is
    that a number stands there.

    Attributes:
        classes: ``(n_stems,)`` class of each stem; 0 is the end, 1 the beginning.
        n_classes: Number of classes.
        single: ``(n_classes,)`` probability of each class by itself.
        grams: Orders two and three.
    """

    classes: NDArray[np.int64]
    n_classes: int
    single: Floats
    grams: tuple[Grams, ...]

    @classmethod
    def fit(cls, text: Integers, stem: Integers, classes: NDArray[np.int64], n_texts: int) -> Self:
        """Count.

        Args:
            text: ``(n_tokens,)`` number of the search, rising.
            stem: ``(n_tokens,)`` stems in order.
            classes: ``(n_stems,)``, of 2 and more.
            n_texts: Searches; one without words counts as its end.

        Source:
            Kneser and Ney, Improved backing-off for m-gram language modeling, ICASSP 1995;
            interpolated as in Chen and Goodman, Computer Speech and Language 13(4), 1999.
        """
        n_classes = int(classes.max(initial=1)) + 1
        sizes = np.bincount(text, minlength=n_texts)
        # Two beginnings before each search, one end behind it.
        flat = np.zeros(stem.size + 3 * n_texts, np.int64)
        first = np.concatenate(([0], np.cumsum(sizes + 3)))[:-1]
        flat[first] = flat[first + 1] = 1
        flat[np.arange(stem.size) + 3 * text + 2] = classes[stem]
        predicted = np.flatnonzero(flat != 1)
        two = flat[predicted - 1] * n_classes + flat[predicted]
        three = flat[predicted - 2] * n_classes**2 + two
        top, counts = np.unique(three, return_counts=True)
        # Lower orders count in how many contexts a word stands, not how often.
        pairs, kinds = np.unique(top % n_classes**2, return_counts=True)
        single = np.bincount(pairs % n_classes, minlength=n_classes) + 0.5
        single[1] = 0.0
        return cls(
            classes,
            n_classes,
            single / single.sum(),
            (Grams.of(pairs, kinds, n_classes), Grams.of(top, counts, n_classes)),
        )

    def log_fluency(self, stems: NDArray[np.int64]) -> Floats:
        """Score how well words go together and where a search ends.

        That is the log probability, less that of the words each by itself: how common they are is
        another model's matter.

        Args:
            stems: ``(n, longest)`` stems in order, -1 behind the last.

        Returns:
            ``(n,)``.
        """
        n, longest = stems.shape
        here = np.zeros((n, longest + 3), np.int64)
        here[:, :2] = 1
        here[:, 2:-1] = np.where(stems < 0, 0, self.classes[stems])
        used = np.concatenate((np.ones((n, 1), bool), stems >= 0), axis=1)
        rows, columns = np.nonzero(used)
        ends = here[rows, columns + 2]
        two = here[rows, columns + 1] * self.n_classes + ends
        lower = self.single[ends]
        chance = self.grams[0].mix(two, lower, self.n_classes)
        three = here[rows, columns] * self.n_classes**2 + two
        chance = self.grams[1].mix(three, chance, self.n_classes)
        gain = np.log(chance) - np.log(self.single[ends])
        fluency: Floats = np.bincount(rows, weights=gain, minlength=n).astype(np.float64)
        return fluency


def word_classes(few: NDArray[np.bool_], digits: NDArray[np.int64]) -> NDArray[np.int64]:
    """Give each stem its class.

    Args:
        few: ``(n_stems,)`` whether too few people have it for a class of its own.
        digits: ``(n_stems,)`` characters of a number, 0 of a word.

    Returns:
        ``(n_stems,)``: 2 for rare words, 3 to 5 for numbers, then one a word.
    """
    classes = np.where(digits > 0, 2 + np.minimum(digits, 3), 2)
    own = (digits == 0) & ~few
    classes[own] = 6 + np.arange(np.count_nonzero(own))
    return classes.astype(np.int64)
