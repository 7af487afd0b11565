"""How long work tells how far it is, without knowing who listens.

In: steps done. Out: whatever the listener makes of them (a bar, a log line, nothing).
"""

from typing import Protocol


class Progress(Protocol):
    """A listener for one piece of work."""

    def start(self, label: str, total: int | None) -> None:
        """Begin a piece of work of ``total`` steps (``None``: unknown)."""

    def advance(self, steps: int = 1) -> None:
        """Report ``steps`` more steps done."""


class SilentProgress:
    """The listener that does nothing; the default of every library call."""

    def start(self, label: str, total: int | None) -> None:
        """Ignore the start."""

    def advance(self, steps: int = 1) -> None:
        """Ignore the step."""


SILENT = SilentProgress()
