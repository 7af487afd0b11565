"""What every arm is: a way to turn real and synthetic rows into something to train on.

In: a :class:`Material`. Out: a :class:`TrainingSet` with ``origin`` and ``weight``.

To add an arm: a file in this folder named after it, holding a class decorated with
``@register("<the file's name>")``.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar, Protocol

import polars as pl

from shopsynth.schema import OWNERS, Dataset, InputError, Registry, SyntheticDataset, TrainingSet

MIXED_TABLES = tuple(OWNERS)
"""Tables that arms can mix."""


@dataclass(frozen=True)
class Material:
    """What arms are made of.

    Attributes:
        real: The real train part, with the whole catalogue.
        synthetic: Synthetic rows that may join it, near duplicates of held-out rows gone.
        noise: Noise rows for the control ``noise``; ``None`` where that control does not run.
        ratio: Synthetic rows per real row, above 0.
        weight: Loss weight of every row that is not real, above 0; real rows weigh 1, those of
            the reserve too.
        sources: Methods whose rows weigh another share of ``weight``, and that share.
        table: The table that is mixed, one of :data:`MIXED_TABLES`.
        tail_max_events: Items with at most this many real events are tail items; as in the split.
        reserve: Real rows that only the ceiling ``oracle`` may add; ``None`` unless at low data.

    Raises:
        InputError: If ratio, weight or table cannot be used.
    """

    real: Dataset
    synthetic: tuple[SyntheticDataset, ...]
    noise: SyntheticDataset | None
    ratio: float
    weight: float
    table: str = "events"
    tail_max_events: int = 5
    reserve: Dataset | None = None
    sources: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not (self.ratio > 0 and self.weight > 0):
            raise InputError(
                f"Material: expected ratio and weight above 0, got {self.ratio} and {self.weight}; "
                "set [combine] ratio and weight"
            )
        if self.table not in MIXED_TABLES:
            raise InputError(
                f"Material: arms mix the table {' or '.join(MIXED_TABLES)}, got {self.table}; "
                "choose a task of such a table"
            )

    @property
    def real_rows(self) -> pl.DataFrame:
        """The real rows, columns as in the table."""
        return self.real.need(self.table)

    @property
    def owner(self) -> str:
        """The column that says whose a row is: rows of one owner stay together."""
        return OWNERS[self.table]


class Arm(Protocol):
    """One way to mix.

    Class attributes:
        compute_of: Name of the arm whose optimiser steps a model must take on this one, or
            ``None`` if it stops by itself.
        fuses: Name of the arm whose fitted models this one fuses with the task's model of side
            information (:attr:`~shopsynth.train.Task.side_information`) instead of fitting models
            of its own, or ``None``.
        generated: Whether its rows depend on the generator's seed: what is synthetic, drawn, or of
            the dose's size. An arm without has one run a trainer seed.
    """

    compute_of: ClassVar[str | None]
    fuses: ClassVar[str | None]
    generated: ClassVar[bool]

    def build(self, material: Material, *, seed: int) -> TrainingSet:
        """Mix; the same material and seed give the same rows."""


ARMS: Registry[Arm] = Registry(
    "combine", support=frozenset({"alignment", "dose", "near_duplicates", "round_trip"})
)
"""All arms of the room."""

register = ARMS.register


def build_arm(name: str, material: Material, seed: int) -> TrainingSet:
    """Find an arm and build it.

    Args:
        name: Registered name.
        material: Real and synthetic rows.
        seed: Of whatever the arm draws.

    Raises:
        UnknownNameError: If no arm has the name.
        InputError: If the material lacks what the arm needs.
        SchemaError: If synthetic rows do not fit the real table.
    """
    return ARMS.get(name)().build(material, seed=seed)
