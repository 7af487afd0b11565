"""``summary.json``: the stable, versioned contract of a finished run.

In: an :class:`Evaluation` and the facts of the run. Out: JSON-ready values of version 1, whose JSON
Schema is published beside this file as ``summary.schema.json``.
"""

import json
import math
from importlib.resources import files
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from shopsynth.schema import Evaluation, SchemaError, collect

Verdict = Literal["helps", "helps this model", "no effect shown", "harms"]

_EVALUATED = ("metrics", "uplift", "fidelity")


class _Part(BaseModel):
    model_config = ConfigDict(
        frozen=True, extra="forbid", use_attribute_docstrings=True, allow_inf_nan=False
    )


class SummaryMetric(_Part):
    """The mean of one metric on real test units."""

    task: str
    """Downstream task, for example next_item."""
    model: str
    """Model; system is the arm's best model by validation."""
    arm: str
    """What it was trained on: real, combined, synthetic or a control."""
    metric: str
    """Metric name, for example ndcg."""
    cutoff: int | None
    """List length; null where the metric has none."""
    slice: str
    """Slice of the answers, fixed before training; all is everything."""
    value: float | None
    """Mean over seeds and units, unrounded; null where it cannot be measured."""
    low: float | None
    """Lower end of the 95 % interval."""
    high: float | None
    """Upper end of the 95 % interval."""
    units: int
    """Test users or queries behind the value."""
    seeds: int
    """Repetitions behind the value."""


class SummaryUplift(_Part):
    """A paired difference between two arms."""

    task: str
    """Downstream task."""
    model: str
    """Model; system is the best system with against the best system without."""
    metric: str
    """Metric name."""
    cutoff: int | None
    """List length; null where the metric has none."""
    slice: str
    """Slice of the answers."""
    arm: str
    """The arm that is judged, usually combined."""
    against: str
    """The arm it is compared with: real or a control."""
    absolute: float | None
    """Difference arm minus against, in units of the metric."""
    relative: float | None
    """The same as a share of the value of against."""
    low: float | None
    """Lower end of the 95 % interval of absolute."""
    high: float | None
    """Upper end of the 95 % interval of absolute."""
    p_holm: float | None
    """Two-sided p-value after Holm's correction over the primary hypotheses."""
    mde: float | None
    """Minimum detectable effect, in units of the metric."""
    verdict: Verdict
    """What the difference shows."""


class SummaryFidelity(_Part):
    """How near synthetic rows are to real ones."""

    table: str
    """Table measured."""
    metric: str
    """Distance or coverage."""
    value: float | None
    """What the synthetic rows reach."""
    ceiling: float | None
    """What held-out real rows of the same size reach."""


class SummaryAudit(_Part):
    """One attack on the released rows."""

    name: str
    """Name of the audit."""
    value: float | None
    """What was measured."""
    threshold: float | None
    """The bound of the gate; null where the audit is only shown."""
    passed: bool
    """Whether the gate holds."""
    power: str
    """What the audit could not have detected."""


class SummaryPrivacy(_Part):
    """Under which protection the rows were made."""

    mode: Literal["public", "deidentify", "dp", "unsafe_nonprivate"]
    """Privacy mode; only dp gives differential privacy."""
    unit: str
    """Whose whole contribution is protected."""
    epsilon: float | None
    """Privacy loss spent; null where nothing bounds it."""
    delta: float | None
    """Failure probability; null likewise."""
    audits: tuple[SummaryAudit, ...]
    """Every audit that ran."""


class SummaryStage(_Part):
    """What one stage cost."""

    name: str
    """The stage's word."""
    wall_s: float
    """Wall-clock seconds."""
    cpu_s: float
    """CPU seconds of all its processes."""
    peak_rss_mb: float
    """Peak resident memory in MB."""
    cached: bool
    """Whether this run took the stage from the workspace instead of doing it."""


class Summary(_Part):
    """The outcome of one shopsynth run, version 1."""

    version: Literal[1]
    """Version of this contract; it changes when a field changes its meaning or goes."""
    shop: dict[str, int]
    """Rows of each clean table."""
    recipe_sha256: str
    """Hash of the resolved recipe."""
    metrics: tuple[SummaryMetric, ...]
    """Every measured mean."""
    uplift: tuple[SummaryUplift, ...]
    """Every paired comparison."""
    fidelity: tuple[SummaryFidelity, ...]
    """Distances and coverages of synthetic rows."""
    privacy: SummaryPrivacy
    """Protection and audits."""
    stages: tuple[SummaryStage, ...]
    """Costs, in the order in which the stages ran."""


def build_summary(
    evaluation: Evaluation,
    *,
    shop: dict[str, int],
    recipe_sha256: str,
    privacy: dict[str, object],
    stages: list[dict[str, object]],
) -> dict[str, object]:
    """Put a run's outcome into the form of ``summary.json``, version 1.

    Args:
        evaluation: All results; not-a-number and infinity become null, nothing is rounded.
        shop: Rows of each clean table.
        recipe_sha256: Hash of the resolved recipe.
        privacy: ``mode``, ``unit``, ``epsilon``, ``delta``; the audits come from ``evaluation``.
        stages: ``name``, ``wall_s``, ``cpu_s``, ``peak_rss_mb``, ``cached`` of every stage.

    Returns:
        JSON-ready values, keys in the order of the contract.

    Raises:
        SchemaError: With every value that breaks the contract.
    """
    tables = {name: _records(evaluation, name) for name in (*_EVALUATED, "audits")}
    summary: dict[str, object] = {
        "version": 1,
        "shop": dict(shop),
        "recipe_sha256": recipe_sha256,
        **{name: tables[name] for name in _EVALUATED},
        "privacy": {**privacy, "audits": tables["audits"]},
        "stages": [dict(stage) for stage in stages],
    }
    return parse_summary(summary).model_dump(mode="json")


def parse_summary(values: dict[str, Any]) -> Summary:
    """Check values against the contract and give them types.

    Args:
        values: What ``json.load`` gives for a ``summary.json``.

    Raises:
        SchemaError: With every place that breaks the contract, without the values themselves.
    """
    try:
        return Summary.model_validate(values)
    except ValidationError as error:
        faults = [
            f"{'.'.join(str(part) for part in item['loc'])}: {item['msg']}"
            for item in error.errors(include_url=False, include_input=False)
        ]
        collect("summary.json", faults, SchemaError)
        raise


def summary_schema() -> dict[str, Any]:
    """Return the published JSON Schema of ``summary.json``."""
    schema: dict[str, Any] = json.loads(
        files("shopsynth.report").joinpath("summary.schema.json").read_text(encoding="utf-8")
    )
    return schema


def _records(evaluation: Evaluation, name: str) -> list[dict[str, object]]:
    return [
        {column: _finite(value) for column, value in row.items()}
        for row in evaluation.tables()[name].to_dicts()
    ]


def _finite(value: object) -> object:
    return None if isinstance(value, float) and not math.isfinite(value) else value
