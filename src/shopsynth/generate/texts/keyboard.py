"""keyboard: a letter becomes its neighbour on the keyboard.

In: texts. Out: the same with slips of the finger, as in typed queries. Not for texts that nobody
types, such as a shop's own titles in a catalogue that is edited with care.
"""

from functools import lru_cache
from typing import ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from shopsynth.generate.texts._pieces import Pieces, replaced
from shopsynth.generate.texts._typos import mistyped
from shopsynth.generate.texts.base import Keeps, register
from shopsynth.schema import Settings
from shopsynth.text.characters import Characters

_ROWS = {
    "us": ("qwertyuiop", "asdfghjkl", "zxcvbnm"),
    "de": ("qwertzuiopü", "asdfghjklöä", "yxcvbnm"),
    "fr": ("azertyuiop", "qsdfghjklm", "wxcvbn"),
    "es": ("qwertyuiop", "asdfghjklñ", "zxcvbnm"),
    "ru": ("йцукенгшщзхъ", "фывапролджэ", "ячсмитьбю"),
}
_SHIFT = (0.0, 0.25, 0.75)
"""Where the rows begin, in keys, on the staggered keyboards of ISO/IEC 9995."""

_REACH = 1.3
"""Keys between a letter and its neighbours: the six around it, not those two away."""


class KeyboardOptions(Settings):
    """Options of ``keyboard``."""

    share: float = Field(default=0.1, gt=0, le=1)
    """Chance of each word of four letters and more to get a slip; at least one a text."""

    layout: Literal["us", "de", "fr", "es", "ru"] = "us"
    """Whose keyboard; letters that are not on it stay."""


@register("keyboard")
class Keyboard:
    """Replace one letter of some words by one beside it."""

    Options: ClassVar[type[Settings]] = KeyboardOptions
    keeps: ClassVar[Keeps] = "in_place"

    def __init__(self, options: KeyboardOptions) -> None:
        self.options = options

    def edit(self, pieces: Pieces, random: np.random.Generator) -> Characters:
        """Alter each text that has a word of four letters."""
        neighbours, counts = _neighbours(self.options.layout)
        places = mistyped(pieces, self.options.share, random)
        codes = np.minimum(pieces.texts.codes[places], counts.size - 1)
        choice = (random.random(places.size) * counts[codes]).astype(np.int64)
        able = np.flatnonzero(counts[codes])
        typed = neighbours[codes[able], choice[able]]
        one = np.arange(able.size)
        start = places[able]
        return replaced(pieces.texts, start, start + 1, typed, one, one + 1)


@lru_cache(maxsize=8)
def _neighbours(layout: str) -> tuple[NDArray[np.uint32], NDArray[np.int64]]:
    """Return the letters beside each letter, small and capital, and how many there are."""
    rows = _ROWS[layout]
    keys = {
        letter: (place + _SHIFT[row], row)
        for row, letters in enumerate(rows)
        for place, letter in enumerate(letters)
    }
    size = max(map(ord, keys)) + 2
    near = np.zeros((size, 8), np.uint32)
    counts = np.zeros(size, np.int64)
    for letter, (x, y) in keys.items():
        beside = [
            other
            for other, (u, v) in keys.items()
            if other != letter and abs(x - u) <= _REACH and abs(y - v) <= 1
        ][:8]
        for form, others in ((letter, beside), (letter.upper(), [o.upper() for o in beside])):
            near[ord(form), : len(others)] = [ord(other) for other in others]
            counts[ord(form)] = len(others)
    return near, counts
