"""Search: which items answer a query, over the full catalogue."""

from shopsynth.train.search.base import RANKERS, register
from shopsynth.train.search.task import Search

__all__ = ["RANKERS", "Search", "register"]
