"""The recipe's ``[prove]`` block: what is claimed, written down before test is read.

In: hypotheses as the recipe gives them. Out: :func:`register` fills every default and checks every
name, so that the result can be frozen by its hash.
"""

from collections.abc import Mapping, Sequence
from typing import Literal

from pydantic import Field

from shopsynth.evaluate.scoring import metric_cutoffs
from shopsynth.evaluate.system import SYSTEM
from shopsynth.schema import RecipeError, Settings, collect, nearest

PRIMARY = "primary"
SECONDARY = "secondary"
EXPLORATORY = "exploratory"
"""Roles; everything that was not registered is exploratory."""

SUPERIORITY = "superiority"
NON_INFERIORITY = "non_inferiority"

ALL = "all"
"""The slice of every answer."""

_SPARED = "warm"
"""The slice that synthetic rows about rare items must not harm."""

_MOST_PRIMARY = 10
"""PROOF §4: a family of more pays so much that little can be shown."""


class Hypothesis(Settings):
    """One claim: synthetic and real rows together against real rows alone."""

    name: str = ""
    """What the report calls it; empty: built from the rest."""

    role: Literal["primary", "secondary"] = "primary"
    """Family that the claim is corrected with; only a primary claim may be a headline."""

    kind: Literal["superiority", "non_inferiority"] = "superiority"
    """superiority: better than real rows alone; non_inferiority: not worse by more than margin."""

    task: str = "next_item"
    """Downstream task."""

    model: str = SYSTEM
    """Model whose arms are compared; system: each arm's best model by validation."""

    metric: str = ""
    """Metric; empty: the task's headline metric."""

    cutoff: int = Field(default=0, ge=0)
    """List length; 0: the run's first."""

    slice: str = ALL
    """Slice of the answers."""

    goal: float = Field(default=0.0, ge=0.0)
    """Uplift aimed at, as a share of the real arm's value: 0.03 is +3 %."""

    margin: float = Field(default=0.01, ge=0.0, lt=1.0)
    """Loss that non_inferiority tolerates, as a share of the real arm's value."""


class ProveSettings(Settings):
    """What is claimed. Registered before test is read; a later change makes a run exploratory."""

    hypotheses: tuple[Hypothesis, ...] = ()
    """Empty: system and the headline model gain on all answers (primary) and on every slice
    (secondary), and lose nothing on slice warm (secondary)."""

    margin: float = Field(default=0.01, ge=0.0, lt=1.0)
    """Relative loss tolerated against side information, and in the default hypotheses on warm."""


def register(
    settings: ProveSettings,
    *,
    tasks: Mapping[str, Sequence[str]],
    headline: str,
    cutoffs: Sequence[int],
    slices: Mapping[str, Sequence[str]],
) -> tuple[Hypothesis, ...]:
    """Fill every default of the plan and check every name.

    Args:
        settings: The recipe's block.
        tasks: Metrics of each task, the task's headline metric first; the run's main task first.
        headline: The model whose uplift is told first; it belongs to the main task.
        cutoffs: List lengths of the run, the headline's first.
        slices: Slices of each task; ``all`` always exists.

    Returns:
        The hypotheses with no default left, in the order of the recipe.

    Raises:
        RecipeError: Listing every unknown task, metric, cutoff or slice with the nearest known
            one, every duplicate, and more than ten primary hypotheses.

    Example:
        >>> plan = register(ProveSettings(), tasks={"next_item": ("ndcg",)}, headline="sasrec",
        ...                 cutoffs=[10], slices={"next_item": ("all", "warm")})
        >>> [hypothesis.name for hypothesis in plan if hypothesis.role == "primary"]
        ['system ndcg@10 all', 'sasrec ndcg@10 all']
    """
    asked = settings.hypotheses or _default_plan(settings.margin, tasks, headline, slices)
    faults: list[str] = []
    for place, hypothesis in enumerate(asked):
        faults += _unknown_names(f"prove.hypotheses.{place}", hypothesis, tasks, cutoffs, slices)
    collect("[prove]", faults, RecipeError)
    filled = tuple(_filled(hypothesis, tasks, cutoffs) for hypothesis in asked)
    collect("[prove]", _faults_together(filled), RecipeError)
    return filled


