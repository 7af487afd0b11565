"""Texts with what edits ask of them: what is protected, and the units that may move or go.

In: texts and their protected spans. Out: arrays over all units of all texts, and new texts made
from stretches of old ones.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate

import numpy as np
from numpy.typing import NDArray

from shopsynth.text.characters import HAN, LETTER, SPACE, Characters, Codes, Integers, Mask
from shopsynth.text.spans import Spans

_BRACKETS = "()[]{}（）【】《》「」"


@dataclass(frozen=True)
class Units:
    """What stands between spaces, or a run of Chinese characters, or a protected span.

    Attributes:
        start: ``(n_units,)`` place of the first character.
        stop: ``(n_units,)`` place behind the last.
        text: ``(n_units,)`` number of the text, rising.
        free: ``(n_units,)`` whether it holds letters and nothing protected.
    """

    start: Integers
    stop: Integers
    text: Integers
    free: Mask


@dataclass(frozen=True)
class Pieces:
    """Texts and their protected spans.

    Attributes:
        texts: The texts.
        spans: Their protected spans.
        group: ``(n_texts,)`` number of each text's category; all 0 where none were given.
    """

    texts: Characters
    spans: Spans
    group: NDArray[np.int64]

    @cached_property
    def protected(self) -> Mask:
        """Whether each character is protected, ``(n_characters,)``."""
        return self.spans.covered(self.texts.codes.size)

    @cached_property
    def units(self) -> Units:
        """All units."""
        flags, protected = self.texts.flags, self.protected
        apart = ((flags & SPACE) != 0) & ~protected
        alone = (flags & HAN) != 0
        edge = np.diff(protected, prepend=False)
        # Chinese is written in one: there a unit ends where the script or the protection changes.
        turn = np.diff(alone, prepend=False)
        turn[1:] |= edge[1:] & (alone[1:] | alone[:-1])
        turn &= (flags & (SPACE | HAN | LETTER)) != 0
        outside = np.concatenate(([True], apart[:-1]))
        start = np.flatnonzero(~apart & (outside | turn))
        closes = np.concatenate((apart | turn, [True]))[1:]
        stop = np.flatnonzero(~apart & closes) + 1
        if start.size:
            # A bracket that goes or moves leaves its other half behind.
            brackets = np.flatnonzero(any_of(self.texts.codes, _BRACKETS))
            first, last = (
                np.searchsorted(start, np.concatenate((places, brackets)), side="right") - 1
                for places in (self.spans.start, self.spans.stop - 1)
            )
            opened = np.bincount(first, minlength=start.size + 1)
            held = np.cumsum(opened - np.bincount(last + 1, minlength=start.size + 1))[:-1]
        else:
            held = start
        free = ((self.texts.any_of(start, stop) & (LETTER | HAN)) != 0) & (held == 0)
        return Units(start, stop, self.texts.text_of(start), free)

    @cached_property
    def free_words(self) -> Integers:
        """Numbers of the words that are not protected."""
        return np.flatnonzero(~self.protected[self.texts.words.start])


def replaced(
    texts: Characters,
    start: Integers,
    stop: Integers,
    source: NDArray[np.uint32],
    source_start: Integers,
    source_stop: Integers,
) -> Characters:
    """Put other characters in the place of stretches of texts.

    Args:
        texts: The texts.
        start: ``(n,)`` first character of each stretch, rising.
        stop: ``(n,)`` the one behind its last; no stretch reaches into the next or a next text.
        source: Code points to take from; the texts' own, to move stretches.
        source_start: ``(n,)`` first character of what takes the place.
        source_stop: ``(n,)`` the one behind its last.
    """
    if start.size == 0:
        return texts
    # What stays and what comes in turn: stay, come, stay, ..., come, stay.
    begin = np.empty(2 * start.size + 1, np.int64)
    end = np.empty_like(begin)
    begin[0], end[-1] = 0, texts.codes.size
    begin[2::2], end[:-1:2] = stop, start
    begin[1::2], end[1::2] = source_start + texts.codes.size, source_stop + texts.codes.size
    lengths = end - begin
    shift = begin - (np.cumsum(lengths) - lengths)
    places = np.arange(lengths.sum()) + np.repeat(shift, lengths)
    grown = np.cumsum((source_stop - source_start) - (stop - start))
    before = np.searchsorted(start, texts.offsets)
    offsets = texts.offsets + np.concatenate(([0], grown))[before]
    return Characters(np.concatenate((texts.codes, source))[places], offsets)


def replaced_by(
    texts: Characters, start: Integers, stop: Integers, strings: Sequence[str]
) -> Characters:
    """Put strings in the place of stretches of texts.

    Args:
        texts: The texts.
        start: ``(n,)`` first character of each stretch, rising.
        stop: ``(n,)`` the one behind its last; no stretch reaches into the next or a next text.
        strings: ``(n,)`` what takes the place of each.
    """
    source = np.frombuffer("".join(strings).encode("utf-32-le"), np.uint32)
    ends = np.fromiter(accumulate(map(len, strings)), np.int64, len(strings))
    begins = np.concatenate(([0], ends[:-1])) if ends.size else ends
    return replaced(texts, start, stop, source, begins, ends)


def as_written(word: str, other: str) -> str:
    """Give another word the capitals of the one it stands for.

    Example:
        >>> as_written("Shoe", "tennis boot"), as_written("SHOE", "boot")
        ('Tennis Boot', 'BOOT')
    """
    if word.islower():
        return other
    return other.upper() if word.isupper() else other.title()


def any_of(codes: Codes, signs: str) -> Mask:
    """Tell of each character whether it is one of those, all of the basic plane."""
    table = np.zeros(1 << 16, np.bool_)
    table[[ord(sign) for sign in signs]] = True
    return table[np.minimum(codes, 0xFFFF)]


def picked(text: Integers, n_texts: int, share: float, random: np.random.Generator) -> Integers:
    """Choose some of each text's candidates: each by chance, and one where chance chose none.

    Args:
        text: ``(n,)`` text of each candidate, rising.
        n_texts: Number of texts.
        share: Chance of each.
        random: Chance.

    Returns:
        Numbers of the chosen candidates, rising.
    """
    chosen = random.random(text.size, dtype=np.float32) < share
    counts = np.bincount(text, minlength=n_texts)
    lacking = np.flatnonzero((counts > 0) & (np.bincount(text[chosen], minlength=n_texts) == 0))
    first = np.cumsum(counts) - counts
    chosen[first[lacking] + (random.random(lacking.size) * counts[lacking]).astype(np.int64)] = True
    return np.flatnonzero(chosen)
