"""told_result: what a finished run says on a terminal.

In: a :class:`RunResult`. Out: the rows of one table, the verdict, one sentence.
"""

from dataclasses import dataclass
from typing import Any

import polars as pl

from shopsynth.pipeline.export import NOTICES
from shopsynth.pipeline.manifest import Manifest
from shopsynth.pipeline.run import RunResult
from shopsynth.pipeline.workspace import Workspace
from shopsynth.report import console_rows, explain_verdict
from shopsynth.schema import EVALUATION_COLUMNS, Evaluation, WorkspaceError


@dataclass(frozen=True)
class ToldResult:
    """A result in words.

    Attributes:
        title: Heading of the table.
        columns: Its columns.
        rows: One a model and arm.
        verdict: ``helps``, ``helps this model``, ``no effect shown`` or ``harms``.
        sentence: The verdict explained in plain English.
        privacy: What the mode gives, and which audits failed.
    """

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    verdict: str
    sentence: str
    privacy: str


def told_result(result: RunResult) -> ToldResult:
    """Put a finished run into words.

    Raises:
        WorkspaceError: If the run stopped before its report.
    """
    if result.summary is None:
        raise WorkspaceError(f"workspace {result.workspace}: expected a complete report stage")
    facts = result.manifests["report"].facts
    model, metric, cutoff = facts["headline_model"], facts["metric"], facts["cutoff"]
    headline = explain_verdict(load_evaluation(result), model, metric, cutoff)
    rows = console_rows(result.summary, models=[model, "system"], metric=metric, cutoff=cutoff)
    return ToldResult(
        title=f"{metric}@{cutoff} on real test data, 95 % intervals",
        columns=("model", "arm", f"{metric}@{cutoff}", "combined against it", "what it shows"),
        rows=tuple((row.model, row.arm, row.score, row.uplift, row.verdict) for row in rows),
        verdict=headline.verdict,
        sentence=headline.sentence_en,
        privacy=_privacy_line(result.summary["privacy"]),
    )


def _privacy_line(privacy: dict[str, Any]) -> str:
    gates = [audit for audit in privacy["audits"] if audit["threshold"] is not None]
    failed = [audit["name"] for audit in gates if not audit["passed"]]
    audits = "all audits passed" if gates else "no audit could have found copies"
    if failed:
        audits = f"audits failed: {', '.join(failed)}"
    return f"mode {privacy['mode']}: {NOTICES[privacy['mode']]}; {audits}"


def load_evaluation(result: RunResult) -> Evaluation:
    """Read the evaluation tables of a finished run back from its workspace."""
    place, evaluated = Workspace(result.workspace), result.manifests["evaluate"]
    tables = {
        name: _read(place, evaluated, "dose/curve" if name == "dose" else name)
        for name in EVALUATION_COLUMNS
    }
    return Evaluation(**tables)


def _read(place: Workspace, manifest: Manifest, name: str) -> pl.DataFrame:
    return pl.concat([pl.read_parquet(place.store.local_path(r.key)) for r in manifest.parts(name)])
