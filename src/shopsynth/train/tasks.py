"""Which downstream tasks exist and which models each has.

In: names of a recipe. Out: a :class:`Task`, or an unfitted :class:`Ranker` with checked options.
"""

from typing import Any

from shopsynth.schema import Registry
from shopsynth.train.base import Ranker, Task

TASKS: Registry[Task] = Registry("train", group="shopsynth.tasks", folders=True)
"""All tasks: each a folder of the train room, or a plug-in."""


def get_task(name: str) -> Task:
    """Find a downstream task.

    Args:
        name: Registered name.

    Raises:
        UnknownNameError: If there is no such task; lists those that exist.

    Example:
        >>> get_task("next_item").metrics[:3]
        ('ndcg', 'recall', 'mrr')
    """
    return TASKS.get(name)()


def rankers(task: str) -> Registry[Ranker]:
    """Return the models of a task.

    Raises:
        UnknownNameError: If there is no such task.
    """
    return TASKS.get(task).rankers


def make_ranker(task: str, name: str, options: dict[str, Any]) -> Ranker:
    """Find a model and give it checked options.

    Args:
        task: Registered name of the task.
        name: Registered name of the model.
        options: The recipe's ``[train.options.<name>]`` block.

    Raises:
        UnknownNameError: If there is no such task or model; lists those that exist.
        RecipeError: If an option is unknown or out of range.
    """
    cls = rankers(task).get(name)
    return cls(cls.Options.parse(options, f"train.options.{name}"))
