"""told_result and told_plan: what a run says on a terminal, after it and before it.

In: a :class:`RunResult`, or a recipe. Out: the rows of tables, the verdict, sentences.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import polars as pl

from shopsynth.pipeline.export_card import NOTICES
from shopsynth.pipeline.looks import Look
from shopsynth.pipeline.manifest import Manifest
from shopsynth.pipeline.plan import make_plan
from shopsynth.pipeline.recipe import Recipe
from shopsynth.pipeline.run import RunResult
from shopsynth.pipeline.workspace import Workspace
from shopsynth.report import console_rows, explain_verdict
from shopsynth.schema import EVALUATION_COLUMNS, Evaluation, WorkspaceError, sha256_of
from shopsynth.split import SplitSettings

_PLAN_DIGITS = 12
"""Digits of a plan's hash that a line shows; ``summary.json`` has all of them."""

_CLAIM_COLUMNS = (
    "hypothesis", "role", "wanted", "measured", "detectable", "p (Holm)", "met", "verdict"
)  # fmt: skip


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
        registration: Whether the result confirms or explores, which look at test it is, and the
            plan it was made under.
        claim_columns: Columns of the table of registered hypotheses.
        claims: Its rows, in the order of the plan.
    """

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    verdict: str
    sentence: str
    privacy: str
    registration: str
    claim_columns: tuple[str, ...]
    claims: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class ToldPlan:
    """A plan in words.

    Attributes:
        sha256: Hash that a run will register.
        plan: The plan itself, JSON-ready.
        columns: Columns of the table of hypotheses.
        rows: One a hypothesis.
        lines: What else decides what the claims mean, one thing a line.
    """

    sha256: str
    plan: dict[str, Any]
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    lines: tuple[str, ...]


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
        registration=_registration_line(result.look),
        claim_columns=_CLAIM_COLUMNS,
        claims=tuple(_claim(row) for row in result.hypotheses),
    )


def told_plan(recipe: Recipe) -> ToldPlan:
    """Put into words what a run of a recipe will register; no row is read.

    Raises:
        RecipeError: If a hypothesis names something that the run does not measure.
    """
    plan = make_plan(recipe)
    digest = sha256_of(plan)
    return ToldPlan(
        sha256=digest,
        plan=plan,
        columns=_CLAIM_COLUMNS[:3],
        rows=tuple((row["name"], row["role"], _wanted(row)) for row in plan["hypotheses"]),
        lines=tuple(f"{name}: {text}" for name, text in _plan_words(recipe, plan).items()),
    )


def _plan_words(recipe: Recipe, plan: dict[str, Any]) -> dict[str, str]:
    judged, split = recipe.evaluate, recipe.split
    cutoffs = ", ".join(str(cutoff) for cutoff in judged.cutoffs)
    seeds = f"{judged.seeds}, each of the generator with one of the trainer"
    if judged.trainer_seeds:
        seeds = f"{judged.seeds} of the generator × {judged.trainer_seeds} of the trainer"
    measured = [
        f"{task}: {', '.join(told['metrics'])} at {cutoffs}; slices {', '.join(told['slices'])}"
        for task, told in plan["tasks"].items()
    ]
    return {
        "Arms": ", ".join(plan["arms"]),
        "Models": f"{', '.join(recipe.train.models)}; system is each arm's best by validation",
        "Measured": "; ".join(measured),
        "Seeds": f"{seeds}; at least {judged.min_seeds_for_verdict} for a verdict",
        "Split": _split_words(split),
        "Intervals": f"95 %, {judged.resamples:,} resamples",
    }


def _split_words(split: SplitSettings) -> str:
    words = f"by {split.by}"
    if split.by != "leave_one_out":
        words += f", validation {100 * split.validation:g} %, test {100 * split.test:g} %"
    if split.low_data:
        words += f"; {100 * split.train_users:g} % of users train, "
        if split.validation_users:
            words += f"{100 * split.validation_users:g} % others choose, "
        words += f"{100 * split.asked_users:g} % others are asked"
    return words


def _claim(row: Mapping[str, Any]) -> tuple[str, ...]:
    measured = "not measured"
    if row["relative"] is not None:
        bounds = [_share(row[bound]) for bound in ("low", "high") if row[bound] is not None]
        measured = f"{_share(row['relative'])} [{', '.join(bounds) or 'no interval'}]"
    detectable = "" if row["mde"] is None else _share(row["mde"])
    p = "" if row["p_holm"] is None else f"{row['p_holm']:.4f}"
    met = "yes" if row["passed"] else "no"
    return row["name"], row["role"], _wanted(row), measured, detectable, p, met, row["verdict"]


def _wanted(row: Mapping[str, Any]) -> str:
    """Say what a hypothesis claims of the uplift, relative to the real arm's value."""
    if row["kind"] == "non_inferiority":
        return f"above {_share(-row['margin'])}"
    goal = row["goal"]
    return f"above 0, {_share(goal)} aimed at" if goal else "above 0"


def _share(value: float) -> str:
    return f"{100 * value:+.1f} %".replace("-", "−")


def _registration_line(look: Look | None) -> str:
    if look is None:
        return "none: the run stopped before evaluate"
    kind = "EXPLORATORY" if look.exploratory else "confirmatory"
    reason = f": {look.reason}" if look.reason else ""
    plan = f"plan {look.plan_sha256[:_PLAN_DIGITS]} registered {look.registered_at}"
    return f"{kind}, look {look.number} of {look.looks} at the test part{reason}; {plan}"


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
