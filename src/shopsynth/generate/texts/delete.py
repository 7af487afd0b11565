"""delete: a text loses some of its words.

In: texts. Out: shorter ones; protected spans stay. Not for texts of one or two words, whose
meaning goes with a word; see :mod:`shopsynth.generate.texts.label_filter`.
"""

from typing import ClassVar

import numpy as np
from pydantic import Field

from shopsynth.generate.texts._pieces import Pieces, picked, replaced
from shopsynth.generate.texts.base import Keeps, register
from shopsynth.schema import Settings
from shopsynth.text.characters import HAN, SPACE, Characters

_LONGEST = 4
"""Chinese characters of a unit that may go: longer runs are phrases, and hold what the text is."""


class DeleteOptions(Settings):
    """Options of ``delete``."""

    share: float = Field(default=0.1, gt=0, lt=1)
    """Chance of each free unit to go; at least one goes, and one unit always stays."""


@register("delete")
class Delete:
    """Take units out, each with one space beside it.

    Source: Wei and Zou 2019, EDA, random deletion, with ``share`` as their alpha.
    """

    Options: ClassVar[type[Settings]] = DeleteOptions
    keeps: ClassVar[Keeps] = "in_place"

    def __init__(self, options: DeleteOptions) -> None:
        self.options = options

    def edit(self, pieces: Pieces, random: np.random.Generator) -> Characters:
        """Alter each text that has two units, one of them free."""
        texts, units = pieces.texts, pieces.units
        flags = texts.flags
        counts = np.bincount(units.text, minlength=texts.n_texts)
        phrase = ((flags[units.start] & HAN) != 0) & (units.stop - units.start > _LONGEST)
        able = np.flatnonzero(units.free & ~phrase & (counts[units.text] > 1))
        gone = able[picked(units.text[able], texts.n_texts, self.options.share, random)]
        all_gone = np.bincount(units.text[gone], minlength=texts.n_texts) == counts
        text = units.text[gone]
        gone = gone[
            ~(all_gone[text] & np.concatenate(([True], text[1:] != text[:-1]))[: text.size])
        ]
        start, stop = units.start[gone], units.stop[gone]
        last = stop == texts.offsets[units.text[gone] + 1] - 1
        before = (flags[np.maximum(start - 1, 0)] & SPACE) != 0
        opens = start == texts.offsets[units.text[gone]]
        # One space goes with the unit: the one behind it, or at a text's end the one before it.
        stop = stop + (~last & ((flags[stop] & SPACE) != 0) & (before | opens))
        start = start - (last & before & ~opens)
        start[1:] = np.maximum(start[1:], stop[:-1])
        none = np.zeros_like(start)
        return replaced(texts, start, stop, texts.codes[:0], none, none)
