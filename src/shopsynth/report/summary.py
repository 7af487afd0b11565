"""``summary.json``: the stable, versioned contract of a finished run.

In: an :class:`Evaluation` and the facts of the run. Out: JSON-ready values of version 1, whose JSON
Schema is published beside this file as ``summary.schema.json``.
"""

import json
import math
from collections.abc import Mapping, Sequence
from importlib.resources import files
from typing import Any, Literal

from pydantic import ValidationError

from shopsynth.report.guarantee import guarantee
from shopsynth.report.summary_parts import (
    SummaryCost,
    SummaryFidelity,
    SummaryHypothesis,
    SummaryMetric,
    SummaryPart,
    SummaryPrivacy,
    SummaryRegistration,
    SummaryStage,
    SummaryUplift,
)
from shopsynth.schema import Evaluation, SchemaError, collect

_EVALUATED = ("metrics", "uplift", "fidelity")


class Summary(SummaryPart):
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
    hypotheses: tuple[SummaryHypothesis, ...] = ()
    """Every registered claim, passed or not."""
    registration: SummaryRegistration | None = None
    """When the plan was fixed and how often the test part was opened; null where no plan was
    registered."""
    costs: tuple[SummaryCost, ...] = ()
    """What every arm and model cost, those left out included."""


def build_summary(
    evaluation: Evaluation,
    *,
    shop: dict[str, int],
    recipe_sha256: str,
    privacy: dict[str, object],
    stages: list[dict[str, object]],
    registration: Mapping[str, object] | None = None,
    costs: Sequence[Mapping[str, object]] = (),
) -> dict[str, object]:
    """Put a run's outcome into the form of ``summary.json``, version 1.

    Args:
        evaluation: All results; not-a-number and infinity become null, nothing is rounded.
        shop: Rows of each clean table.
        recipe_sha256: Hash of the resolved recipe.
        privacy: Fields of :class:`SummaryPrivacy`, ``mode``, ``unit``, ``epsilon`` and ``delta``
            at least; the audits come from ``evaluation``, the guarantee from the other fields.
        stages: ``name``, ``wall_s``, ``cpu_s``, ``peak_rss_mb``, ``cached`` of every stage.
        registration: The fields of :class:`SummaryRegistration`.
        costs: The fields of :class:`SummaryCost`, one mapping a task, arm and model.

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
        "hypotheses": _records(evaluation, "hypotheses"),
        "registration": None if registration is None else dict(registration),
        "costs": [_finite_record(row) for row in costs],
    }
    parsed = parse_summary(summary)
    promised = guarantee(parsed.privacy)
    told = {"guarantee": promised.english, "guarantee_zh": promised.chinese}
    stated = parsed.model_copy(update={"privacy": parsed.privacy.model_copy(update=told)})
    return stated.model_dump(mode="json")


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
    return [_finite_record(row) for row in evaluation.tables()[name].iter_rows(named=True)]


def _finite_record(row: Mapping[str, object]) -> dict[str, object]:
    return {name: _finite(value) for name, value in row.items()}


def _finite(value: object) -> object:
    return None if isinstance(value, float) and not math.isfinite(value) else value
