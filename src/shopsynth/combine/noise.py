"""The control ``noise``: real rows and as many rows of plain noise as ``combined`` has synthetic.

In: real, synthetic and noise rows. Out: real and noise rows, noise weighted.
"""

from typing import ClassVar

from shopsynth.combine.alignment import control_rows, real_rows, synthetic_rows, training_set
from shopsynth.combine.base import Material, register
from shopsynth.combine.dose import take_dose
from shopsynth.schema import InputError, TrainingSet


@register("noise")
class Noise:
    """Answers "any noise helps".

    Histories are cropped, masked, reordered, inserted into at random; texts have words swapped,
    left out, misspelt.
    """

    compute_of: ClassVar[str | None] = None
    fuses: ClassVar[str | None] = None
    generated: ClassVar[bool] = True

    def build(self, material: Material, *, seed: int) -> TrainingSet:
        """Take the real rows and noise rows of the dose's size; nothing is drawn.

        Raises:
            InputError: If the material holds no noise.
        """
        if material.noise is None:
            raise InputError(
                "combine: the control noise needs noise rows, got none; generate them or take "
                "noise out of [evaluate] controls"
            )
        dose = synthetic_rows(material)
        rows = take_dose([material.noise], dose.height, material.table)
        made = control_rows(material, rows, "noise", dose)
        return training_set(material, "noise", [real_rows(material), made])
