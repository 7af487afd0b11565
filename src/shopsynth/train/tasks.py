"""Which downstream tasks exist and which models each has.

In: names of a recipe. Out: a :class:`Task`, or an unfitted :class:`Ranker` with checked options.
"""

from importlib import import_module
from typing import Any

from shopsynth.schema import Registry, UnknownNameError, nearest
from shopsynth.train.base import Ranker, Task

TASKS: tuple[str, ...] = ("next_item",)
"""Every task by name; each is a folder of the train room with ``TASK`` and ``RANKERS``."""


def get_task(name: str) -> Task:
    """Find a downstream task.

    Args:
        name: One of :data:`TASKS`.

    Raises:
        UnknownNameError: If there is no such task; lists those that exist.

    Example:
        >>> get_task("next_item").metrics
        ('ndcg', 'recall', 'mrr')
    """
    task: Task = _folder(name).TASK
    return task


def rankers(task: str) -> Registry[Ranker]:
    """Return the models of a task.

    Raises:
        UnknownNameError: If there is no such task.
    """
    registry: Registry[Ranker] = _folder(task).RANKERS
    return registry


def make_ranker(task: str, name: str, options: dict[str, Any]) -> Ranker:
    """Find a model and give it checked options.

    Args:
        task: One of :data:`TASKS`.
        name: Registered name of the model.
        options: The recipe's ``[train.options.<name>]`` block.

    Raises:
        UnknownNameError: If there is no such task or model; lists those that exist.
        RecipeError: If an option is unknown or out of range.
    """
    cls = rankers(task).get(name)
    return cls(cls.Options.parse(options, f"train.options.{name}"))


def _folder(task: str) -> Any:
    if task not in TASKS:
        raise UnknownNameError(f"train has no task {task!r}; {nearest(task, TASKS)}")
    return import_module(f"shopsynth.train.{task}")
