"""Relevance: how well an item answers a query, as people graded it."""

from shopsynth.train.relevance.base import RANKERS, register
from shopsynth.train.relevance.task import Relevance

__all__ = ["RANKERS", "Relevance", "register"]
