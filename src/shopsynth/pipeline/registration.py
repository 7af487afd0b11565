"""Registration: what is claimed is written down before test is read, and every reading is counted.

In: plans and readings of the test part. Out: ``registration.jsonl`` in the workspace, to which
lines are only ever added; each names the hash of the line before, so that a later change shows.

    {"event": "registered", "plan_sha256": …, "plan": …}                          a plan is frozen
    {"event": "opened", "plan_sha256": …, "look_sha256": …, "test_sha256": …, …}  test will be read
    {"event": "closed", "look_sha256": …}                                         its results stand

A *look* is one reading of the test part. A run that was killed between ``opened`` and ``closed``
goes on with its look; everything else that reads the same rows again is another one. The record
guards against fooling oneself. Who deletes the workspace starts anew, and nobody can see it here.
"""

import json
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from shopsynth.pipeline.looks import (
    UNKNOWN,
    AskedRows,
    Look,
    opened_looks,
    registered_plans,
    told_look,
)
from shopsynth.pipeline.store import storage_error
from shopsynth.schema import WorkspaceError, sha256_of

FILE = "registration.jsonl"
_LOCK = ".registration.lock"
_LOCK_TIMEOUT_S = 30.0
_FIRST = "0" * 64
"""What the first line names as the hash of the line before."""


@dataclass(frozen=True)
class Registered:
    """A plan that is frozen in a workspace.

    Attributes:
        plan_sha256: Its hash.
        registered_at: When the workspace first saw it, ISO 8601, UTC.
    """

    plan_sha256: str
    registered_at: str


def register_plan(workspace: Path, plan: dict[str, Any]) -> Registered:
    """Freeze a plan; one that is frozen already stays as it is.

    Args:
        workspace: An existing folder.
        plan: JSON-ready values.

    Raises:
        WorkspaceError: If the record cannot be written or was changed by somebody else.

    Example:
        >>> import tempfile
        >>> place = Path(tempfile.mkdtemp())
        >>> first = register_plan(place, {"hypotheses": ["it helps"]})
        >>> register_plan(place, {"hypotheses": ["it helps"]}) == first
        True
    """
    digest = sha256_of(plan)
    with _locked(workspace):
        records = read_records(workspace)
        if digest not in registered_plans(records):
            _append(workspace, event="registered", plan_sha256=digest, plan=plan)
            records = read_records(workspace)
        return Registered(digest, registered_plans(records)[digest])


def open_test(workspace: Path, plan_sha256: str, look_sha256: str, rows: AskedRows) -> Look:
    """Count a reading of the test part, before it happens.

    A look that was opened last and never closed was interrupted: it goes on and counts once.

    Args:
        workspace: An existing folder.
        plan_sha256: The registered plan; empty: none was registered.
        look_sha256: Hash of everything the results depend on: plan, rows, models, code.
        rows: What will be read.

    Raises:
        WorkspaceError: If the plan is not registered, or the record cannot be written or was
            changed by somebody else.
    """
    with _locked(workspace):
        records = read_records(workspace)
        if plan_sha256 != UNKNOWN and plan_sha256 not in registered_plans(records):
            raise WorkspaceError(
                f"workspace {workspace}: expected the plan {plan_sha256[:12]} to be registered "
                "before the test part is opened, found it nowhere; register it first"
            )
        if not _goes_on(records, look_sha256):
            _append(
                workspace,
                event="opened",
                plan_sha256=plan_sha256,
                look_sha256=look_sha256,
                test_sha256=rows.sha256,
                test_sample="".join(rows.sample),
                test_whole=rows.whole,
            )
            records = read_records(workspace)
        return told_look(records, opened_looks(records)[-1])


def close_test(workspace: Path, look_sha256: str) -> None:
    """Note that the results of a look stand; from now on the same reading is another look.

    Raises:
        WorkspaceError: If the record cannot be written or was changed by somebody else.
    """
    with _locked(workspace):
        if _goes_on(read_records(workspace), look_sha256):
            _append(workspace, event="closed", look_sha256=look_sha256)


def find_look(workspace: Path, look_sha256: str) -> Look | None:
    """Return the last look with this hash, or ``None`` if there was none.

    Raises:
        WorkspaceError: If the record was changed by somebody else.
    """
    with _locked(workspace):
        records = read_records(workspace)
    found = [look for look in opened_looks(records) if look["look_sha256"] == look_sha256]
    return told_look(records, found[-1]) if found else None


def read_records(workspace: Path) -> list[dict[str, Any]]:
    """Read all records and check that each follows the one before.

    A last line without its end is what a killed run had begun to write: it counts as unwritten.

    Raises:
        WorkspaceError: If a line was changed, taken out or put in.
    """
    path = workspace / FILE
    if not path.exists():
        return []
    try:
        text = path.read_bytes()
    except OSError as error:
        raise storage_error(workspace, error) from error
    records, previous = [], _FIRST
    for number, line in enumerate(text.split(b"\n")[:-1], start=1):
        try:
            record = json.loads(line)
            follows = record["previous"] == previous
        except (ValueError, KeyError, TypeError):
            follows = False
        if not follows:
            raise WorkspaceError(
                f"{path}: line {number}: expected it to follow the line before by its hash, but "
                "the record was changed after it was written, so nothing says any more how often "
                "the test part was read. Put the file back as it was, or start the proof anew "
                "with another --workspace"
            )
        records.append(record)
        previous = sha256(line).hexdigest()
    return records


def _append(workspace: Path, **record: Any) -> None:
    """Add a line and wait until the disk has it; the caller holds the lock."""
    path = workspace / FILE
    try:
        handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
        with os.fdopen(handle, "r+b") as stream:
            text = stream.read()
            whole = text.rfind(b"\n") + 1
            last = text[:whole].rstrip(b"\n").rpartition(b"\n")[2]
            record["previous"] = sha256(last).hexdigest() if last else _FIRST
            record["at"] = datetime.now(UTC).isoformat(timespec="seconds")
            line = json.dumps(record, sort_keys=True, ensure_ascii=False, allow_nan=False)
            # What a killed run had begun to write goes; the new line takes its place.
            stream.truncate(whole)
            stream.seek(whole)
            stream.write(line.encode() + b"\n")
            stream.flush()
            os.fsync(stream.fileno())
        _sync_folder(workspace)
    except OSError as error:
        raise storage_error(workspace, error) from error


def _sync_folder(folder: Path) -> None:
    """Make the file's name durable as well."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def _locked(workspace: Path) -> Iterator[None]:
    lock = FileLock(workspace / _LOCK, timeout=_LOCK_TIMEOUT_S)
    try:
        lock.acquire()
    except Timeout as error:
        raise WorkspaceError(
            f"workspace {workspace}: another process has held its registration for "
            f"{_LOCK_TIMEOUT_S:.0f} s; wait for it to end and run again"
        ) from error
    except OSError as error:
        raise storage_error(workspace, error) from error
    try:
        yield
    finally:
        lock.release()


def _goes_on(records: Sequence[dict[str, Any]], look_sha256: str) -> bool:
    """Say whether the last thing that happened to the test part is this look, unfinished."""
    readings = [record for record in records if record["event"] != "registered"]
    return bool(
        readings
        and readings[-1]["event"] == "opened"
        and readings[-1]["look_sha256"] == look_sha256
    )
