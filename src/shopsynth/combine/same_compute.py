"""The control ``same_compute``: real rows, trained as long as ``combined``.

In: real rows. Out: the same rows, weight 1, and the name of the arm whose steps to take.
"""

from typing import ClassVar

from shopsynth.combine.alignment import real_rows, training_set
from shopsynth.combine.base import Material, register
from shopsynth.schema import TrainingSet


@register("same_compute")
class SameCompute:
    """Answers "you only trained longer" (PROOF §1, fact 4)."""

    compute_of: ClassVar[str | None] = "combined"
    fuses: ClassVar[str | None] = None
    generated: ClassVar[bool] = False

    def build(self, material: Material, *, seed: int) -> TrainingSet:
        """Take the real rows; nothing is drawn."""
        return training_set(material, "same_compute", [real_rows(material)])
