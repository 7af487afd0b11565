"""Questions: a task's holdout as parts, posed once and read by many jobs.

In: the split. Out: ``questions/<task>/<part>/<table>``: what is asked, the answers, the slices.
"""

from collections.abc import Callable, Iterable
from itertools import chain

import numpy as np
import polars as pl

from shopsynth.evaluate import METRICS, score_units
from shopsynth.pipeline.base import PartRef
from shopsynth.pipeline.job import Job
from shopsynth.pipeline.manifest import Manifest
from shopsynth.pipeline.stages.base import StageContext, read_split
from shopsynth.schema import Holdout, Ranking
from shopsynth.train import Task, get_task

_HERE = "shopsynth.pipeline.stages.questions"
_MEMBERSHIP = "membership"


def pose_questions(context: StageContext, task: str, part: str) -> list[PartRef]:
    """Pose the questions of ``validation`` or ``test`` and keep them as parts."""
    split = context.done["split"]
    posed = context.verbs.fit(
        f"{part} questions",
        f"{_HERE}:pose",
        split.outputs,
        part=part,
        task=task,
        by=split.facts["by"],
        max_questions=context.recipe.evaluate.max_questions,
    )
    return list(posed.outputs)


def pose(job: Job) -> dict[str, int]:
    """Let the task pose its questions on the real split."""
    part = job.params["part"]
    task = get_task(job.params["task"])
    split = read_split(job, job.params["by"])
    holdout = task.holdout(split, part).drawn_down(job.params["max_questions"])
    for name, frame in holdout.frames().items():
        job.write(f"questions/{task.name}/{part}/{name}", frame)
    job.write(f"questions/{task.name}/{part}/{_MEMBERSHIP}", task.slices(split, holdout.truth))
    return {"units": holdout.truth["unit_id"].n_unique()}


def question_names(manifest: Manifest, task: str, part: str) -> list[str]:
    """List the names of the parts that hold a task's questions."""
    start = f"questions/{task}/{part}/"
    return list(dict.fromkeys(ref.name for ref in manifest.outputs if ref.name.startswith(start)))


def as_holdout(job: Job, task: str, part: str, exclude_seen: bool) -> Holdout:
    """Build the holdout of a part from a job's inputs."""
    start = f"questions/{task}/{part}/"
    frames = {
        name.removeprefix(start): job.frame(name)
        for name in job.names()
        if name.startswith(start) and name != start + _MEMBERSHIP
    }
    return Holdout.of(frames, items=job.frame("items"), exclude_seen=exclude_seen)


def membership_name(task: str, part: str) -> str:
    """Name the part that says which answers are in which slice."""
    return f"questions/{task}/{part}/{_MEMBERSHIP}"


def metric_directions(tasks: Iterable[str]) -> dict[str, str]:
    """Say of every metric of some tasks whether the higher or the lower value is better."""
    metrics = chain.from_iterable(get_task(name).metrics for name in tasks)
    return {name: METRICS.get(name).better for name in sorted(set(metrics))}


def judge(task: Task, validation: Holdout, cutoff: int) -> Callable[[Ranking], float]:
    """Return what scores a ranking by the task's headline metric, higher being better.

    Args:
        task: The downstream task.
        validation: Questions with answers, never test.
        cutoff: The headline's list length.
    """
    metric = task.metrics[0]
    sign = 1.0 if METRICS.get(metric).better == "higher" else -1.0
    whole = validation.truth.select("unit_id", "item_id", pl.lit("all").alias("slice"))

    def score(ranking: Ranking) -> float:
        units = score_units(ranking, validation.truth, whole, [metric], [cutoff])
        return sign * float(np.mean(units["value"].to_numpy()))

    return score
