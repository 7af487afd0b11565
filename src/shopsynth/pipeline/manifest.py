"""Manifest: the document whose appearance makes a stage complete.

In: a stage's outputs and costs. Out: one JSON document, written by rename.
"""

import platform
from dataclasses import asdict, dataclass, field
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any, Self

from shopsynth.pipeline.base import PartRef
from shopsynth.pipeline.meter import Cost
from shopsynth.schema import sha256_of

FORMAT = 2
_REPORTED = ("shopsynth", "polars", "pyarrow", "numpy", "scipy", "torch", "safetensors")


@dataclass(frozen=True)
class Manifest:
    """A complete stage.

    Attributes:
        stage: Its name.
        key: Hash of inputs, configuration and code; a rerun with the same key is skipped.
        config: The part of the recipe it obeyed.
        inputs: Hashes of what it read, by name.
        outputs: The parts it made, in order.
        facts: Small values later stages and the report read.
        seed: The recipe's seed.
        cost: Wall seconds, CPU seconds, peak memory.
        costs: What pieces of the stage cost, for example the fits of each arm; outside the digest,
            because seconds differ from run to run and results do not.
        finished_at: When it was complete, ISO 8601, UTC.
        versions: Versions of Python and of the libraries that matter.
    """

    stage: str
    key: str
    config: dict[str, Any]
    inputs: dict[str, str]
    outputs: tuple[PartRef, ...]
    facts: dict[str, Any]
    seed: int
    cost: Cost
    finished_at: str
    versions: dict[str, str] = field(default_factory=dict)
    costs: tuple[dict[str, Any], ...] = ()

    @property
    def digest(self) -> str:
        """Hash of the outputs and facts, for the stages that build on them."""
        parts = [(ref.name, ref.label, ref.sha256) for ref in self.outputs]
        return sha256_of([parts, self.facts])

    def parts(self, *names: str) -> tuple[PartRef, ...]:
        """Return the outputs with one of the names, in order."""
        return tuple(ref for ref in self.outputs if ref.name in names)

    def rows(self, name: str) -> int:
        """Return the number of rows of an output table."""
        return sum(ref.rows or 0 for ref in self.outputs if ref.name == name)

    def to_json(self) -> dict[str, Any]:
        """Return the manifest as JSON-ready values."""
        values = asdict(self)
        values["format"] = FORMAT
        values["digest"] = self.digest
        return values

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Self:
        """Rebuild a manifest from :meth:`to_json`."""
        known = {k: v for k, v in values.items() if k not in ("format", "digest")}
        known["outputs"] = tuple(PartRef.from_json(ref) for ref in values["outputs"])
        known["cost"] = Cost(**values["cost"])
        known["costs"] = tuple(values["costs"])
        return cls(**known)


@cache
def library_versions() -> dict[str, str]:
    """Return the versions of Python and of the libraries that can change a result."""
    found = {"python": platform.python_version()}
    for name in _REPORTED:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


@cache
def code_hash(*packages: str) -> str:
    """Hash the source of packages or modules below ``shopsynth``, so that new code runs anew.

    Args:
        packages: Dotted names below ``shopsynth``, for example ``"clean"``.
    """
    root = files("shopsynth")
    digests: dict[str, str] = {}
    for package in packages:
        place = root.joinpath(*package.split("."))
        if place.is_dir():
            _hash_sources(place, package, digests)
        else:
            source = root.joinpath(*package.split(".")[:-1], package.split(".")[-1] + ".py")
            digests[package] = sha256_of(source.read_text(encoding="utf-8"))
    return sha256_of(digests)


def _hash_sources(place: Traversable, name: str, digests: dict[str, str]) -> None:
    for entry in sorted(place.iterdir(), key=lambda item: item.name):
        if entry.is_dir() and entry.name != "__pycache__":
            _hash_sources(entry, f"{name}.{entry.name}", digests)
        elif entry.name.endswith((".py", ".jinja", ".css", ".js", ".json")):
            digests[f"{name}.{entry.name}"] = sha256_of(entry.read_text(encoding="utf-8"))
