"""Where people mistype: one letter of some words.

In: texts. Out: places of letters that may be replaced, dropped or doubled without breaking a
character in two.
"""

import numpy as np

from shopsynth.generate.texts._pieces import Pieces, picked
from shopsynth.text.characters import DIGIT, EXTEND, HAN, LETTER, Integers

_SHORTEST = 4
"""Letters of a word that is mistyped: a shorter one with a wrong letter is another word."""


def mistyped(pieces: Pieces, share: float, random: np.random.Generator) -> Integers:
    """Choose words and in each one letter, not the first: that one is seldom wrong.

    Args:
        pieces: Texts.
        share: Chance of each free word of four letters and more; at least one a text.
        random: Chance.

    Returns:
        Places of letters, rising; one that carries an accent of its own is left alone.

    Source: Yannakoudakis and Fawthrop 1983: misspelt words are rarely wrong in the first letter.
    """
    texts = pieces.texts
    words = texts.words
    free = pieces.free_words
    letters = (words.flags[free] & (LETTER | DIGIT | HAN | EXTEND)) == LETTER
    long = words.stop[free] - words.start[free] >= _SHORTEST
    able = free[letters & long]
    chosen = able[picked(words.text[able], texts.n_texts, share, random)]
    length = words.stop[chosen] - words.start[chosen]
    within = 1 + (random.random(chosen.size) * (length - 1)).astype(np.int64)
    return np.asarray(words.start[chosen] + within)
