"""masked_lm: words become what a masked language model expects in their place.

In: texts. Out: the same with some words replaced; protected spans are seen by the model and never
masked. Not for words that are facts: a model expects `red` where `blue` stands; give such
attributes in the record, which protects them, and use `label_filter`.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import ClassVar

import numpy as np
from pydantic import Field

from shopsynth.generate.texts._mask_filler import GAP, Gap, MaskFiller
from shopsynth.generate.texts._pieces import Pieces, as_written, picked, replaced_by
from shopsynth.generate.texts._terms import Lexicon, learn_words, terms_of
from shopsynth.generate.texts.base import Keeps, register
from shopsynth.schema import Settings
from shopsynth.text.characters import Characters, Integers

SEEN = 1_000
"""Characters of a text that are looked at: models see some 500 pieces of words."""


class MaskedLmOptions(Settings):
    """Options of ``masked_lm``."""

    share: float = Field(default=0.1, gt=0, le=1)
    """Chance of each free word to be replaced, or followed by another; at least one a text."""

    model: str = "splade-tiny"
    """Folder of a masked language model. The one a package ships knows English and is small: its
    mask filling is poor; give your own."""

    top: int = Field(default=10, ge=1)
    """Words drawn from, by their chance: the likeliest ones."""

    batch: int = Field(default=64, ge=1)
    """Texts at once."""

    device: str = "cpu"
    """Where torch computes: ``cpu``, ``cuda``, ``mps``."""

    threads: int = Field(default=1, ge=0)
    """Threads of a processor; 0 for as many as torch takes."""


@register("masked_lm")
class MaskedLm:
    """Replace words by draws from what a masked language model expects there.

    Source: Wu et al., Conditional BERT contextual augmentation, ICCS 2019; Garg and Ramakrishnan,
        BAE, EMNLP 2020 (replace).
    """

    Options: ClassVar[type[Settings]] = MaskedLmOptions
    keeps: ClassVar[Keeps] = "in_place"

    def __init__(self, options: MaskedLmOptions) -> None:
        self.options = options
        self._filler = MaskFiller(
            options.model,
            device=options.device,
            threads=options.threads,
            batch=options.batch,
            top=options.top,
            where="augment_text.masked_lm",
        )
        self.lexicon_: Lexicon = ()

    def learn(self, blocks: Sequence[Pieces]) -> None:
        """Learn what the Chinese words are, so that whole ones are masked."""
        self.lexicon_ = learn_words(blocks)

    def edit(self, pieces: Pieces, random: np.random.Generator) -> Characters:
        """Alter each text that has a free word for which the model has another one."""
        texts, terms = pieces.texts, terms_of(pieces, self.lexicon_)
        seen = np.flatnonzero(terms.stop - texts.offsets[terms.text] <= SEEN)
        chosen = seen[picked(terms.text[seen], texts.n_texts, self.options.share, random)]
        start, stop, text = terms.start[chosen], terms.stop[chosen], terms.text[chosen]
        words = texts.cut(start, stop)
        # A Chinese word is masked character by character.
        sizes = np.where(terms.chinese[chosen], stop - start, 1)
        gaps = [
            [Gap(bool(chinese), frozenset(word.lower() if chinese else [word.lower()]))] * size
            for word, chinese, size in zip(words, terms.chinese[chosen], sizes, strict=True)
        ]
        filled = fill_gaps(self._filler, texts, start, stop, text, gaps, random)
        others = [
            as_written(word, "".join(parts)) if all(parts) else word
            for word, parts in zip(words, filled, strict=True)
        ]
        return replaced_by(texts, start, stop, others)


def fill_gaps(
    filler: MaskFiller,
    texts: Characters,
    start: Integers,
    stop: Integers,
    text: Integers,
    gaps: Sequence[Sequence[Gap]],
    random: np.random.Generator,
) -> list[list[str]]:
    """Fill stretches of texts.

    Args:
        filler: The model.
        texts: The texts; so many characters of each as :data:`SEEN` says are shown to the model.
        start: ``(n,)`` first character of each stretch, rising.
        stop: ``(n,)`` the one behind its last.
        text: ``(n,)`` its text.
        gaps: ``(n,)`` the gaps that take each stretch's place.
        random: Chance.

    Returns:
        ``(n,)`` lists of one word a gap; empty for a gap that stays open.
    """
    rows, first = np.unique(text, return_index=True)
    ends = np.append(first, text.size)[1:]
    shown, wanted = [], []
    for row, begin, end in zip(rows.tolist(), first.tolist(), ends.tolist(), strict=True):
        opens = int(texts.offsets[row])
        closes = min(int(texts.offsets[row + 1]) - 1, opens + SEEN)
        before = np.concatenate(([opens], stop[begin:end]))
        behind = np.concatenate((start[begin:end], [max(closes, int(stop[end - 1]))]))
        kept = [part.replace(GAP, " ") for part in texts.cut(before, behind)]
        holes = [GAP * len(gaps[n]) for n in range(begin, end)] + [""]
        shown.append("".join(part + hole for part, hole in zip(kept, holes, strict=True)))
        wanted.append([gap for n in range(begin, end) for gap in gaps[n]])
    filled = [word for words in filler.fill(shown, wanted, random) for word in words]
    bounds = np.cumsum([0] + [len(each) for each in gaps]).tolist()
    return [filled[begin:end] for begin, end in pairwise(bounds)]
