"""How diverse made texts are, beside real ones: self-BLEU, distinct n-grams, coverage, collapse.

In: texts, and vectors of them where coverage is asked. Out: single numbers, and all of them for
made and real texts side by side.

Every figure but coverage falls or rises with the number of texts, and all of them with their length
and subject: no value is good or bad by itself. :func:`compare_diversity` therefore measures as many
real texts the same way; that is the ceiling. Not for whether texts are true or well written.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from shopsynth.schema import InputError, derived_seed
from shopsynth.text.near_duplicates import near_duplicate_groups
from shopsynth.text.words import Words, spell_alike, split_words

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Vectors = NDArray[np.floating]

_SMOOTHED = 0.1
"""Matches that a precision without any is given, so that its logarithm is finite: method 1 of Chen
and Cherry, WMT 2014."""

_BLOCK_CELLS = 1 << 23
"""Distances held at once: 64 MB."""


@dataclass(frozen=True)
class ModeCollapse:
    """Whether many texts say the same.

    Attributes:
        distinct: Share of texts that read differently from all before them.
        largest_cluster: Share of texts in the largest group of near duplicates; one text's share
            where no two are alike.
    """

    distinct: float
    largest_cluster: float


@dataclass(frozen=True)
class Diversity:
    """All figures of one set of texts; see the functions of the same names.

    Attributes:
        n_texts: How many were measured.
        coverage: Share of the real texts with one of these near them; ``None`` without vectors.
    """

    n_texts: int
    self_bleu: float
    distinct_1: float
    distinct_2: float
    distinct: float
    largest_cluster: float
    coverage: float | None


def self_bleu(texts: pl.Series, n: int = 4, *, most: int | None = None, seed: int = 0) -> float:
    """Say how much texts repeat each other: the mean BLEU of each with all others as references.

    Exact in time linear in the number of words: of an n-gram's counts in all other texts only the
    greatest is needed, and that is the greatest or second greatest over all texts. Words are those
    of :func:`~shopsynth.text.words.split_words`: punctuation does not count, Chinese counts in
    pairs. Texts without words are left out.

    Args:
        texts: At least two with words.
        n: Longest n-grams, all up to it weighing the same.
        most: Texts that are measured, drawn by ``seed``; ``None`` for all. More references find
            more matches: compare figures of equally many texts only.
        seed: Of that draw.

    Returns:
        In (0, 1]; lower is more diverse, 1 says that every text stands there twice.

    Raises:
        InputError: If fewer than two texts have words.

    Source:
        Zhu et al., Texygen, SIGIR 2018, arXiv 1802.01886; BLEU: Papineni et al., ACL 2002.

    Example:
        >>> self_bleu(pl.Series(["a red cup for tea", "a red cup for tea"]))
        1.0
        >>> round(self_bleu(pl.Series(["a red cup for tea", "a red bag for my sister"])), 3)
        0.099
    """
    words = _worded(_some(texts, most, seed))
    lengths = np.diff(words.offsets)
    if lengths.size < 2:
        raise InputError(
            f"self_bleu: expected at least 2 texts with words, got {lengths.size}; "
            "one text has nothing to be compared with"
        )
    logarithms = np.zeros(lengths.size)
    for size, gram, text in _grams_up_to(words, n):
        matches = np.bincount(text, weights=_clipped(gram, text), minlength=lengths.size)
        total = np.maximum(lengths - size + 1, 1)
        logarithms += np.log(np.where(matches > 0, matches, _SMOOTHED) / total)
    brevity = np.minimum(0.0, 1.0 - _closest_length(lengths) / lengths)
    return float(np.exp(logarithms / n + brevity).mean())


def distinct_n(texts: pl.Series, n: int) -> float:
    """Return the share of distinct ones among all n-grams of words; 0 if there are none.

    It falls with the number of texts, as every vocabulary is finite: compare equally many.

    Source:
        Li et al., NAACL 2016, arXiv 1510.03055, section 5.

    Example:
        >>> distinct_n(pl.Series(["red cup", "red bag"]), 1)
        0.75
    """
    for size, gram, _ in _grams_up_to(_worded(texts), n):
        if size == n and gram.size:
            return float(np.unique(gram).size / gram.size)
    return 0.0


def coverage(real: Vectors, made: Vectors, k: int = 5) -> float:
    """Return the share of real texts with a made one among their nearest.

    A real text is covered if some made text is no farther than its ``k``-th nearest other real one.
    As many real texts held back cover about ``1 - 2^-k`` of them: that is the ceiling.

    Args:
        real: ``(n_real, dim)``, more than ``k`` rows.
        made: ``(n_made, dim)``.
        k: Neighbours; 5 is the paper's.

    Raises:
        InputError: If the shapes do not fit or there are too few real rows.

    Source:
        Naeem et al., ICML 2020, arXiv 2002.09797, equation 4.

    Example:
        >>> real = np.array([[0.0], [1.0], [2.0], [9.0], [10.0], [11.0]])
        >>> coverage(real, np.array([[1.1]]), k=2)
        0.5
    """
    if real.ndim != 2 or made.ndim != 2 or real.shape[1:] != made.shape[1:]:
        raise InputError(
            f"coverage: expected two matrices of one width, got shapes {real.shape} and "
            f"{made.shape}; give a vector a text, from one model"
        )
    if real.shape[0] <= k or k < 1:
        raise InputError(
            f"coverage: expected more real texts than the {k} neighbours (at least 1), got "
            f"{real.shape[0]}; lower k"
        )
    if made.shape[0] == 0:
        return 0.0
    covered = 0
    rows = max(1, _BLOCK_CELLS // max(real.shape[0], made.shape[0]))
    for first in range(0, real.shape[0], rows):
        block = real[first : first + rows]
        own = _square_distances(block, real)
        own[np.arange(block.shape[0]), first + np.arange(block.shape[0])] = np.inf
        radius = np.partition(own, k - 1, axis=1)[:, k - 1]
        covered += int((_square_distances(block, made).min(axis=1) <= radius).sum())
    return float(covered / real.shape[0])


def mode_collapse(texts: pl.Series, threshold: float = 0.7) -> ModeCollapse:
    """Say whether few texts stand for all.

    Args:
        texts: At least one.
        threshold: Least Jaccard similarity of near duplicates.

    Raises:
        InputError: If there is no text, or the threshold is out of range.

    Example:
        >>> mode_collapse(pl.Series(["I love it", "i love it!", "I LOVE it", "Too small for me"]))
        ModeCollapse(distinct=0.5, largest_cluster=0.75)
    """
    if texts.is_empty():
        raise InputError("mode_collapse: expected at least 1 text, got none; give made texts")
    groups = near_duplicate_groups(texts, threshold)
    return ModeCollapse(
        distinct=spell_alike(texts).n_unique() / texts.len(),
        largest_cluster=float(np.bincount(groups).max() / texts.len()),
    )


def compare_diversity(
    made: pl.Series,
    real: pl.Series,
    *,
    vectors: Callable[[pl.Series], Vectors] | None = None,
    seed: int = 0,
) -> tuple[Diversity, Diversity]:
    """Measure made texts and, as a ceiling, equally many real ones.

    The real texts are halved at random: one half is what must be covered, the other is measured as
    if it were made. So no made text should have been learned from ``real`` alone: give texts that
    the generator never saw, or know that coverage flatters it.

    Args:
        made: Texts of a generator.
        real: Real texts, at least twelve with coverage.
        vectors: Makes ``(n, dim)`` of texts, for coverage; the same numbers for equal texts.
        seed: Of halving and of the draw where one side has more texts.

    Returns:
        Figures of the made texts, then of the real ones.

    Raises:
        InputError: If there are too few texts.
    """
    random = np.random.Generator(np.random.PCG64(derived_seed(seed, "compare_diversity")))
    order = random.permutation(real.len())
    asked, ceiling = real.gather(order[::2]), real.gather(order[1::2])
    n = min(made.len(), ceiling.len())
    sides = made.gather(np.sort(random.permutation(made.len())[:n])), ceiling.head(n)
    reference = None if vectors is None else vectors(asked)

    def measured(texts: pl.Series) -> Diversity:
        if vectors is None or reference is None:
            return _measured(texts, None)
        return _measured(texts, coverage(reference, vectors(texts)))

    return measured(sides[0]), measured(sides[1])


def _measured(texts: pl.Series, covered: float | None) -> Diversity:
    collapse = mode_collapse(texts)
    return Diversity(
        n_texts=texts.len(),
        self_bleu=self_bleu(texts),
        distinct_1=distinct_n(texts, 1),
        distinct_2=distinct_n(texts, 2),
        distinct=collapse.distinct,
        largest_cluster=collapse.largest_cluster,
        coverage=covered,
    )


def _some(texts: pl.Series, most: int | None, seed: int) -> pl.Series:
    if most is None or texts.len() <= most:
        return texts
    random = np.random.Generator(np.random.PCG64(derived_seed(seed, "self_bleu")))
    return texts.gather(np.sort(random.permutation(texts.len())[:most]))


def _worded(texts: pl.Series) -> Words:
    """Split texts into words and leave out those without any."""
    words = split_words(texts)
    kept = np.flatnonzero(np.diff(words.offsets))
    return Words(words.vocabulary, words.ids, np.append(words.offsets[kept], words.ids.size))


def _grams_up_to(words: Words, n: int) -> list[tuple[int, Integers, Integers]]:
    """Number the n-grams of every size: ``(size, gram, text)``, one entry an occurrence.

    A gram's number is the place of the pair (number of its first part, last word) among all such
    pairs, so that equal grams and no others have equal numbers.
    """
    lengths = np.diff(words.offsets)
    text = np.repeat(np.arange(lengths.size), lengths)
    left = np.repeat(words.offsets[1:], lengths) - np.arange(words.ids.size)
    found, gram, start = [], words.ids, np.arange(words.ids.size)
    for size in range(1, n + 1):
        if size > 1:
            kept = left[start] >= size
            start = start[kept]
            pair = gram[kept] * (words.vocabulary.len() + 1) + words.ids[start + size - 1]
            gram = np.unique(pair, return_inverse=True)[1].reshape(-1)
        found.append((size, gram, text[start]))
    return found


def _clipped(gram: Integers, text: Integers) -> Floats:
    """Return, for each occurrence, the part of it that a best other text matches.

    Summed over a text this is its n-grams' counts, each at most the greatest in any other text.
    """
    order = np.lexsort((text, gram))
    sorted_gram, sorted_text = gram[order], text[order]
    new = np.ones(gram.size, dtype=np.bool_)
    new[1:] = (sorted_gram[1:] != sorted_gram[:-1]) | (sorted_text[1:] != sorted_text[:-1])
    first = np.flatnonzero(new)
    count = np.diff(np.append(first, gram.size))
    owner = sorted_gram[first]
    # Pairs (gram, text) by gram, greatest count first; a gram's first two are all that matters.
    by_count = np.lexsort((-count, owner))
    owner, ranked = owner[by_count], count[by_count]
    n_texts = np.bincount(owner)
    begin = (np.cumsum(n_texts) - n_texts)[owner]
    after = ranked[np.minimum(begin + 1, first.size - 1)]
    second = np.where(n_texts[owner] > 1, after, 0)
    best_other = np.where(np.arange(first.size) == begin, second, ranked[begin])
    share = np.empty(first.size)
    share[by_count] = np.minimum(ranked, best_other) / ranked
    clipped = np.empty(gram.size)
    clipped[order] = np.repeat(share, count)
    return clipped


def _closest_length(lengths: Integers) -> Integers:
    """Return the length of another text that is closest to each one's; the shorter of two."""
    order = np.argsort(lengths, kind="stable")
    ordered = lengths[order]
    before = np.concatenate((ordered[1:2], ordered[:-1]))
    after = np.concatenate((ordered[1:], ordered[-2:-1]))
    closest = np.where(np.abs(before - ordered) <= np.abs(after - ordered), before, after)
    result = np.empty_like(closest)
    result[order] = closest
    return result


def _square_distances(left: Vectors, right: Vectors) -> Floats:
    """Return all squared distances, ``(n_left, n_right)``; never below 0."""
    lengths = np.square(left).sum(axis=1)[:, None] + np.square(right).sum(axis=1)
    return np.asarray(np.maximum(lengths - 2 * left @ right.T, 0.0), dtype=np.float64)
