"""contextual_insert: a text gets words that a masked language model expects between two others.

In: texts. Out: longer ones; protected spans stay, and nothing that would be protected comes in.
Not for texts whose every word is a fact about one item: what comes in may not be true of it.
"""

from typing import ClassVar

import numpy as np
import polars as pl

from shopsynth.generate.texts._mask_filler import Gap, MaskFiller
from shopsynth.generate.texts._pieces import Pieces, picked, replaced_by
from shopsynth.generate.texts.base import Keeps, register
from shopsynth.generate.texts.masked_lm import SEEN, MaskedLmOptions, fill_gaps
from shopsynth.schema import Settings
from shopsynth.text.characters import HAN, Characters
from shopsynth.text.words import spell_alike

_CHINESE_WORD = 2
"""Characters of a Chinese word put in: most words have two."""


class ContextualInsertOptions(MaskedLmOptions):
    """Options of ``contextual_insert``."""


@register("contextual_insert")
class ContextualInsert:
    """Put in words by draws from what a masked language model expects there.

    Source: Garg and Ramakrishnan, BAE, EMNLP 2020 (insert); Kumar, Choudhary and Cho, 2020.
    """

    Options: ClassVar[type[Settings]] = ContextualInsertOptions
    keeps: ClassVar[Keeps] = "in_place"

    def __init__(self, options: ContextualInsertOptions) -> None:
        self.options = options
        self._filler = MaskFiller(
            options.model,
            device=options.device,
            threads=options.threads,
            batch=options.batch,
            top=options.top,
            where="augment_text.contextual_insert",
        )

    def edit(self, pieces: Pieces, random: np.random.Generator) -> Characters:
        """Alter each text that has a free unit behind which the model has a word."""
        texts, units = pieces.texts, pieces.units
        able = units.free & (units.stop - texts.offsets[units.text] <= SEEN)
        free = np.flatnonzero(able)
        chosen = free[picked(units.text[free], texts.n_texts, self.options.share, random)]
        place, text = units.stop[chosen], units.text[chosen]
        chinese = (texts.flags[np.maximum(place - 1, 0)] & HAN) != 0
        rows, number = np.unique(text, return_inverse=True)
        closes = np.minimum(texts.offsets[rows + 1] - 1, texts.offsets[rows] + SEEN)
        # Words and Chinese characters that the text has say nothing more there.
        shown = spell_alike(pl.Series(texts.cut(texts.offsets[rows], closes), dtype=pl.String))
        there = [frozenset(words.split(" ")) | frozenset(words) for words in shown]
        gaps = [
            [Gap(bool(han), there[n])] * (_CHINESE_WORD if han else 1)
            for n, han in zip(number.tolist(), chinese.tolist(), strict=True)
        ]
        filled = fill_gaps(self._filler, texts, place, place, text, gaps, random)
        come = [
            ("" if han else " ") + "".join(parts) if all(parts) else ""
            for parts, han in zip(filled, chinese.tolist(), strict=True)
        ]
        return replaced_by(texts, place, place, come)
