"""pinyin: a Chinese character becomes one that sounds alike, or its reading in letters.

In: texts. Out: the same with the slips of people who type by sound, as in queries. Not for
texts nobody types by sound, and Chinese in traditional characters, of which few are common here.
"""

from typing import ClassVar, Literal

import numpy as np
from pydantic import Field

from shopsynth.generate.texts._pieces import Pieces, picked, replaced
from shopsynth.generate.texts._pinyin import FIRST, LAST, need_pypinyin, sounds
from shopsynth.generate.texts.base import Keeps, register
from shopsynth.schema import Settings
from shopsynth.text.characters import EXTEND, HAN, Characters


class PinyinOptions(Settings):
    """Options of ``pinyin``."""

    share: float = Field(default=0.1, gt=0, le=1)
    """Chance of each free Chinese character; at least one a text."""

    write: Literal["homophone", "letters"] = "homophone"
    """What is written instead: another common character that sounds alike, or the letters typed."""

    fuzzy: bool = False
    """Whether zh, ch, sh sound like z, c, s and final ng like n, as many speakers have it."""


@register("pinyin")
class Pinyin:
    """Replace characters by their sound.

    Source: Zheng, Li and Sun 2011, CHIME: most slips in typed Chinese are of like sound.
    """

    Options: ClassVar[type[Settings]] = PinyinOptions
    keeps: ClassVar[Keeps] = "in_place"

    def __init__(self, options: PinyinOptions) -> None:
        self.options = options
        need_pypinyin()

    def edit(self, pieces: Pieces, random: np.random.Generator) -> Characters:
        """Alter each text that has a common Chinese character."""
        texts, table = pieces.texts, sounds(self.options.fuzzy)
        free = np.flatnonzero(((texts.flags & HAN) != 0) & ~pieces.protected)
        free = free[(texts.flags[free + 1] & EXTEND) == 0]
        free = free[(texts.codes[free] >= FIRST) & (texts.codes[free] <= LAST)]
        character = texts.codes[free].astype(np.int64) - FIRST
        lettered = self.options.write == "letters"
        able = table.count[character] > (0 if lettered else 1)
        free, character = free[able], character[able]
        chosen = picked(texts.text_of(free), texts.n_texts, self.options.share, random)
        start, character = free[chosen], character[chosen]
        if lettered:
            begin, end = table.start[character], table.start[character + 1]
            return replaced(texts, start, start + 1, table.letters, begin, end)
        others = table.count[character] - 1
        step = 1 + (random.random(start.size) * others).astype(np.int64)
        other = (table.place[character] + step) % table.count[character]
        begin = table.first[character] + other
        return replaced(texts, start, start + 1, table.alike, begin, begin + 1)
