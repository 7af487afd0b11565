"""SyntheticDataset and TrainingSet: made rows with their provenance, and rows ready to train on.

In: tables from a synthesizer; real and synthetic tables from combine. Out: the same, checked.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import polars as pl

from shopsynth.schema.dataset import Dataset
from shopsynth.schema.errors import SchemaError
from shopsynth.schema.further import check_further
from shopsynth.schema.rejects import no_rejects

REAL = "real"
"""The ``origin`` of real rows in a :class:`TrainingSet`."""

COMPANIONS = {"users": "user_id", "queries": "query_id"}
"""Tables that come with synthetic rows, and the column by which those name their rows."""

OWNERS = {"events": "user_id", "judgments": "query_id", "reviews": "review_id"}
"""Tables that synthetic rows are made of and mixed with, and the column that says whose a row is:
an owner's rows are taken together or not at all."""


@dataclass(frozen=True)
class SyntheticDataset:
    """Rows that a synthesizer or an augmenter made.

    Attributes:
        data: The tables; ``items`` is the catalogue the rows refer to. Synthetic users and
            queries have ids that no real ones have.
        synthesizer: Registered name of the method.
        config_sha256: Hash of the method's options.
        seed: Seed of the sample.
        source_sha256: Fingerprint of the :class:`PrivateView` the method was fitted on.
        further: Tables of :data:`shopsynth.schema.FURTHER` by name: what was written about items,
            which no task learns from.
        rejects: What the method made and did not let pass, ``REJECT_COLUMNS``.
    """

    data: Dataset
    synthesizer: str
    config_sha256: str
    seed: int
    source_sha256: str
    further: Mapping[str, pl.DataFrame] = field(default_factory=dict)
    rejects: pl.DataFrame = field(default_factory=no_rejects)

    def __post_init__(self) -> None:
        where = f"SyntheticDataset of {self.synthesizer}"
        self.data.check_filled(where)
        check_further(self.further, self.data.items, where)

    def need(self, table: str) -> pl.DataFrame:
        """Return one of the tables, the shop's or a further one.

        Raises:
            SchemaError: If there is no such table.
        """
        return self.further[table] if table in self.further else self.data.need(table)


@dataclass(frozen=True)
class TrainingSet:
    """What a model is fitted on.

    Attributes:
        data: The tables; the task's own table (``events`` for ``next_item``) has two more
            columns, ``origin`` (``"real"``, the name of a synthesizer or of a control, or
            ``"reserve"`` for further real rows) and ``weight`` (float, > 0).
        arm: Registered name of the arm in the combine room.
        table: The table that carries ``origin`` and ``weight``.
    """

    data: Dataset
    arm: str
    table: str = "events"

    def __post_init__(self) -> None:
        frame = self.data.need(self.table)
        where = f"TrainingSet {self.arm}, table {self.table}"
        for column, dtype in (("origin", pl.String()), ("weight", pl.Float64())):
            if frame.schema.get(column) != dtype:
                raise SchemaError(
                    f"{where}: expected column {column} of type {dtype}, "
                    f"got {frame.schema.get(column, 'none')}"
                )
        self.data.check_filled(where)

    @property
    def rows(self) -> pl.DataFrame:
        """The task's own table, with ``origin`` and ``weight``."""
        return self.data.need(self.table)
