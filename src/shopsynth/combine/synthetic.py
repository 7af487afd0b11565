"""The arm ``synthetic``: the dose alone. Measures fidelity, not uplift.

In: synthetic rows. Out: the same rows, weighted.
"""

from typing import ClassVar

from shopsynth.combine.alignment import synthetic_rows, training_set
from shopsynth.combine.base import Material, register
from shopsynth.schema import TrainingSet


@register("synthetic")
class Synthetic:
    """What a model learns that has never seen a real row (PROOF §1, fact 7)."""

    compute_of: ClassVar[str | None] = None
    fuses: ClassVar[str | None] = None
    generated: ClassVar[bool] = True

    def build(self, material: Material, *, seed: int) -> TrainingSet:
        """Take the dose; nothing is drawn."""
        return training_set(material, "synthetic", [synthetic_rows(material)])
