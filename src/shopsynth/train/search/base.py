"""Where the rankers of search are found, and what a training row says to all of them.

In: a model's name and the recipe's options. Out: an unfitted :class:`Ranker`.

To add one: a file in this folder named after the model, holding a class decorated with
``@register("<the file's name>")``. The conformance suite finds it by itself.
"""

from shopsynth.schema import Registry
from shopsynth.train.base import Ranker

RANKERS: Registry[Ranker] = Registry("train.search", support=frozenset({"task"}))
"""All models of the task."""

register = RANKERS.register

RELEVANT = 1.0
"""Least grade of an item that answers a query: 1 is the least useful of DESIGN's four grades that
is any use (a complement), and two of Home Depot's three."""
