"""The arm ``combined``: real rows and a dose of synthetic rows. The claim under test.

In: real and synthetic rows. Out: both, synthetic ones weighted.
"""

from typing import ClassVar

from shopsynth.combine.alignment import real_rows, synthetic_rows, training_set
from shopsynth.combine.base import Material, register
from shopsynth.schema import TrainingSet


@register("combined")
class Combined:
    """Real rows D and a dose D′ of synthetic users."""

    compute_of: ClassVar[str | None] = None
    fuses: ClassVar[str | None] = None
    generated: ClassVar[bool] = True

    def build(self, material: Material, *, seed: int) -> TrainingSet:
        """Take the real rows and ``ratio`` times as many synthetic events; nothing is drawn."""
        return training_set(material, "combined", [real_rows(material), synthetic_rows(material)])
