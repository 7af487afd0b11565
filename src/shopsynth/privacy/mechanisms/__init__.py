"""Mechanisms: the only code that reads personal rows in mode ``dp``, and what they may answer."""

from shopsynth.privacy.mechanisms.base import MECHANISMS, Mechanism

__all__ = ["MECHANISMS", "Mechanism"]
