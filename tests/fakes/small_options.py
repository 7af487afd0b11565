"""Options with which a method that trains a network takes a second, for the conformance suites."""

from typing import Any

SMALL_OPTIONS: dict[str, dict[str, Any]] = {}
"""By the method's name; who has none is asked as it comes."""

SMALL_PRIVATE_OPTIONS: dict[str, dict[str, Any]] = {
    "sequence_lm": {"training_steps": 5, "context": 8},
}
"""Likewise in mode dp."""
