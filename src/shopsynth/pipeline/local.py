"""LocalExecutor: tasks in spawned processes of this machine.

In: tasks. Out: their results, in order.

Processes are spawned, never forked: forking beside Polars' threads deadlocks. Each watches its
parent and leaves when the parent is gone, so a killed driver leaves nothing behind. Every worker
has a fixed number of threads, set by the recipe and not by the machine, because sums of floats
depend on it: the same recipe gives the same bytes on two cores and on sixty.
"""

import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager, suppress
from importlib import import_module

from shopsynth.pipeline.base import ObjectStore, Task, TaskResult
from shopsynth.pipeline.job import recorded, run_task
from shopsynth.schema import Progress, ShopsynthError

_WATCH_INTERVAL_S = 0.5
_MAX_BROKEN_POOLS = 2
_THREAD_VARIABLES = (
    "OMP_NUM_THREADS",
    "MKL_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "POLARS_MAX_THREADS",
)


class InlineExecutor:
    """Runs tasks one after the other in this process; for debugging and small tests."""

    def map(
        self, tasks: Sequence[Task], store: ObjectStore, progress: Progress
    ) -> list[TaskResult]:
        """Run the tasks that have not run before, in order."""
        results = []
        for task in tasks:
            results.append(recorded(task, store) or run_task(task, store))
            progress.advance()
        return results

    def close(self) -> None:
        """Hold nothing, give nothing back."""


class LocalExecutor:
    """A pool of spawned worker processes.

    Args:
        workers: Number of processes; ``0`` takes one a core.
        threads: Threads of each, for BLAS, torch and Polars.
    """

    def __init__(self, workers: int = 0, threads: int = 1) -> None:
        self.workers = workers or free_cores()
        self.threads = threads
        self._pool: ProcessPoolExecutor | None = None
        for variable in _THREAD_VARIABLES:
            # Workers inherit the environment when they start, and libraries read it once.
            os.environ[variable] = str(threads)

    def map(
        self, tasks: Sequence[Task], store: ObjectStore, progress: Progress
    ) -> list[TaskResult]:
        """Run the tasks that have not run before, at most ``2 * workers`` in flight.

        Raises:
            ShopsynthError: The first task's error, or the name of a task that kills its worker.
        """
        results: dict[int, TaskResult] = {}
        todo: list[int] = []
        for index, task in enumerate(tasks):
            done = recorded(task, store)
            if done is None:
                todo.append(index)
            else:
                results[index] = done
                progress.advance()
        broken = 0
        while todo:
            # After two broken pools the rest runs one by one, so that the culprit shows itself.
            in_flight = 2 * self.workers if broken < _MAX_BROKEN_POOLS else 1
            try:
                self._drain(tasks, todo, results, store, progress, in_flight)
            except BrokenProcessPool as error:
                self._discard_pool()
                broken += 1
                if broken > _MAX_BROKEN_POOLS:
                    raise _poisoned(tasks[todo[0]]) from error
        return [results[index] for index in range(len(tasks))]

    def close(self) -> None:
        """Stop the workers; unfinished tasks are dropped and run again next time."""
        self._discard_pool()

    def _drain(
        self,
        tasks: Sequence[Task],
        todo: list[int],
        results: dict[int, TaskResult],
        store: ObjectStore,
        progress: Progress,
        in_flight: int,
    ) -> None:
        pool = self._open_pool()
        waiting = list(todo)
        running: dict[Future[TaskResult], int] = {}
        try:
            while waiting or running:
                while waiting and len(running) < in_flight:
                    index = waiting.pop(0)
                    with _ctrl_c_for_the_driver_alone():
                        running[pool.submit(run_task, tasks[index], store)] = index
                finished, _ = wait(running, return_when=FIRST_COMPLETED)
                for future in finished:
                    index = running.pop(future)
                    results[index] = future.result()
                    todo.remove(index)
                    progress.advance()
        except BrokenProcessPool:
            raise
        except BaseException:
            self._discard_pool()
            raise

    def _open_pool(self) -> ProcessPoolExecutor:
        if self._pool is None:
            self._pool = ProcessPoolExecutor(
                self.workers,
                mp_context=multiprocessing.get_context("spawn"),
                initializer=_start_worker,
                initargs=(os.getpid(),),
            )
        return self._pool

    def _discard_pool(self) -> None:
        if self._pool is None:
            return
        processes = list((self._pool._processes or {}).values())
        self._pool.shutdown(wait=False, cancel_futures=True)
        for process in processes:
            process.terminate()
        for process in processes:
            process.join(timeout=5)
        self._pool = None


def free_cores() -> int:
    """Count the cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _poisoned(task: Task) -> ShopsynthError:
    labels = ", ".join(f"{ref.name} {ref.label}" for ref in task.inputs[:3])
    return ShopsynthError(
        f"stage {task.stage}: a worker process died three times, last on {task.function} "
        f"with {labels or 'no inputs'}; expected it to finish. The usual cause is too little "
        "memory: set pipeline.workers = 1, or smaller parts with pipeline.rows_per_part. "
        "Finished tasks are kept."
    )


@contextmanager
def _ctrl_c_for_the_driver_alone() -> Iterator[None]:
    """Start workers with Ctrl-C blocked: it reaches the whole process group.

    A worker would otherwise die of it while it still imports, before it can choose to ignore it.
    A signal that comes meanwhile reaches the driver right after.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _start_worker(parent: int) -> None:
    threading.Thread(target=_leave_with_parent, args=(parent,), daemon=True).start()
    _keep_bars_in_this_process()


def _keep_bars_in_this_process() -> None:
    """Give tqdm, which libraries of models draw bars by, a lock that is no semaphore.

    By default it opens one of the operating system's with its first bar, drawn or not. A worker is
    ended by a signal, so nobody would close it, and Python would warn of a leak.
    """
    with suppress(ImportError):
        import_module("tqdm").tqdm.set_lock(threading.RLock())


def _leave_with_parent(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(_WATCH_INTERVAL_S)
    os._exit(1)
