"""Evaluation: every number the report may show, as tidy tables.

In: rows made by the evaluate room. Out: the same rows, with fixed columns.
"""

from dataclasses import dataclass, fields

import polars as pl

from shopsynth.schema.errors import SchemaError, collect

_S, _F, _I, _B = pl.String(), pl.Float64(), pl.Int64(), pl.Boolean()

FUSED = "+"
"""Joins the names of models where a table names their fusion: ``sasrec+hybrid``."""

TRAINED_ALONE = "trained on synthetic data alone"
"""Marks rows of ``fidelity`` that tell how good a model is: ``item_knn trained on synthetic data
alone: next_item ndcg@10 on real data (…)``. Their ceiling is the same model of real rows."""

EVALUATION_COLUMNS: dict[str, dict[str, pl.DataType]] = {
    "metrics": {
        "task": _S, "model": _S, "arm": _S, "metric": _S, "cutoff": _I, "slice": _S,
        "value": _F, "low": _F, "high": _F, "units": _I, "seeds": _I,
    },
    "uplift": {
        "task": _S, "model": _S, "metric": _S, "cutoff": _I, "slice": _S, "arm": _S,
        "against": _S, "absolute": _F, "relative": _F, "low": _F, "high": _F,
        "p_holm": _F, "mde": _F, "verdict": _S, "role": _S, "seeds": _I, "seeds_agree": _I,
    },
    "hypotheses": {
        "name": _S, "role": _S, "kind": _S, "task": _S, "model": _S, "metric": _S, "cutoff": _I,
        "slice": _S, "goal": _F, "margin": _F, "relative": _F, "low": _F, "high": _F,
        "p_holm": _F, "mde": _F, "unbeaten": _S, "side_information": _S, "confirmed_by": _S,
        "oracle_share": _F, "passed": _B, "verdict": _S,
    },
    "fidelity": {"table": _S, "metric": _S, "value": _F, "ceiling": _F},
    "audits": {
        "name": _S, "value": _F, "threshold": _F, "passed": _B, "power": _S,
    },
    "dose": {
        "task": _S, "model": _S, "ratio": _F, "weight": _F, "sources": _S, "metric": _S,
        "cutoff": _I, "value": _F, "low": _F, "high": _F, "chosen": _B,
    },
    "units": {
        "task": _S, "model": _S, "arm": _S, "generator": _I, "seed": _I, "unit_id": _S,
        "metric": _S, "cutoff": _I, "slice": _S, "value": _F,
    },
    "embedding": {"origin": _S, "x": _F, "y": _F},
    "distributions": {"quantity": _S, "origin": _S, "position": _F, "label": _S, "share": _F},
}  # fmt: skip
"""Columns and types of each table of an :class:`Evaluation`."""


@dataclass(frozen=True)
class Evaluation:
    """All results of one run.

    Attributes:
        metrics: Mean of a metric on real test units, with a 95 % interval, for every task, model,
            arm and slice. The model ``system`` is the arm's best model by validation.
        uplift: Paired differences ``arm - against``; ``absolute``, ``low`` and ``high`` in units
            of the metric, ``relative`` as a share of ``against``; ``mde`` is the minimum
            detectable effect, absolute. ``role`` is ``primary`` or ``secondary`` if the row was
            registered, else ``exploratory``; ``seeds`` counts the paired runs and ``seeds_agree``
            those whose difference has the sign of ``absolute``.
        hypotheses: What was registered before test was read, and what came of it. ``goal``,
            ``margin``, ``relative``, ``low``, ``high`` and ``mde`` are shares of the real arm's
            value, and positive is better, also where a metric improves by falling; ``unbeaten`` and
            ``confirmed_by`` are lists with commas; ``oracle_share`` is the uplift as a share of the
            oracle's, NaN without one.
        fidelity: Distance or coverage of synthetic rows; ``ceiling`` is what held-out real rows
            of the same size reach. Rows with :data:`TRAINED_ALONE` in their metric are the
            quality of a model instead.
        audits: Privacy audits and whether they passed.
        dose: The dose curve on validation, from which ratio and weight were chosen.
        units: The per-unit test values behind ``metrics``, for anyone to pair again; those of
            ``system`` are those of the model it chose. A run is a ``generator`` (seed of the
            synthetic rows; 0 in an arm without any) and a ``seed`` (of the trainer).
        embedding: Two-dimensional places of histories, for the picture.
        distributions: Shares by position (a bin's middle or a rank) for the pictures.

    Raises:
        SchemaError: If any table has other columns or types than :data:`EVALUATION_COLUMNS`.
    """

    metrics: pl.DataFrame
    uplift: pl.DataFrame
    hypotheses: pl.DataFrame
    fidelity: pl.DataFrame
    audits: pl.DataFrame
    dose: pl.DataFrame
    units: pl.DataFrame
    embedding: pl.DataFrame
    distributions: pl.DataFrame

    def __post_init__(self) -> None:
        faults = [
            f"table {name}: expected columns {EVALUATION_COLUMNS[name]}, got {dict(frame.schema)}"
            for name, frame in self.tables().items()
            if dict(frame.schema) != EVALUATION_COLUMNS[name]
        ]
        collect("Evaluation", faults, SchemaError)

    def tables(self) -> dict[str, pl.DataFrame]:
        """Return every table by name."""
        return {item.name: getattr(self, item.name) for item in fields(self)}


def empty_evaluation_table(name: str) -> pl.DataFrame:
    """Make an evaluation table with the right columns and no rows."""
    return pl.DataFrame(schema=EVALUATION_COLUMNS[name])
