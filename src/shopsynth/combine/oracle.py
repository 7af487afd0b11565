"""The ceiling ``oracle``: real rows and as many more real rows as the dose has synthetic ones.

In: real and synthetic rows, the reserve. Out: real rows and rows of the reserve, all of weight 1.
"""

from typing import ClassVar

import numpy as np
import polars as pl

from shopsynth.combine.alignment import extra_rows, real_rows, synthetic_rows, training_set
from shopsynth.combine.base import Material, register
from shopsynth.schema import Dataset, InputError, TrainingSet, derived_seed

RESERVE = "reserve"
"""The ``origin`` of rows of the reserve."""


@register("oracle")
class Oracle:
    """Answers "what would as much real data have brought": no control, but the ceiling.

    Whole users of the reserve are added. Where it has fewer events than the dose all are taken;
    the rows of origin ``reserve`` say how many those are, and the ceiling is then a low one.
    """

    compute_of: ClassVar[str | None] = None
    fuses: ClassVar[str | None] = None
    generated: ClassVar[bool] = True

    def build(self, material: Material, *, seed: int) -> TrainingSet:
        """Take the real rows and users of the reserve; which users is drawn.

        Raises:
            InputError: If there is no reserve.
        """
        wanted = synthetic_rows(material).height
        if material.reserve is None or material.reserve.need(material.table).is_empty():
            raise InputError(
                f"combine: the arm oracle adds real rows of users that nobody learned from, "
                f"expected {wanted} events of such users, got none; set train_users and "
                "asked_users under [split] so that they add up to less than 1, or leave oracle out"
            )
        rows = extra_rows(material, _take_users(material.reserve, wanted, seed), RESERVE)
        return training_set(material, "oracle", [real_rows(material), rows])


def _take_users(reserve: Dataset, n_events: int, seed: int) -> pl.DataFrame:
    """Take whole users in a drawn order until their events reach a number; columns as ``events``.

    Draws nest: with the same seed a larger number takes all users of a smaller one.
    """
    events = reserve.ordered_events()
    users = events.group_by("user_id", maintain_order=True).agg(pl.len().alias("n"))
    generator = np.random.Generator(np.random.PCG64(derived_seed(seed, "oracle")))
    drawn = users[generator.permutation(users.height)]
    taken = drawn.filter(pl.col("n").cum_sum() - pl.col("n") < n_events)
    return events.join(taken, on="user_id", how="semi", maintain_order="left")
