"""The ceiling ``oracle``: real rows and as many more real rows as the dose has synthetic ones.

In: real and synthetic rows, the reserve. Out: real rows and rows of the reserve, all of weight 1.
"""

from typing import ClassVar

import numpy as np
import polars as pl

from shopsynth.combine.alignment import extra_rows, real_rows, synthetic_rows, training_set
from shopsynth.combine.base import Material, register
from shopsynth.combine.dose import owned_rows
from shopsynth.schema import Dataset, InputError, TrainingSet, derived_seed

RESERVE = "reserve"
"""The ``origin`` of rows of the reserve."""


@register("oracle")
class Oracle:
    """Answers "what would as much real data have brought": no control, but the ceiling.

    Whole users, queries or reviews of the reserve are added. Where it has fewer rows than the dose
    all are taken; those of origin ``reserve`` say how many, and the ceiling is then a low one.
    """

    compute_of: ClassVar[str | None] = None
    fuses: ClassVar[str | None] = None
    generated: ClassVar[bool] = True

    def build(self, material: Material, *, seed: int) -> TrainingSet:
        """Take the real rows and owners of the reserve; which ones is drawn.

        Raises:
            InputError: If there is no reserve.
        """
        wanted = synthetic_rows(material).height
        if material.reserve is None or material.reserve.need(material.table).is_empty():
            raise InputError(
                f"combine: the arm oracle adds real rows that nobody learned from, expected "
                f"{wanted} rows of {material.table}, got none; leave some under [split], by "
                "train_users and asked_users or by train_labels, or leave oracle out"
            )
        rows = extra_rows(material, _take_owners(material, material.reserve, wanted, seed), RESERVE)
        return training_set(material, "oracle", [real_rows(material), rows])


def _take_owners(material: Material, reserve: Dataset, n_rows: int, seed: int) -> pl.DataFrame:
    """Take whole owners in a drawn order until their rows reach a number; columns as in the table.

    Draws nest: with the same seed a larger number takes all owners of a smaller one.
    """
    owner = material.owner
    rows = owned_rows(reserve, material.table)
    owners = rows.group_by(owner, maintain_order=True).agg(pl.len().alias("n"))
    generator = np.random.Generator(np.random.PCG64(derived_seed(seed, "oracle")))
    drawn = owners[generator.permutation(owners.height)]
    taken = drawn.filter(pl.col("n").cum_sum() - pl.col("n") < n_rows)
    return rows.join(taken, on=owner, how="semi", maintain_order="left")
