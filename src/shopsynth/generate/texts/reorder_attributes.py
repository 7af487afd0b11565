"""reorder_attributes: what stands between commas, bars and slashes changes places.

In: texts. Out: the same attributes in another order; protected spans move whole, within their
attribute. Not for sentences, whose parts do not stand for themselves.
"""

from typing import ClassVar

import numpy as np

from shopsynth.generate.texts._pieces import Pieces, any_of, replaced
from shopsynth.generate.texts.base import Keeps, register
from shopsynth.schema import Settings
from shopsynth.text.characters import HAN, SPACE, Characters, Integers, Mask

_DELIMITERS = ",;|·•，、；｜"
_OPENS = "([{（【《「"
_CLOSES = ")]}）】》」"
_SPACED = "-–—/／"


class ReorderAttributesOptions(Settings):
    """Options of ``reorder_attributes``."""

    keep_first: bool = True
    """Whether the first attribute, mostly what the product is, stays first."""


@register("reorder_attributes")
class ReorderAttributes:
    """Shuffle the attributes of each text."""

    Options: ClassVar[type[Settings]] = ReorderAttributesOptions
    keeps: ClassVar[Keeps] = "whole"

    def __init__(self, options: ReorderAttributesOptions) -> None:
        self.options = options

    def edit(self, pieces: Pieces, random: np.random.Generator) -> Characters:
        """Alter each text with two movable attributes; one with HTML tags stays as it is."""
        texts = pieces.texts
        start, stop, text = _attributes(pieces)
        first = np.concatenate(([True], text[1:] != text[:-1]))[: text.size]
        movable = ~_tagged(pieces)[text]
        if self.options.keep_first:
            movable &= ~first
        able = np.flatnonzero(movable)
        order = able[np.lexsort((random.random(able.size), text[able]))]
        moved = order != able
        old, new = able[moved], order[moved]
        return replaced(texts, start[old], stop[old], texts.codes, start[new], stop[new])


def _attributes(pieces: Pieces) -> tuple[Integers, Integers, Integers]:
    """Return first and last place, without spaces around, and text of each attribute."""
    texts = pieces.texts
    codes, flags = texts.codes, texts.flags
    space = (flags & SPACE) != 0
    before = np.concatenate(([True], space[:-1]))
    behind = np.concatenate((space[1:], [True]))
    cuts = any_of(codes, _DELIMITERS) | (any_of(codes, _SPACED) & before & behind)
    # Chinese titles list attributes between spaces.
    chinese = (
        np.bincount(texts.text_of(np.flatnonzero((flags & HAN) != 0)), minlength=texts.n_texts) > 0
    )
    spaces = np.flatnonzero(space)
    cuts[spaces[chinese[texts.text_of(spaces)]]] = True
    cuts &= ~pieces.protected & (_depth(texts) <= 0)
    cuts[texts.offsets[1:] - 1] = True
    inside = ~cuts
    edges = np.flatnonzero(np.diff(inside, prepend=False, append=False)).reshape(-1, 2)
    # Spaces at the ends stay where they are, so that the text keeps its form.
    solid = np.flatnonzero(inside & ~space)
    low = np.searchsorted(solid, edges[:, 0])
    high = np.searchsorted(solid, edges[:, 1])
    filled = high > low
    start, stop = solid[low[filled]], solid[high[filled] - 1] + 1
    return start, stop, texts.text_of(start)


def _depth(texts: Characters) -> Integers:
    """Count the brackets open at each character, since its text began."""
    change = any_of(texts.codes, _OPENS).astype(np.int64) - any_of(texts.codes, _CLOSES)
    depth = np.cumsum(change)
    base = np.concatenate(([0], depth))[texts.offsets[:-1]]
    return np.asarray(depth - np.repeat(base, np.diff(texts.offsets)))


def _tagged(pieces: Pieces) -> Mask:
    """Tell which texts hold an HTML tag: what it opens must stay before what it closes."""
    opens = pieces.texts.codes[pieces.spans.start] == ord("<")
    text = pieces.texts.text_of(pieces.spans.start[opens])
    return np.bincount(text, minlength=pieces.texts.n_texts) > 0