def _default_plan(
    margin: float,
    tasks: Mapping[str, Sequence[str]],
    headline: str,
    slices: Mapping[str, Sequence[str]],
) -> tuple[Hypothesis, ...]:
    plan = []
    for place, task in enumerate(tasks):
        models = (SYSTEM, headline) if place == 0 else (SYSTEM,)
        others = [name for name in slices.get(task, ()) if name != ALL]
        plan += [Hypothesis(task=task, model=model) for model in models]
        plan += [
            Hypothesis(role="secondary", task=task, model=model, slice=slice_)
            for slice_ in others
            for model in models
        ]
        plan += [
            Hypothesis(role="secondary", kind="non_inferiority", task=task, model=model,
                       slice=_SPARED, margin=margin)
            for model in models
            if _SPARED in others
        ]  # fmt: skip
    return tuple(plan)


def _unknown_names(
    where: str,
    hypothesis: Hypothesis,
    tasks: Mapping[str, Sequence[str]],
    cutoffs: Sequence[int],
    slices: Mapping[str, Sequence[str]],
) -> list[str]:
    task = hypothesis.task
    if task not in tasks:
        return [f"{where}.task: {task!r} is no task of this run; {nearest(task, tasks)}"]
    faults = []
    if hypothesis.metric and hypothesis.metric not in tasks[task]:
        known = nearest(hypothesis.metric, tasks[task])
        faults.append(f"{where}.metric: {hypothesis.metric!r} is not measured by {task}; {known}")
    if hypothesis.cutoff and hypothesis.cutoff not in cutoffs:
        known = ", ".join(str(cutoff) for cutoff in cutoffs)
        faults.append(f"{where}.cutoff: {hypothesis.cutoff} is not in evaluate.cutoffs ({known})")
    existing = {ALL, *slices.get(task, ())}
    if hypothesis.slice not in existing:
        known = nearest(hypothesis.slice, existing)
        faults.append(f"{where}.slice: {hypothesis.slice!r} is no slice of {task}; {known}")
    return faults


def _filled(
    hypothesis: Hypothesis, tasks: Mapping[str, Sequence[str]], cutoffs: Sequence[int]
) -> Hypothesis:
    metric = hypothesis.metric or tasks[hypothesis.task][0]
    cutoff = hypothesis.cutoff or metric_cutoffs(metric, cutoffs)[0]
    words = [hypothesis.model, f"{metric}@{cutoff}" if cutoff else metric, hypothesis.slice]
    if len(tasks) > 1:
        words.insert(0, hypothesis.task)
    if hypothesis.kind == NON_INFERIORITY:
        words.append("not worse")
    name = hypothesis.name or " ".join(words)
    return hypothesis.model_copy(update={"name": name, "metric": metric, "cutoff": cutoff})


def _faults_together(filled: Sequence[Hypothesis]) -> list[str]:
    faults = []
    n_primary = sum(hypothesis.role == PRIMARY for hypothesis in filled)
    if n_primary > _MOST_PRIMARY:
        faults.append(
            f"expected at most {_MOST_PRIMARY} primary hypotheses, got {n_primary}; "
            "make the less important ones secondary"
        )
    claims = [(h.kind, h.task, h.model, h.metric, h.cutoff, h.slice) for h in filled]
    names = [h.name for h in filled]
    for place, hypothesis in enumerate(filled):
        if claims[place] in claims[:place] or hypothesis.name in names[:place]:
            faults.append(
                f"prove.hypotheses.{place} ({hypothesis.name}): appears more than once; "
                "keep one, or change its name if it claims something else"
            )
    return faults
