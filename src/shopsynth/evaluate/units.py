"""The value of every unit in every run, kept by column, so that a large comparison stays small.

In: tidy per-unit values, all at once or one fit at a time. Out: :class:`UnitValues`, in which all
runs of a task and slice have the same units in the same order, and so are paired.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import polars as pl

from shopsynth.schema import InputError

Run = tuple[int, int]
"""Number of the generator seed (0 in an arm without generator) and of the trainer seed."""

Quantity = tuple[str, str, str, int]
"""Model, arm, metric, cutoff."""

Columns = Mapping[Quantity, Mapping[Run, np.ndarray]]
"""Values of every unit, shape ``(units,)``, by quantity, then by run."""

_KEYS = ["task", "slice", "model", "arm", "metric", "cutoff", "generator", "seed"]


@dataclass(frozen=True)
class UnitTable:
    """All values of one task and slice.

    Attributes:
        task: The task's word.
        slice: The slice's word.
        n_units: Units behind every column.
        columns: Values in the order of the units' ids; quantities and runs sorted.
    """

    task: str
    slice: str
    n_units: int
    columns: Columns


@dataclass(frozen=True)
class UnitValues:
    """Per-unit values of all runs.

    A value takes 8 bytes here and about 150 as a row of strings: 25,000 users, six slices, five
    models and seven arms in three runs are 55 million values, 440 MB. So a large run hands its fits
    over one by one and never holds the tidy table of all of them.

    Attributes:
        tables: One for each task and slice, sorted by both.
    """

    tables: tuple[UnitTable, ...]

    @classmethod
    def read(cls, frames: Iterable[pl.DataFrame]) -> "UnitValues":
        """Take the values out of frames, in any order and split anyhow between runs.

        Args:
            frames: Columns of ``EVALUATION_COLUMNS["units"]``; the rows of one run, metric, cutoff
                and slice come in one frame.

        Raises:
            InputError: If a value is no number, or runs of one task and slice do not have the same
                units, each once: then nothing can be paired.
        """
        ids: dict[tuple[str, str], pl.Series] = {}
        found: dict[tuple[str, str], dict[Quantity, dict[Run, np.ndarray]]] = {}
        for frame in frames:
            parts = frame.partition_by(_KEYS, as_dict=True, maintain_order=True)
            for (task, slice_, model, arm, metric, cutoff, generator, seed), part in parts.items():
                table = (str(task), str(slice_))
                where = (
                    f"units of task {task}, slice {slice_}, model {model}, arm {arm}, "
                    f"{metric}@{cutoff}, generator {generator}, seed {seed}"
                )
                values, ids[table] = _in_order(part, ids.get(table), where)
                quantity = (str(model), str(arm), str(metric), int(cutoff))
                runs = found.setdefault(table, {}).setdefault(quantity, {})
                if (generator, seed) in runs:
                    raise InputError(
                        f"{where}: expected each run in one table, got it in two; "
                        "hand every fit over once"
                    )
                runs[int(generator), int(seed)] = values
        tables = [
            UnitTable(*table, ids[table].len(), _sorted(found[table])) for table in sorted(found)
        ]
        return cls(tuple(tables))


def as_unit_values(units: pl.DataFrame | UnitValues) -> UnitValues:
    """Read a tidy table, where it is small enough to be held whole."""
    return units if isinstance(units, UnitValues) else UnitValues.read([units])


def _in_order(
    part: pl.DataFrame, expected: pl.Series | None, where: str
) -> tuple[np.ndarray, pl.Series]:
    """Return one column's values in the order of the ids, and the ids.

    Args:
        part: Columns ``unit_id`` and ``value``.
        expected: Sorted ids of the columns before this one; ``None`` for the first.
        where: Names the column in errors.
    """
    ids, values = part["unit_id"], part["value"]
    if expected is None or not ids.equals(expected):
        order = ids.arg_sort()
        ids, values = ids.gather(order), values.gather(order)
        if expected is None:
            expected = ids
        if ids.n_unique() < ids.len() or not ids.equals(expected):
            n_known = int(ids.unique().is_in(expected.implode()).sum())
            raise InputError(
                f"{where}: expected one value for each of {expected.len()} units, as in the runs "
                f"before, got {ids.len()} rows for {n_known} of them and {ids.n_unique() - n_known}"
                " others; score all runs on the same holdout"
            )
    n_missing = values.len() - int(values.is_finite().sum())
    if n_missing:
        raise InputError(
            f"{where}: expected numbers, got {n_missing} of {values.len()} that are none; "
            "a metric must give every unit a finite value"
        )
    return values.to_numpy().astype(np.float64), expected


def _sorted(columns: Columns) -> dict[Quantity, dict[Run, np.ndarray]]:
    return {quantity: dict(sorted(columns[quantity].items())) for quantity in sorted(columns)}
