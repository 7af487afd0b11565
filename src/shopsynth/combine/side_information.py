"""The control ``side_information``: real rows, and what is known about items used directly.

In: real rows. Out: the same rows, weight 1, and the name of the arm whose models are fused.
"""

from typing import ClassVar

from shopsynth.combine.alignment import real_rows, training_set
from shopsynth.combine.base import Material, register
from shopsynth.schema import TrainingSet


@register("side_information")
class SideInformation:
    """Answers "no synthesis is needed" (PROOF §1, fact 10).

    The rows are those of ``real``. What differs is the model: the one fitted on ``real``, fused
    with the task's model of texts, attributes or relations, the weight chosen on validation.
    Synthetic rows must match this; only beating it is told as beyond side information.
    """

    compute_of: ClassVar[str | None] = None
    fuses: ClassVar[str | None] = "real"
    generated: ClassVar[bool] = False

    def build(self, material: Material, *, seed: int) -> TrainingSet:
        """Take the real rows; nothing is drawn."""
        return training_set(material, "side_information", [real_rows(material)])
