"""Where the rankers of next_item are found.

In: a model's name and the recipe's options. Out: an unfitted :class:`Ranker`.

To add one: a file in this folder named after the model, holding a class decorated with
``@register("<the file's name>")``. The conformance suite finds it by itself.
"""

from shopsynth.schema import Registry, Settings
from shopsynth.train.base import Ranker


class NoOptions(Settings):
    """Options of a model that has none."""


RANKERS: Registry[Ranker] = Registry("train.next_item", support=frozenset({"task"}))
"""All models of the task."""

register = RANKERS.register
