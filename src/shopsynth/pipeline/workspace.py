"""Workspace: the folder a run lives in.

In: stage names and manifests. Out: the same, complete or absent, safe against a second run.

    <workspace>/<stage>/manifest.json     the stage is complete
    <workspace>/<stage>/<name>/<hash>.*   its parts
    <workspace>/<stage>/tasks/<key>.json  tasks that are done and whose parts are kept
    <workspace>/recipe.json               the resolved recipe of the last run
    <workspace>/summary.json              the stable contract
"""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from shopsynth.pipeline.base import PartRef
from shopsynth.pipeline.manifest import FORMAT, Manifest
from shopsynth.pipeline.store import LocalStore, storage_error
from shopsynth.schema import WorkspaceError

_MARK = "workspace.json"


class Workspace:
    """One folder with everything a run made.

    Args:
        root: The folder; made if missing. A folder with foreign files is refused.

    Raises:
        WorkspaceError: If the folder cannot be written or is no workspace.
    """

    def __init__(self, root: str | Path) -> None:
        self.root = Path(root).resolve()
        self._refuse_foreign()
        self.store = LocalStore(self.root)
        if not self.store.exists(_MARK):
            self.store.put_json(_MARK, {"format": 1, "what": "a shopsynth workspace"})

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the workspace alone, and sweep up what a killed run left.

        Raises:
            WorkspaceError: If another run holds it.
        """
        lock = FileLock(self.root / ".lock", timeout=0)
        try:
            lock.acquire()
        except Timeout as error:
            raise WorkspaceError(
                f"workspace {self.root}: another run is using it; wait for it to end "
                "or choose another --workspace"
            ) from error
        try:
            self.store.sweep()
            yield
        finally:
            lock.release()

    def manifest(self, stage: str) -> Manifest | None:
        """Return a stage's manifest if the stage is complete and all of its parts exist.

        One in another version's format counts as none: the stage runs again.
        """
        values = self.store.get_json(f"{stage}/manifest.json")
        if values is None or values.get("format") != FORMAT:
            return None
        manifest = Manifest.from_json(values)
        whole = all(self.store.exists(ref.key) for ref in manifest.outputs)
        return manifest if whole else None

    def complete(self, manifest: Manifest) -> None:
        """Make a stage complete, then drop parts that no longer belong to it.

        Records of tasks stay as long as their parts do: a run with two more seeds then does the
        work of two seeds.
        """
        self.store.put_json(f"{manifest.stage}/manifest.json", manifest.to_json())
        keep = {ref.key for ref in manifest.outputs} | {f"{manifest.stage}/manifest.json"}
        for key in self.store.keys(manifest.stage):
            if key not in keep and not self._is_live_record(key, keep):
                self.store.delete(key)

    def lay_out(self, ref: PartRef, name: str) -> Path:
        """Copy a part to a stable name, so that readers see the old file or the new one.

        Raises:
            WorkspaceError: If it cannot be written.
        """
        draft = self.store.scratch() / "copy"
        try:
            shutil.copyfile(self.store.local_path(ref.key), draft)
            self.store.put_file(draft, name)
            draft.parent.rmdir()
        except OSError as error:
            raise storage_error(self.root, error) from error
        return self.root / name

    def _is_live_record(self, key: str, kept: set[str]) -> bool:
        if "/tasks/" not in key:
            return False
        record = self.store.get_json(key)
        return record is not None and all(ref["key"] in kept for ref in record["outputs"])

    def path(self, name: str) -> Path:
        """Return the path of a file at the top of the workspace."""
        return self.root / name

    def write_json(self, name: str, value: Any) -> Path:
        """Write a document at the top of the workspace."""
        self.store.put_json(name, value)
        return self.root / name

    def _refuse_foreign(self) -> None:
        if self.root.is_dir() and not (self.root / _MARK).exists():
            try:
                foreign = [entry.name for entry in self.root.iterdir()]
            except OSError:
                return
            if set(foreign) - {".scratch", ".lock", "lost+found"}:
                raise WorkspaceError(
                    f"workspace {self.root}: expected an empty folder or a shopsynth workspace, "
                    f"found {len(foreign)} other files; choose another --workspace"
                )


def open_workspace(root: str | Path) -> Workspace:
    """Open a workspace that must exist already.

    Raises:
        WorkspaceError: If there is none; nothing is made.
    """
    if not (Path(root) / _MARK).is_file():
        raise WorkspaceError(
            f"workspace {root}: expected one that a run has made, found none; "
            "run: shopsynth run RECIPE --workspace DIR"
        )
    return Workspace(root)
