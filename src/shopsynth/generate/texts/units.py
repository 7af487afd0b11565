"""units: a size is written in another unit with the same value, ``1.5L`` as ``1500ml``.

In: texts. Out: the same with sizes rewritten; nothing else changes. Not for converting between
systems of units: an inch is no exact number of millimetres a shop would write.
"""

from itertools import accumulate
from typing import ClassVar

import numpy as np

from shopsynth.generate.texts._pieces import Pieces, replaced
from shopsynth.generate.texts._sizes import rewritten
from shopsynth.generate.texts.base import Keeps, register
from shopsynth.schema import Settings
from shopsynth.text.characters import DIGIT, Characters


class UnitsOptions(Settings):
    """``units`` has no options."""


@register("units")
class Units:
    """Rewrite every size that can be, in one way by chance."""

    Options: ClassVar[type[Settings]] = UnitsOptions
    keeps: ClassVar[Keeps] = "value"

    def __init__(self, options: UnitsOptions) -> None:
        self.options = options

    def edit(self, pieces: Pieces, random: np.random.Generator) -> Characters:
        """Alter each text that has a size."""
        spans = pieces.spans
        able = np.flatnonzero(pieces.texts.any_of(spans.start, spans.stop) & DIGIT)
        start, stop = spans.start[able], spans.stop[able]
        ways = [rewritten(size) for size in pieces.texts.cut(start, stop)]
        counts = np.fromiter(map(len, ways), np.int64, len(ways))
        some = np.flatnonzero(counts)
        choice = (random.random(some.size) * counts[some]).astype(np.int64)
        chosen = [ways[place][way] for place, way in zip(some.tolist(), choice, strict=True)]
        source = np.frombuffer("".join(chosen).encode("utf-32-le"), np.uint32)
        ends = np.fromiter(accumulate(map(len, chosen)), np.int64, len(chosen))
        begins = np.concatenate(([0], ends[:-1])) if ends.size else ends
        return replaced(pieces.texts, start[some], stop[some], source, begins, ends)
