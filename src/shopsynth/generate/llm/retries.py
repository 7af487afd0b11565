"""How long to wait before a call is tried again.

In: the number of the try, and what the endpoint asked for. Out: seconds; all threads of a batch
wait together after a 429.
"""

import threading
from collections.abc import Callable

import numpy as np

from shopsynth.generate.llm.clock import Clock
from shopsynth.schema import derived_seed

_FIRST_S = 0.5
_STEP_S = 0.5
"""Longest sleep in one piece, so that a batch that was stopped ends soon."""


def backoff_s(tried: int, most_s: float, seed: int, key: str) -> float:
    """Compute a wait that doubles with every try, half of it by chance.

    Chance keeps requests that failed together from coming back together. The same seed waits the
    same.

    Args:
        tried: Tries so far, at least 1.
        most_s: Longest wait.
        seed: The batch's seed.
        key: The request.

    Source: M. Brooker 2015, "Exponential Backoff And Jitter", AWS Architecture Blog ("equal
    jitter").

    Example:
        >>> 0.5 <= backoff_s(2, 60.0, 7, "a") <= 1.0
        True
    """
    full_s = min(most_s, _FIRST_S * 2 ** (tried - 1))
    random = np.random.Generator(np.random.PCG64(derived_seed(seed, "llm", key, tried)))
    return float(full_s * (0.5 + 0.5 * random.random()))


class Gate:
    """A door that an endpoint's "not before" closes for all threads of a batch.

    Args:
        clock: Whoever tells the time.
        stopped: Whether the batch is over.
    """

    def __init__(self, clock: Clock, stopped: Callable[[], bool]) -> None:
        self._clock = clock
        self._stopped = stopped
        self._opens_s = 0.0
        self._lock = threading.Lock()

    def shut(self, seconds: float) -> None:
        """Let nobody through for so long."""
        with self._lock:
            self._opens_s = max(self._opens_s, self._clock.elapsed_s() + seconds)

    def wait(self) -> None:
        """Wait until the door is open, or the batch is over."""
        while not self._stopped():
            with self._lock:
                left_s = self._opens_s - self._clock.elapsed_s()
            if left_s <= 0:
                return
            self._clock.sleep(min(left_s, _STEP_S))

    def sleep(self, seconds: float) -> None:
        """Wait alone, while others go through."""
        until_s = self._clock.elapsed_s() + seconds
        while not self._stopped() and (left_s := until_s - self._clock.elapsed_s()) > 0:
            self._clock.sleep(min(left_s, _STEP_S))
