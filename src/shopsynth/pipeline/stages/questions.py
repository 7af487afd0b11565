"""Questions: a task's holdout as parts, posed once and read by many tasks.

In: the split. Out: ``<part>/history``, ``<part>/truth``, ``<part>/membership``.
"""

import polars as pl

from shopsynth.pipeline.base import PartRef
from shopsynth.pipeline.job import Job
from shopsynth.pipeline.stages.base import StageContext, read_split
from shopsynth.schema import Dataset, Holdout
from shopsynth.train import get_task

_HERE = "shopsynth.pipeline.stages.questions"


def pose_questions(context: StageContext, part: str) -> list[PartRef]:
    """Pose the questions of ``validation`` or ``test`` and keep them as parts."""
    split = context.done["split"]
    posed = context.verbs.fit(
        f"{part} questions",
        f"{_HERE}:pose",
        split.outputs,
        part=part,
        task=context.recipe.train.tasks[0],
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
    job.write(f"{part}/history", holdout.requests.need(task.table))
    job.write(f"{part}/truth", holdout.truth)
    job.write(f"{part}/membership", task.slices(split, holdout.truth))
    return {"units": holdout.truth["unit_id"].n_unique()}


def as_holdout(job: Job, part: str, exclude_seen: bool) -> Holdout:
    """Build the holdout of a part from a job's inputs."""
    history: pl.DataFrame = job.frame(f"{part}/history")
    return Holdout(
        Dataset(items=job.frame("items"), events=history),
        job.frame(f"{part}/truth"),
        exclude_seen,
    )
