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
from shopsynth.text.characters import Characters, Hashes, Mask

_MIX = np.uint64(0x9E3779B97F4A7C15)
_TRIES = 4


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
        # Words that go on, by category and key: what follows one of them is what may come in.
        leading = np.flatnonzero(follows)
        leading = leading[np.argsort(category[leading], kind="stable")]
        known = category[leading]
        own = np.sort(keys ^ (text.astype(np.uint64) * _MIX))
        here = picked(text, texts.n_texts, self.options.share, random)
        low = np.searchsorted(known, category[here])
        counts = np.searchsorted(known, category[here], side="right") - low
        model = np.full(here.size, -1, np.int64)
        for _ in range(_TRIES):
            open_ = np.flatnonzero((model < 0) & (counts > 0))
            drawn = low[open_] + (random.random(open_.size) * counts[open_]).astype(np.int64)
            drawn = leading[drawn]
            asked = keys[drawn + 1] ^ (text[here[open_]].astype(np.uint64) * _MIX)
            new = ~_among(asked, own)
            model[open_[new]] = drawn[new]
        able = model >= 0
        place, source = units.stop[free[here[able]]], free[model[able]]
        return replaced(
            texts, place, place, texts.codes, units.stop[source], units.stop[source + 1]
        )


def _among(keys: Hashes, known: Hashes) -> Mask:
    """Tell which keys are among the known ones, which rise."""
    place = np.minimum(np.searchsorted(known, keys), max(known.size - 1, 0))
    return np.asarray(known[place] == keys) if known.size else np.zeros(keys.size, np.bool_)
