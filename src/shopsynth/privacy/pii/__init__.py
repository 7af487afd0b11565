"""Personal data in free text, Chinese and English: found by rules and models, and replaced."""

from shopsynth.privacy.pii.finder import Names, find_pii
from shopsynth.privacy.pii.hits import KINDS
from shopsynth.privacy.pii.replacing import Replacement, replace_pii

__all__ = ["KINDS", "Names", "Replacement", "find_pii", "replace_pii"]
