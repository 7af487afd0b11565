"""insert: a text gets a word that follows one of its words in another text of its category.

In: texts, and their categories where given. Out: longer ones; protected spans stay, and nothing
that would be protected comes in. Not for texts whose every word is a fact about one item.
"""

from typing import ClassVar

import numpy as np
from pydantic import Field

from shopsynth.generate.texts._pieces import Pieces, picked, replaced
from shopsynth.generate.texts.base import Keeps, register
from shopsynth.schema import Settings
from shopsynth.text.characters import Characters, Hashes, Integers

_MIX = np.uint64(0x9E3779B97F4A7C15)
_TRIES = 6
_BITS = 20


class InsertOptions(Settings):
    """Options of ``insert``."""

    share: float = Field(default=0.1, gt=0, le=1)
    """Chance of each free word to be followed by one more; at least one try a text."""


@register("insert")
class Insert:
    """Insert words where they stand in other texts of the category: a chain of one step."""

    Options: ClassVar[type[Settings]] = InsertOptions
    keeps: ClassVar[Keeps] = "in_place"

    def __init__(self, options: InsertOptions) -> None:
        self.options = options

    def edit(self, pieces: Pieces, random: np.random.Generator) -> Characters:
        """Alter each text that shares a word with another one, where that goes on otherwise."""
        texts, units = pieces.texts, pieces.units
        free = np.flatnonzero(units.free)
        text = units.text[free]
        keys = texts.keys_of(units.start[free], units.stop[free])
        category = keys + pieces.group[text].astype(np.uint64) * _MIX
        follows = np.zeros(free.size, np.bool_)
        follows[:-1] = (free[1:] == free[:-1] + 1) & (text[1:] == text[:-1])
        # Words that go on, by some bits of category and key: sorted in one pass over them, where
        # whole keys would take ten. What follows one of them is what may come in.
        leading = np.flatnonzero(follows)
        bucket = (category >> np.uint64(48)).astype(np.uint16)
        leading = leading[np.argsort(bucket[leading], kind="stable")]
        counts = np.bincount(bucket[leading], minlength=1 << 16)
        low = np.cumsum(counts) - counts
        present = np.zeros(1 << _BITS, np.bool_)
        present[_place(keys, text)] = True
        here = picked(text, texts.n_texts, self.options.share, random)
        low, counts = low[bucket[here]], counts[bucket[here]]
        model = np.full(here.size, -1, np.int64)
        for _ in range(_TRIES):
            open_ = np.flatnonzero((model < 0) & (counts > 0))
            drawn = low[open_] + (random.random(open_.size) * counts[open_]).astype(np.int64)
            drawn = leading[drawn]
            fits = category[drawn] == category[here[open_]]
            # A word the text has says nothing more there.
            fits &= ~present[_place(keys[drawn + 1], text[here[open_]])]
            model[open_[fits]] = drawn[fits]
        able = model >= 0
        place, source = units.stop[free[here[able]]], free[model[able]]
        return replaced(
            texts, place, place, texts.codes, units.stop[source], units.stop[source + 1]
        )


def _place(keys: Hashes, text: Integers) -> Hashes:
    """Return a bit for each word of each text; by chance one in twelve shares that of another."""
    mixed = (keys ^ (text.astype(np.uint64) * _MIX)) * _MIX
    return np.asarray(mixed >> np.uint64(64 - _BITS))
