"""Next item: which items a user's next session holds, given the history before it."""

from shopsynth.train.next_item.base import RANKERS, register
from shopsynth.train.next_item.task import NextItem

__all__ = ["RANKERS", "NextItem", "register"]
