"""Job: what a task's function sees: its inputs, its parameters, and where its outputs go.

In: a :class:`Task` and a store. Out: content-named parts and a record that the task is done.
"""

import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import asdict
from importlib import import_module
from pathlib import Path
from typing import Any

import polars as pl

from shopsynth.pipeline.base import ObjectStore, PartRef, Task, TaskResult
from shopsynth.pipeline.meter import Cost, Meter
from shopsynth.pipeline.store import storage_error
from shopsynth.schema import SILENT, Progress, SchemaError, WorkspaceError, sha256_of_file


class Job:
    """One task at work.

    Args:
        task: What to do.
        store: Where inputs are and outputs go.
        progress: Listener for long work inside the task.
    """

    def __init__(self, task: Task, store: ObjectStore, progress: Progress = SILENT) -> None:
        self.task = task
        self.params = task.params
        self.progress = progress
        self._store = store
        self._outputs: list[PartRef] = []
        self._scratch = store.scratch()

    def refs(self, name: str) -> list[PartRef]:
        """List the input parts called ``name``."""
        return [ref for ref in self.task.inputs if ref.name == name]

    def names(self) -> list[str]:
        """List the names of the inputs, each once, in order."""
        return list(dict.fromkeys(ref.name for ref in self.task.inputs))

    def frame(self, name: str) -> pl.DataFrame:
        """Read a table's input parts, one below the other in the order they were given.

        Raises:
            WorkspaceError: If the task has no such input or a part is damaged.
            SchemaError: If a column has types in two parts that have no common one.
        """
        found = self.refs(name)
        if not found:
            raise WorkspaceError(
                f"task {self.task.function}: expected an input {name}, "
                f"got {', '.join(self.names()) or 'none'}"
            )
        frames = [_read_parquet(self._store.local_path(ref.key)) for ref in found]
        return frames[0] if len(frames) == 1 else _stacked(name, frames)

    def frames(self, name: str) -> Iterator[pl.DataFrame]:
        """Read a table's input parts one after the other, where all of them are too many to hold.

        Raises:
            WorkspaceError: If a part is damaged.
        """
        return (_read_parquet(self._store.local_path(ref.key)) for ref in self.refs(name))

    def optional_frame(self, name: str) -> pl.DataFrame | None:
        """Read a table, or return ``None`` if the task has no such input."""
        return self.frame(name) if self.refs(name) else None

    def json(self, name: str) -> Any:
        """Read the one JSON input called ``name``."""
        (ref,) = self.refs(name)
        return json.loads(self._store.local_path(ref.key).read_text(encoding="utf-8"))

    def folder(self, name: str) -> Path:
        """Lay out the input files called ``name`` in a folder, each under its label."""
        folder = self._scratch / "in" / name
        try:
            folder.mkdir(parents=True, exist_ok=True)
            for ref in self.refs(name):
                shutil.copyfile(self._store.local_path(ref.key), folder / ref.label)
        except OSError as error:
            raise storage_error(self._scratch.parent.parent, error) from error
        return folder

    def write(self, name: str, frame: pl.DataFrame, label: str = "all") -> PartRef:
        """Write a table as one Parquet part."""
        path = self._scratch / "part.parquet"
        try:
            frame.write_parquet(path, compression="zstd", compression_level=3, statistics=True)
        except (OSError, pl.exceptions.PolarsError) as error:
            raise storage_error(self._scratch.parent.parent, error) from error
        return self._keep(name, label, path, frame.height)

    def write_json(self, name: str, value: Any, label: str = "all") -> PartRef:
        """Write JSON-ready values as one part."""
        path = self._scratch / "part.json"
        text = json.dumps(value, sort_keys=True, ensure_ascii=False, allow_nan=False)
        try:
            path.write_text(text, encoding="utf-8")
        except OSError as error:
            raise storage_error(self._scratch.parent.parent, error) from error
        return self._keep(name, label, path, None)

    def write_folder(self, name: str, fill: Callable[[Path], object]) -> None:
        """Let ``fill`` write files into an empty folder and keep each of them as a part.

        Args:
            name: Name of the parts; their labels are the file names.
            fill: Called with the folder, for example a model's ``save``.
        """
        folder = self._scratch / "out"
        folder.mkdir()
        try:
            fill(folder)
        except OSError as error:
            raise storage_error(self._scratch.parent.parent, error) from error
        for path in sorted(folder.iterdir()):
            self._keep(name, path.name, path, None)
        folder.rmdir()

    def finish(self, facts: dict[str, Any], cost: Cost) -> TaskResult:
        """Record the task as done; from now on it is never run again."""
        record = {
            "function": self.task.function,
            "outputs": [ref.to_json() for ref in self._outputs],
            "facts": facts,
            "cost": asdict(cost),
        }
        self._store.put_json(record_key(self.task), record)
        return TaskResult(tuple(self._outputs), facts, cost)

    def clean_up(self) -> None:
        """Remove unfinished files."""
        shutil.rmtree(self._scratch, ignore_errors=True)

    def _keep(self, name: str, label: str, path: Path, rows: int | None) -> PartRef:
        digest = sha256_of_file(path)
        key = f"{self.task.stage}/{name}/{digest[:32]}{path.suffix}"
        size = path.stat().st_size
        self._store.put_file(path, key)
        ref = PartRef(name, label, key, digest, size, rows)
        self._outputs.append(ref)
        return ref


def record_key(task: Task) -> str:
    """Name the record that says a task is done."""
    return f"{task.stage}/tasks/{task.key[:32]}.json"


def recorded(task: Task, store: ObjectStore) -> TaskResult | None:
    """Return the result of a task that ran before, if all of its parts still exist."""
    record = store.get_json(record_key(task))
    if record is None or "cost" not in record:
        return None
    outputs = tuple(PartRef.from_json(values) for values in record["outputs"])
    if not all(store.exists(ref.key) for ref in outputs):
        return None
    return TaskResult(outputs, record["facts"], Cost(**record["cost"]), ran=False)


def run_task(task: Task, store: ObjectStore, progress: Progress = SILENT) -> TaskResult:
    """Run one task here and now.

    The function may return a dict of facts for the driver.
    """
    module, _, function = task.function.partition(":")
    job = Job(task, store, progress)
    try:
        with Meter() as meter:
            facts = getattr(import_module(module), function)(job)
        return job.finish(facts or {}, meter.cost())
    finally:
        job.clean_up()


def _stacked(name: str, frames: list[pl.DataFrame]) -> pl.DataFrame:
    try:
        return pl.concat(frames, how="diagonal_relaxed")
    except (pl.exceptions.SchemaError, pl.exceptions.InvalidOperationError) as error:
        types: dict[str, list[str]] = {}
        for column, dtype in (pair for frame in frames for pair in frame.schema.items()):
            known = types.setdefault(column, [])
            if str(dtype) not in known:
                known.append(str(dtype))
        faults = [
            f"column {column}: {' and '.join(found)} in different parts; expected one type in all "
            "files of a source"
            for column, found in types.items()
            if len(found) > 1
        ]
        raise SchemaError(f"table {name}: {'; '.join(faults)}") from error


def _read_parquet(path: Path) -> pl.DataFrame:
    try:
        return pl.read_parquet(path, memory_map=False)
    except (OSError, pl.exceptions.PolarsError) as error:
        raise WorkspaceError(
            f"{path}: expected a Parquet part of this workspace, could not read it "
            f"({type(error).__name__}); delete the file and run again, it will be made anew"
        ) from error
