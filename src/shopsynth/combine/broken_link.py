"""The control ``broken_link``: the dose with its pairings destroyed: who and what, text and class.

In: real and synthetic rows. Out: real rows, and synthetic rows whose items or texts changed places.
"""

from typing import ClassVar

import numpy as np
import polars as pl

from shopsynth.combine.alignment import real_rows, synthetic_rows, training_set
from shopsynth.combine.base import Material, register
from shopsynth.schema import TrainingSet, derived_seed

_LINKED = {"events": ("item_id",), "judgments": ("item_id",), "reviews": ("title", "text")}
"""What is permuted: an event's item, a query's item, what a review says."""


@register("broken_link")
class BrokenLink:
    """Answers "only the marginals help".

    Items are permuted over all rows of the dose: every item stays as popular, every user as
    active, every time as it was, and nothing tells any more which items go together, or which
    answers a query. Of reviews the texts are permuted: no text tells its class any more.
    """

    compute_of: ClassVar[str | None] = None
    fuses: ClassVar[str | None] = None
    generated: ClassVar[bool] = True

    def build(self, material: Material, *, seed: int) -> TrainingSet:
        """Take the real rows and the permuted dose; the permutation is drawn."""
        dose = synthetic_rows(material)
        generator = np.random.Generator(np.random.PCG64(derived_seed(seed, "broken_link")))
        order = generator.permutation(dose.height)
        moved = [name for name in _LINKED[material.table] if name in dose.columns]
        broken = dose.with_columns(
            *(dose[name][order] for name in moved), pl.lit("broken_link").alias("origin")
        )
        return training_set(material, "broken_link", [real_rows(material), broken])
