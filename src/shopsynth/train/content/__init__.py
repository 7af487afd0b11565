"""Content: what class a short text is of, as people said it."""

from shopsynth.train.content.base import RANKERS, register
from shopsynth.train.content.task import Content

__all__ = ["RANKERS", "Content", "register"]
