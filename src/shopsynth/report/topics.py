"""What each downstream task is told by: its headline model, metric and list length.

In: an :class:`Evaluation` and the run's own headline. Out: one :class:`Topic` a task.
"""

from dataclasses import dataclass

import polars as pl

from shopsynth.report.comparisons import BASELINE, CANDIDATE, task_of
from shopsynth.report.labels import metric_label, model_label, plain
from shopsynth.schema import Evaluation


@dataclass(frozen=True)
class Topic:
    """One task's headline.

    Attributes:
        task: Downstream task, empty where nothing was measured.
        model: The model told first.
        metric: The metric told.
        cutoff: Its list length; ``None`` where it has none.
    """

    task: str
    model: str
    metric: str
    cutoff: int | None

    @property
    def title(self) -> str:
        """Name the task in reading words."""
        return plain(self.task).capitalize()

    @property
    def metric_name(self) -> str:
        """Name the metric with its list length."""
        return metric_label(self.metric, self.cutoff)

    @property
    def model_name(self) -> str:
        """Name the model."""
        return model_label(self.model)


def topics(evaluation: Evaluation, model: str, metric: str, cutoff: int | None) -> list[Topic]:
    """Name every task's headline, the run's own first.

    A task that was not measured with the run's headline is told by the first of its comparisons,
    which the evaluate room puts there for that, or else by the first of its means.

    Args:
        evaluation: All results.
        model: The run's headline model.
        metric: The run's headline metric.
        cutoff: Its list length.
    """
    own = Topic(task_of(evaluation, model) or "", model, metric, cutoff)
    others = [
        _topic(evaluation, task)
        for task in dict.fromkeys(evaluation.metrics["task"])
        if task != own.task
    ]
    return [own, *others] if own.task else others or [own]


def _topic(evaluation: Evaluation, task: str) -> Topic:
    compared = evaluation.uplift.filter(task=task, slice="all", arm=CANDIDATE, against=BASELINE)
    rows = compared if compared.height else evaluation.metrics.filter(pl.col("task") == task)
    model, metric, cutoff = rows.select("model", "metric", "cutoff").row(0)
    return Topic(task, model, metric, cutoff)
