"""A clock that tests turn by hand: sleeping takes no time, and is written down.

In: nothing. Out: the interface of ``shopsynth.generate.llm.clock.Clock``.
"""

import threading


class FakeClock:
    """Time that passes only in sleep."""

    def __init__(self, now_s: float = 1_800_000_000.0) -> None:
        self._now_s = now_s
        self._lock = threading.Lock()
        self.slept_s: list[float] = []

    def elapsed_s(self) -> float:
        with self._lock:
            return self._now_s

    def unix_s(self) -> float:
        return self.elapsed_s()

    def sleep(self, seconds: float) -> None:
        with self._lock:
            self._now_s += seconds
            self.slept_s.append(seconds)
