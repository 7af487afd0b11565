"""run: a recipe walks through all stages of a workspace.

In: a recipe and a folder. Out: the folder with every stage complete, and a :class:`RunResult`.
"""

import logging
import signal
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType
from typing import Any

from shopsynth.evaluate import METRICS
from shopsynth.pipeline.base import Executor
from shopsynth.pipeline.checks import check_recipe
from shopsynth.pipeline.executors import make_executor
from shopsynth.pipeline.judging import JUDGE, Judging
from shopsynth.pipeline.looks import Look
from shopsynth.pipeline.manifest import Manifest, code_hash, library_versions
from shopsynth.pipeline.meter import Meter
from shopsynth.pipeline.plan import make_plan
from shopsynth.pipeline.recipe import Recipe, load_recipe
from shopsynth.pipeline.redaction import redacted
from shopsynth.pipeline.stages import STAGES, Stage, StageContext
from shopsynth.pipeline.stages.design import COMBINED, REAL
from shopsynth.pipeline.stages.report import stage_costs
from shopsynth.pipeline.verbs import Verbs
from shopsynth.pipeline.workspace import Workspace
from shopsynth.schema import (
    SILENT,
    GateError,
    InterruptedRunError,
    Progress,
    RecipeError,
    UnknownNameError,
    nearest,
    sha256_of,
)
from shopsynth.train import get_task

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class RunResult:
    """What a run left in its workspace.

    Attributes:
        workspace: The folder.
        manifests: Manifests of the stages that are complete, in order.
        cached: Stages that were complete before and were skipped.
        summary: Content of ``summary.json``; ``None`` if the run stopped before the report.
        report: Path of the HTML report, or ``None`` likewise.
        look: The reading of the test part that the results come from; ``None`` if the run stopped
            before ``evaluate``.
    """

    workspace: Path
    manifests: dict[str, Manifest]
    cached: frozenset[str]
    summary: dict[str, Any] | None
    report: Path | None
    look: Look | None = None

    @property
    def hypotheses(self) -> list[dict[str, Any]]:
        """The registered hypotheses with their verdicts, as in ``summary.json``."""
        return [] if self.summary is None else list(self.summary["hypotheses"])


def run(
    recipe: Recipe | str | Path,
    workspace: str | Path,
    *,
    until: str = "report",
    overrides: tuple[str, ...] = (),
    progress: Progress = SILENT,
) -> RunResult:
    """Walk the journey up to a stage; stages that are complete already are skipped.

    Args:
        recipe: A recipe or the path of one.
        workspace: Folder of the run; made if missing.
        until: The last stage to run.
        overrides: ``key=value`` pairs, only with the path of a recipe.
        progress: Listener.

    Raises:
        InputError: If recipe or data cannot be used; nothing that was done is lost.
        GateError: If a gate failed; the workspace is complete all the same.
        InterruptedRunError: On Ctrl-C or SIGTERM; run again and it goes on.
    """
    if until not in STAGES:
        raise UnknownNameError(f"stage {until!r} does not exist; {nearest(until, STAGES)}")
    if isinstance(recipe, Recipe) and overrides:
        raise RecipeError(
            "run: overrides change the file of a recipe, got a Recipe; give its path, or the "
            "overrides to load_recipe"
        )
    checked = recipe if isinstance(recipe, Recipe) else load_recipe(recipe, overrides)
    check_recipe(checked, until)
    plan = make_plan(checked)
    place = Workspace(workspace)
    with _interruptible(place.root), place.locked():
        place.write_json("recipe.json", redacted(checked.model_dump(mode="json")))
        executor = make_executor(checked.pipeline)
        judging = Judging.begin(place, plan) if _reaches(until, JUDGE) else None
        try:
            done, cached = _walk(checked, place, executor, until, progress, judging)
        finally:
            executor.close()
        result = _publish(place, done, cached, judging)
    _check_gates(checked, result)
    return result


def _reaches(until: str, stage: str) -> bool:
    order = list(STAGES)
    return order.index(until) >= order.index(stage)


def _walk(
    recipe: Recipe,
    place: Workspace,
    executor: Executor,
    until: str,
    progress: Progress,
    judging: Judging | None,
) -> tuple[dict[str, Manifest], frozenset[str]]:
    done: dict[str, Manifest] = {}
    cached = set()
    for stage in STAGES.values():
        key, inputs = _stage_key(stage, recipe, done, judging)
        found = place.manifest(stage.name)
        if found is not None and found.key == key:
            _LOG.info("%s: complete already", stage.name)
            cached.add(stage.name)
            done[stage.name] = found
            if judging is not None and stage.name == JUDGE:
                judging.recall(key)
        else:
            _LOG.info("%s: running", stage.name)
            verbs = Verbs(stage.name, stage.rooms, executor, place.store, progress)
            reading = (
                judging.reading(key, done["split"], verbs)
                if judging is not None and stage.name == JUDGE
                else nullcontext()
            )
            facts = judging.facts() if judging is not None else {}
            with reading:
                context = StageContext(recipe, done, verbs, place.store, facts)
                done[stage.name] = _run_stage(stage, context, place, key, inputs)
        if stage.name == until:
            break
    return done, frozenset(cached)


