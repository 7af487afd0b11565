"""Time, so that tests need not wait for it.

In: nothing. Out: seconds passed, the date, sleep.
"""

import time
from typing import Protocol


class Clock(Protocol):
    """Whoever tells the time."""

    def elapsed_s(self) -> float:
        """Seconds since some moment; never goes back."""

    def unix_s(self) -> float:
        """Seconds since 1970, as calendars have it."""

    def sleep(self, seconds: float) -> None:
        """Return after so many seconds."""


class SystemClock:
    """The clock of this machine."""

    def elapsed_s(self) -> float:
        """Seconds since some moment; never goes back."""
        return time.monotonic()

    def unix_s(self) -> float:
        """Seconds since 1970."""
        return time.time()

    def sleep(self, seconds: float) -> None:
        """Return after so many seconds."""
        time.sleep(seconds)


SYSTEM_CLOCK = SystemClock()
