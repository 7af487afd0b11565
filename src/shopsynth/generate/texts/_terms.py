"""The words of a shop's texts that may be exchanged: English ones, and Chinese ones found by count.

In: texts with their protected spans. Out: stretches with a key each, the same for the same word.
Chinese is written without spaces: what its words are is learned from the texts themselves, which
needs no dictionary and knows the shop's own words. Not for words a text has but once.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from shopsynth.generate.texts._pieces import Pieces
from shopsynth.text.characters import DIGIT, HAN, LETTER, Hashes, Integers, Mask

_SHORTEST = 3
"""Letters of a word that can be exchanged: to, of, on have senses of their own."""

_LONGEST = 4
"""Characters of a Chinese word; 97 % of a dictionary's words have no more."""

_LEAST = 4
"""Times that characters must stand together to be a word."""

_COHESION = 10.0
"""How much oftener than by chance a word's parts must meet: 3.3 bits; words lie above 5 bits,
pairs of neighbouring words mostly below 3."""

_MOST_WORDS = 1 << 23
"""Words of texts that Chinese words are learned from."""


@dataclass(frozen=True)
class Terms:
    """Words that may be exchanged, from left to right; none overlaps another.

    Attributes:
        start: ``(n,)`` place of the first character.
        stop: ``(n,)`` place behind the last.
        text: ``(n,)`` number of the text.
        key: ``(n,)`` 64 bits, the same for words that differ in case or width only.
        chinese: ``(n,)`` whether it is Chinese.
    """

    start: Integers
    stop: Integers
    text: Integers
    key: Hashes
    chinese: Mask


Lexicon = tuple[Hashes, ...]
"""Keys of the Chinese words of two, three and four characters, rising."""


def learn_words(blocks: Sequence[Pieces]) -> Lexicon:
    """Find Chinese words: characters that stand together oftener than by chance, in many places.

    Args:
        blocks: All texts.

    Source:
        Cohesion: Sproat and Shih, A statistical method for finding word boundaries in Chinese
        text, 1990; freedom of the sides: Jin and Tanaka-Ishii, ACL 2006.
    """
    keys, hans, texts = [], [], []
    n_texts = n_words = 0
    for pieces in blocks:
        words = pieces.texts.words
        keys.append(words.key)
        hans.append(_chinese(pieces))
        texts.append(words.text + n_texts)
        n_texts += pieces.texts.n_texts
        n_words += words.key.size
        if n_words > _MOST_WORDS:
            break
    return _cohesive(
        np.concatenate([np.zeros(0, np.uint64), *keys]),
        np.concatenate([np.zeros(0, np.bool_), *hans]),
        np.concatenate([np.zeros(0, np.int64), *texts]),
    )


def terms_of(pieces: Pieces, lexicon: Lexicon) -> Terms:
    """List the words of texts that may be exchanged.

    Args:
        pieces: Texts.
        lexicon: Chinese words.
    """
    words = pieces.texts.words
    free = pieces.free_words
    plain = (words.flags[free] & (LETTER | DIGIT | HAN)) == LETTER
    english = free[plain & (words.stop[free] - words.start[free] >= _SHORTEST)]
    first, length = _matches(pieces, lexicon)
    start = np.concatenate((words.start[english], words.start[first]))
    stop = np.concatenate((words.stop[english], words.stop[first + length - 1]))
    text = np.concatenate((words.text[english], words.text[first]))
    key = np.concatenate((words.key[english], _run_keys(words.key, first, length)))
    chinese = np.arange(start.size) >= english.size
    order = np.argsort(start, kind="stable")
    return Terms(start[order], stop[order], text[order], key[order], chinese[order])


def _chinese(pieces: Pieces) -> Mask:
    """Tell of each word whether it is a free Chinese character."""
    words = pieces.texts.words
    free = np.zeros(words.key.size, np.bool_)
    free[pieces.free_words] = True
    return np.asarray(free & ((words.flags & HAN) != 0))


