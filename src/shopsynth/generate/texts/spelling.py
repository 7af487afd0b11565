"""spelling: a word is misspelt: a letter missing, doubled, or in its neighbour's place.

In: texts. Out: the same with slips of spelling, as in typed queries. Not for languages whose
letters stand for words; see ``pinyin``.
"""

from typing import ClassVar

import numpy as np
from pydantic import Field

from shopsynth.generate.texts._pieces import Pieces, replaced
from shopsynth.generate.texts._typos import mistyped
from shopsynth.generate.texts.base import Keeps, register
from shopsynth.schema import Settings
from shopsynth.text.characters import LETTER, Characters


class SpellingOptions(Settings):
    """Options of ``spelling``."""

    share: float = Field(default=0.1, gt=0, le=1)
    """Chance of each word of four letters and more to be misspelt; at least one a text."""


@register("spelling")
class Spelling:
    """Drop, double or exchange letters, each as often.

    Source: Damerau 1964: four in five misspellings are one letter missing, added, wrong or two
        exchanged; the wrong letter is ``keyboard``'s.
    """

    Options: ClassVar[type[Settings]] = SpellingOptions
    keeps: ClassVar[Keeps] = "in_place"

    def __init__(self, options: SpellingOptions) -> None:
        self.options = options

    def edit(self, pieces: Pieces, random: np.random.Generator) -> Characters:
        """Alter each text that has a word of four letters."""
        texts = pieces.texts
        codes = texts.codes
        start = mistyped(pieces, self.options.share, random)
        kind = (random.random(start.size) * 3).astype(np.int64)
        follows = ((texts.flags[start + 1] & LETTER) != 0) & (codes[start + 1] != codes[start])
        # Two letters that are the same, or a last one, cannot change places: one is left out.
        drop, exchange = (kind == 0) | ((kind == 2) & ~follows), (kind == 2) & follows
        stop = start + 1 + exchange
        # What comes in lies in threes: the letter behind, the letter, the letter again.
        source = np.stack((codes[start + 1], codes[start], codes[start]), axis=1).ravel()
        own = 3 * np.arange(start.size)
        begin = np.where(exchange, own, own + 1)
        end = np.where(exchange, own + 2, np.where(drop, own + 1, own + 3))
        return replaced(texts, start, stop, source, begin, end)
