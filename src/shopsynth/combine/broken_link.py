"""The control ``broken_link``: the dose with its pairings of users and items destroyed.

In: real and synthetic rows. Out: real rows, and synthetic rows whose items changed places.
"""

from typing import ClassVar

import numpy as np
import polars as pl

from shopsynth.combine.alignment import real_rows, synthetic_rows, training_set
from shopsynth.combine.base import Material, register
from shopsynth.schema import TrainingSet, derived_seed


@register("broken_link")
class BrokenLink:
    """Answers "only the marginals help".

    Items are permuted over all events of the dose: every item stays as popular, every user as
    active, every time as it was, and nothing tells any more which items go together.
    """

    compute_of: ClassVar[str | None] = None
    fuses: ClassVar[str | None] = None
    generated: ClassVar[bool] = True

    def build(self, material: Material, *, seed: int) -> TrainingSet:
        """Take the real rows and the permuted dose; the permutation is drawn."""
        dose = synthetic_rows(material)
        generator = np.random.Generator(np.random.PCG64(derived_seed(seed, "broken_link")))
        broken = dose.with_columns(
            dose["item_id"][generator.permutation(dose.height)],
            pl.lit("broken_link").alias("origin"),
        )
        return training_set(material, "broken_link", [real_rows(material), broken])
