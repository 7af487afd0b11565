"""The arm ``real``: what the shop has today.

In: real rows. Out: the same rows, weight 1.
"""

from typing import ClassVar

from shopsynth.combine.alignment import real_rows, training_set
from shopsynth.combine.base import Material, register
from shopsynth.schema import TrainingSet


@register("real")
class Real:
    """Real rows alone; every claim of uplift is made against this arm."""

    compute_of: ClassVar[str | None] = None
    fuses: ClassVar[str | None] = None
    generated: ClassVar[bool] = False

    def build(self, material: Material, *, seed: int) -> TrainingSet:
        """Take the real rows; nothing is drawn."""
        return training_set(material, "real", [real_rows(material)])
