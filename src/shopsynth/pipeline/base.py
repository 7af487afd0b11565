"""The two outer protocols of the pipeline and what flows between its tasks.

In: pure functions named by text, parts of data named by content. Out: parts of data.

A :class:`Task` says which function runs on which parts with which parameters; its key is a hash of
all three and of the code, so a task that ran once never runs again. Nothing here knows how many
machines there are: an :class:`Executor` runs tasks anywhere, an :class:`ObjectStore` keeps parts
anywhere.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Protocol, Self

from shopsynth.pipeline.meter import NO_COST, Cost
from shopsynth.schema import Progress, sha256_of


@dataclass(frozen=True)
class PartRef:
    """One immutable file of a stage.

    Attributes:
        name: What it holds, for example ``events`` or ``train/events``.
        label: Which piece of it: a bucket, a file name, a model's name.
        key: Its place in the store, which ends in its content hash.
        sha256: Hash of its bytes.
        size_bytes: Its size.
        rows: Number of rows of a table; ``None`` for other files.
    """

    name: str
    label: str
    key: str
    sha256: str
    size_bytes: int
    rows: int | None = None

    def to_json(self) -> dict[str, Any]:
        """Return the reference as JSON-ready values."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Self:
        """Rebuild a reference from :meth:`to_json`."""
        return cls(**values)


@dataclass(frozen=True)
class Task:
    """One run of a pure function.

    Attributes:
        stage: The stage it belongs to.
        function: ``"package.module:function"``; it takes one :class:`~shopsynth.pipeline.job.Job`.
        inputs: The parts it reads.
        params: JSON-ready parameters.
        code: Hash of the code the result depends on.
    """

    stage: str
    function: str
    inputs: tuple[PartRef, ...]
    params: dict[str, Any] = field(default_factory=dict)
    code: str = ""

    @property
    def key(self) -> str:
        """Hash that identifies the task's result."""
        return sha256_of(
            {
                "function": self.function,
                "inputs": [(ref.name, ref.label, ref.sha256) for ref in self.inputs],
                "params": self.params,
                "code": self.code,
            }
        )


@dataclass(frozen=True)
class TaskResult:
    """What a task left behind.

    Attributes:
        outputs: The parts it wrote, in order.
        facts: Small JSON-ready values it returned to the driver.
        cost: What it cost when it ran, now or in an earlier run that was cut off.
        ran: Whether it ran now.
    """

    outputs: tuple[PartRef, ...]
    facts: dict[str, Any]
    cost: Cost = NO_COST
    ran: bool = True

    @property
    def cpu_s(self) -> float:
        """CPU seconds it took now; 0 if it had run before."""
        return self.cost.cpu_s if self.ran else 0.0


class ObjectStore(Protocol):
    """Where parts and manifests are kept; keys are relative POSIX paths."""

    def put_file(self, source: Path, key: str) -> None:
        """Move a finished local file to ``key``; the first writer wins, later ones are no error."""

    def put_json(self, key: str, value: Any) -> None:
        """Write a small document so that readers see the old one or the new one, never half."""

    def get_json(self, key: str) -> Any | None:
        """Read a small document; ``None`` if there is none."""

    def exists(self, key: str) -> bool:
        """Say whether there is something at ``key``."""

    def local_path(self, key: str) -> Path:
        """Return a local file with the content of ``key``, fetched if need be."""

    def keys(self, prefix: str) -> list[str]:
        """List the keys below a prefix, sorted."""

    def delete(self, key: str) -> None:
        """Remove ``key``; nothing happens if it is gone."""

    def scratch(self) -> Path:
        """Make an empty local folder for unfinished files."""


class Executor(Protocol):
    """Runs tasks somewhere and returns their results in the order of the tasks."""

    def map(
        self, tasks: Sequence[Task], store: ObjectStore, progress: Progress
    ) -> list[TaskResult]:
        """Run every task that has not run before.

        Raises:
            ShopsynthError: The error of the first task that failed; finished ones stay finished.
        """

    def close(self) -> None:
        """Give back what the executor holds."""
