"""Deaths of a process at any write: what it leaves on disk is what a test then opens."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest.mock import patch


class Died(BaseException):
    """Stands for a process that ended: nothing but ``finally`` runs, as locks go with a process."""


def die() -> None:
    raise Died


@contextmanager
def dying_at(step: int, how: Callable[[], None] = die) -> Iterator[None]:
    """Die at the so-manieth write, flush or replacement of a file; a write gets half through."""
    left = [step]
    write, fsync, replace = os.write, os.fsync, Path.replace

    def counted() -> bool:
        left[0] -= 1
        return left[0] < 0

    def dying_write(handle: int, data: bytes) -> int:
        if counted():
            write(handle, data[: len(data) // 2])
            how()
        return write(handle, data)

    def dying_fsync(handle: int) -> None:
        if counted():
            how()
        fsync(handle)

    def dying_replace(path: Path, target: Path) -> Path:
        if counted():
            how()
        return replace(path, target)

    with (
        patch("os.write", dying_write),
        patch("os.fsync", dying_fsync),
        patch.object(Path, "replace", dying_replace),
    ):
        yield
