"""swap: units of a text change places.

In: texts. Out: the same words in another order; protected spans stay where they are. Not for
texts whose order is their meaning, such as directions and dialogue.
"""

from typing import ClassVar

import numpy as np
from pydantic import Field

from shopsynth.generate.texts._pieces import Pieces, replaced
from shopsynth.generate.texts.base import Keeps, register
from shopsynth.schema import Settings
from shopsynth.text.characters import Characters


class SwapOptions(Settings):
    """Options of ``swap``."""

    share: float = Field(default=0.1, gt=0, le=1)
    """Share of a text's free units that change places, at least one pair."""


@register("swap")
class Swap:
    """Exchange two units, again and again.

    Source: Wei and Zou 2019, EDA, random swap, with ``share`` as their alpha.
    """

    Options: ClassVar[type[Settings]] = SwapOptions
    keeps: ClassVar[Keeps] = "in_place"

    def __init__(self, options: SwapOptions) -> None:
        self.options = options

    def edit(self, pieces: Pieces, random: np.random.Generator) -> Characters:
        """Alter each text that has two free units."""
        units = pieces.units
        free = np.flatnonzero(units.free)
        counts = np.bincount(units.text[free], minlength=pieces.texts.n_texts)
        first = np.cumsum(counts) - counts
        rounds = np.where(counts > 1, np.maximum(1, counts * self.options.share / 2), 0)
        rounds = rounds.astype(np.int64)
        order = free.copy()
        active = np.flatnonzero(rounds)
        for done in range(int(rounds.max(initial=0))):
            active = active[rounds[active] > done]
            chance = random.random((2, active.size))
            here = (chance[0] * counts[active]).astype(np.int64)
            step = 1 + (chance[1] * (counts[active] - 1)).astype(np.int64)
            there = first[active] + (here + step) % counts[active]
            here += first[active]
            order[here], order[there] = order[there], order[here]
        moved = order != free
        old, new = free[moved], order[moved]
        return replaced(
            pieces.texts, units.start[old], units.stop[old],
            pieces.texts.codes, units.start[new], units.stop[new],
        )  # fmt: skip