def _stage_key(
    stage: Stage, recipe: Recipe, done: dict[str, Manifest], judging: Judging | None
) -> tuple[str, dict[str, str]]:
    inputs = {**stage.sources(recipe), **{name: done[name].digest for name in stage.needs}}
    if judging is not None:
        inputs |= judging.inputs(stage.name)
    values = {
        "stage": stage.name,
        "inputs": inputs,
        "config": stage.config(recipe),
        "code": code_hash(*stage.rooms),
    }
    return sha256_of(values), inputs


def _run_stage(
    stage: Stage, context: StageContext, place: Workspace, key: str, inputs: dict[str, str]
) -> Manifest:
    recipe, verbs = context.recipe, context.verbs
    with Meter() as meter:
        made = stage.run(context)
    manifest = Manifest(
        stage=stage.name,
        key=key,
        config=stage.config(recipe),
        inputs=inputs,
        outputs=made.outputs,
        facts=made.facts,
        seed=recipe.seed,
        cost=meter.cost(verbs.cpu_s if recipe.pipeline.executor != "inline" else 0.0),
        finished_at=datetime.now(UTC).isoformat(timespec="seconds"),
        versions=library_versions(),
        costs=made.costs,
    )
    place.complete(manifest)
    # As a resumed run reads it, keys in order: the report is then the same to the byte.
    return place.manifest(stage.name) or manifest


def _publish(
    place: Workspace,
    done: dict[str, Manifest],
    cached: frozenset[str],
    judging: Judging | None,
) -> RunResult:
    """Lay the report under its stable name and write ``summary.json`` with the run's costs."""
    look = None if judging is None else judging.look
    if "report" not in done:
        return RunResult(place.root, done, cached, None, None, look)
    for ref in done["report"].parts("report"):
        place.lay_out(ref, f"report/{ref.label}")
    summary = {**done["report"].facts["summary"], "stages": stage_costs(done, cached)}
    place.write_json("summary.json", summary)
    return RunResult(place.root, done, cached, summary, place.path("report/report.html"), look)


def _check_gates(recipe: Recipe, result: RunResult) -> None:
    if result.summary is None:
        return
    failed = [a["name"] for a in result.summary["privacy"]["audits"] if not a["passed"]]
    if failed and recipe.privacy.mode == "dp":
        raise GateError(
            f"privacy audits failed: {', '.join(failed)}. Do not release this workspace; "
            f"see {result.report}"
        )
    bound = recipe.evaluate.fail_under
    if bound is None:
        return
    gain = _headline_gain(recipe, result.summary["uplift"])
    if gain is None or gain < bound:
        reached = "none" if gain is None else f"{gain:+.1%}"
        raise GateError(
            f"evaluate.fail_under: expected a relative uplift of {recipe.train.headline} of at "
            f"least {bound:+.1%}, got {reached}; see {result.report}"
        )


def _headline_gain(recipe: Recipe, uplift: list[dict[str, Any]]) -> float | None:
    """Read the headline model's relative uplift, positive where the metric improves."""
    task = recipe.train.tasks[0]
    metric = get_task(task).metrics[0]
    headline = {
        "task": task,
        "model": recipe.train.headline,
        "metric": metric,
        "slice": "all",
        "arm": COMBINED,
        "against": REAL,
    }
    for row in uplift:
        at_cutoff = row["cutoff"] in (recipe.evaluate.cutoffs[0], None, 0)
        if at_cutoff and all(row[name] == value for name, value in headline.items()):
            sign = -1 if METRICS.get(metric).better == "lower" else 1
            return None if row["relative"] is None else float(sign * row["relative"])
    return None


@contextmanager
def _interruptible(root: Path) -> Iterator[None]:
    """Turn Ctrl-C and SIGTERM into one error that says how to go on.

    Only the first counts: another would break into the stopping itself. Whoever handles one of them
    already, such as the command line, goes on doing so.
    """
    usual: dict[int, Any] = {
        signal.SIGINT: signal.default_int_handler,
        signal.SIGTERM: signal.SIG_DFL,
    }
    ours = [number for number, handler in usual.items() if signal.getsignal(number) is handler]

    def stop(number: int, frame: FrameType | None) -> None:
        for each in ours:
            signal.signal(each, signal.SIG_IGN)
        raise KeyboardInterrupt

    try:
        for each in ours:
            signal.signal(each, stop)
    except ValueError:  # Not the main thread: whoever runs us there handles signals.
        ours = []
    try:
        yield
    except KeyboardInterrupt as error:
        raise InterruptedRunError(
            f"interrupted; finished work is kept in {root}. Run the same command again to go on."
        ) from error
    finally:
        for each in ours:
            signal.signal(each, usual[each])
