"""LocalStore: the object store in a folder.

In: finished files and small documents. Out: the same, complete or not at all.
"""

import errno
import json
import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

from shopsynth.schema import WorkspaceError

_SCRATCH = ".scratch"


class LocalStore:
    """Keeps parts below one folder; every write is a rename.

    Args:
        root: The folder; made if missing.

    Raises:
        WorkspaceError: If the folder cannot be made or written.
    """

    def __init__(self, root: Path) -> None:
        self.root = root.resolve()
        try:
            (self.root / _SCRATCH).mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=self.root / _SCRATCH):
                pass
        except OSError as error:
            raise storage_error(self.root, error) from error

    def put_file(self, source: Path, key: str) -> None:
        """Move a finished file to ``key``; a file that is already there has the same content."""
        target = self.root / key
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            with source.open("rb") as stream:
                os.fsync(stream.fileno())
            source.replace(target)
        except OSError as error:
            raise storage_error(self.root, error) from error

    def put_json(self, key: str, value: Any) -> None:
        """Write a document under a temporary name, flush it, rename it into place."""
        text = json.dumps(value, indent=1, sort_keys=True, ensure_ascii=False, allow_nan=False)
        self.put_text(key, text + "\n")

    def put_text(self, key: str, text: str) -> None:
        """Write a text file as :meth:`put_json` writes documents."""
        try:
            handle, name = tempfile.mkstemp(dir=self.root / _SCRATCH)
            with os.fdopen(handle, "w", encoding="utf-8") as stream:
                stream.write(text)
        except OSError as error:
            raise storage_error(self.root, error) from error
        self.put_file(Path(name), key)

    def get_json(self, key: str) -> Any | None:
        """Read a document; ``None`` if it does not exist.

        Raises:
            WorkspaceError: If the file is no JSON: somebody else wrote it.
        """
        path = self.root / key
        if not path.exists():
            return None
        try:
            return json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise WorkspaceError(
                f"{path}: expected a JSON document written by shopsynth, could not read one; "
                "remove the file and run again"
            ) from error

    def exists(self, key: str) -> bool:
        """Say whether ``key`` is there."""
        return (self.root / key).exists()

    def local_path(self, key: str) -> Path:
        """Return the file itself."""
        return self.root / key

    def keys(self, prefix: str) -> list[str]:
        """List files below a prefix, without scratch files."""
        found = (self.root / prefix).rglob("*")
        return sorted(path.relative_to(self.root).as_posix() for path in found if path.is_file())

    def delete(self, key: str) -> None:
        """Remove a file, if it is there."""
        (self.root / key).unlink(missing_ok=True)

    def scratch(self) -> Path:
        """Make an empty folder on the same disk, so that a rename from it is atomic."""
        try:
            return Path(tempfile.mkdtemp(dir=self.root / _SCRATCH))
        except OSError as error:
            raise storage_error(self.root, error) from error

    def sweep(self) -> None:
        """Remove what killed runs left in the scratch folder; the caller holds the lock."""
        for leftover in (self.root / _SCRATCH).iterdir():
            if leftover.is_dir():
                shutil.rmtree(leftover, ignore_errors=True)
            else:
                leftover.unlink(missing_ok=True)


def storage_error(place: Path, error: BaseException) -> WorkspaceError:
    """Say what a failed write means and what to do.

    Args:
        place: The folder that was written to.
        error: What the system or a library raised.
    """
    text = str(error)
    number = getattr(error, "errno", None)
    if number == errno.ENOSPC or "No space left" in text or "os error 28" in text:
        what = "the disk is full; free some space or choose another --workspace"
    elif number in (errno.EACCES, errno.EPERM, errno.EROFS) or "ermission denied" in text:
        what = "it cannot be written; check its permissions or choose another --workspace"
    elif number in (errno.EEXIST, errno.ENOTDIR):
        what = "it is a file, not a folder; choose another --workspace"
    else:
        what = f"writing failed ({type(error).__name__})"
    return WorkspaceError(
        f"workspace {place}: expected a writable folder, but {what}. "
        "Finished work is kept: run again and it goes on from there."
    )
