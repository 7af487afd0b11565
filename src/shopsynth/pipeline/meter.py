"""Meter: what a stage cost.

In: a block of work. Out: wall seconds, CPU seconds and peak memory of the whole process tree.
"""

import threading
import time
from dataclasses import dataclass
from types import TracebackType
from typing import Self

import psutil

_INTERVAL_S = 0.1
_MIB = 1 << 20


@dataclass(frozen=True)
class Cost:
    """What a piece of work cost.

    Attributes:
        wall_s: Seconds on the clock.
        cpu_s: CPU seconds of this process and all of its workers.
        peak_rss_mb: Largest resident memory of the process tree, in MiB, sampled.
    """

    wall_s: float
    cpu_s: float
    peak_rss_mb: float


NO_COST = Cost(0.0, 0.0, 0.0)


class Meter:
    """Measure a ``with`` block.

    Example:
        >>> with Meter() as meter:
        ...     total = sum(range(1000))
        >>> meter.cost(worker_cpu_s=0.5).cpu_s >= 0.5
        True
    """

    def __enter__(self) -> Self:
        self._wall = time.perf_counter()
        self._cpu = time.process_time()
        self._peak = _tree_rss()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stop.set()
        self._thread.join()
        self._peak = max(self._peak, _tree_rss())
        self._wall = time.perf_counter() - self._wall
        self._cpu = time.process_time() - self._cpu

    def cost(self, worker_cpu_s: float = 0.0) -> Cost:
        """Return the cost of the finished block.

        Args:
            worker_cpu_s: CPU seconds that tasks reported from worker processes.
        """
        return Cost(round(self._wall, 3), round(self._cpu + worker_cpu_s, 3), round(self._peak, 1))

    def _watch(self) -> None:
        while not self._stop.wait(_INTERVAL_S):
            self._peak = max(self._peak, _tree_rss())


def _tree_rss() -> float:
    process = psutil.Process()
    total = 0
    for member in (process, *process.children(recursive=True)):
        try:
            total += member.memory_info().rss
        except psutil.Error:
            # A worker that ended between the listing and the look has no memory any more.
            continue
    return total / _MIB