def _run_keys(key: Hashes, first: Integers, length: Integers) -> Hashes:
    """Return one key a run of words, which depends on its length: ``(n_runs,)``."""
    mixed = length.astype(np.uint64) * np.uint64(0xA0761D6478BD642F)
    for step in range(_LONGEST):
        longer = np.flatnonzero(length > step)
        part = (mixed[longer] ^ key[first[longer] + step]) * np.uint64(0xD6E8FEB86659FD93)
        mixed[longer] = part ^ (part >> np.uint64(32))
    return mixed


def _runs(han: Mask, text: Integers, size: int) -> Integers:
    """List where runs of Chinese characters of one text begin, in words."""
    n = max(han.size - size + 1, 0)
    whole = text[:n] == text[size - 1 :][:n]
    for step in range(size):
        whole = whole & han[step : step + n]
    return np.flatnonzero(whole)


def _cohesive(key: Hashes, han: Mask, text: Integers) -> Lexicon:
    """Choose the runs that are words; neighbours in ``key`` must be neighbours in the text."""
    total = max(int(han.sum()), 1)
    often = {}
    lexicon = []
    for size in range(1, _LONGEST + 1):
        place = _runs(han, text, size)
        keys, number, counts = np.unique(
            _run_keys(key, place, np.full(place.size, size)),
            return_inverse=True,
            return_counts=True,
        )
        count = counts[number]
        often[size] = np.zeros(key.size + _LONGEST, np.float64)
        often[size][place] = count
        if size == 1:
            continue
        by_chance = np.max(
            [often[k][place] * often[size - k][place + k] / total for k in range(1, size)], axis=0
        )
        good = (count >= _LEAST) & (count >= _COHESION * by_chance)
        good &= _free_sides(key, text, place, number, size)
        lexicon.append(keys[np.unique(number[good])])
    return tuple(lexicon)


def _free_sides(key: Hashes, text: Integers, place: Integers, number: Integers, size: int) -> Mask:
    """Tell of each run whether it stands beside several others, or at an end, on both sides."""
    good = np.ones(place.size, np.bool_)
    for beside in (place - 1, place + size):
        inside = np.clip(beside, 0, max(key.size - 1, 0))
        ends = (beside != inside) | (text[inside] != text[place])
        # An end of a text is another neighbour each time.
        mixed = np.where(ends, np.arange(place.size, dtype=np.uint64), key[inside])
        pair = mixed * np.uint64(0x9E3779B97F4A7C15) ^ number.astype(np.uint64)
        _, first = np.unique(pair, return_index=True)
        kinds = np.bincount(number[first], minlength=int(number.max(initial=0)) + 1)
        good &= kinds[number] >= 2
    return good


def _matches(pieces: Pieces, lexicon: Lexicon) -> tuple[Integers, Integers]:
    """Find Chinese words from left to right, the longest first: first word and length of each."""
    words, han = pieces.texts.words, _chinese(pieces)
    longest = np.zeros(words.key.size, np.int64)
    for size, keys in zip(range(2, _LONGEST + 1), lexicon, strict=True):
        place = _runs(han, words.text, size)
        # Characters with a space between them are words of their own.
        place = place[words.stop[place + size - 1] - words.start[place] == size]
        if keys.size and place.size:
            here = _run_keys(words.key, place, np.full(place.size, size))
            hit = keys[np.minimum(np.searchsorted(keys, here), keys.size - 1)] == here
            longest[place[hit]] = size
    place = np.flatnonzero(longest)
    return _forward(place, longest[place])


def _forward(place: Integers, length: Integers) -> tuple[Integers, NDArray[np.int64]]:
    kept, end = [], 0
    # A plain loop: what is taken depends on what was. 60 ns a match.
    for row, (begin, size) in enumerate(zip(place.tolist(), length.tolist(), strict=True)):
        if begin >= end:
            kept.append(row)
            end = begin + size
    chosen = np.array(kept, np.int64)
    return place[chosen], length[chosen]
