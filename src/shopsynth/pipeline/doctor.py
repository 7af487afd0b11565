"""doctor: what is installed, which devices and stores are there, and what to do about gaps.

In: this machine. Out: one finding a line, good or not.
"""

import os
import platform
import shutil
import sys
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path

import psutil

from shopsynth.pipeline.local import free_cores
from shopsynth.pipeline.models import ToldModel, list_models
from shopsynth.train import describe_device

_EXTRAS = {
    "torch": ("torch", "neural models (sasrec, gru4rec)"),
    "implicit": ("recommend", "the models als and bpr"),
    "optuna": ("tune", "tuning by [train] trials"),
    "duckdb": ("sql", "DuckDB files as a source"),
    "sqlalchemy": ("sql", "databases by URL as a source"),
    "psycopg": ("sql", "PostgreSQL as a source"),
    "ray": ("ray", "runs on a cluster"),
    "fastapi": ("serve", "the REST service"),
    "sentence_transformers": ("text", "text embeddings"),
    "xllamacpp": ("llm", "the embedded language model"),
}
_MIN_DISK_GB = 2.0
_MIN_MEMORY_GB = 4.0


@dataclass(frozen=True)
class Finding:
    """One line of the doctor's report.

    Attributes:
        name: What was looked at.
        ok: Whether it is fine; ``None`` for an optional part that is absent.
        detail: What was found, and what to do if it is not fine.
    """

    name: str
    ok: bool | None
    detail: str


def examine(workspace: Path | None = None) -> list[Finding]:
    """Look at this machine.

    Args:
        workspace: Folder whose disk is examined; the current one otherwise.
    """
    findings = [
        Finding("python", sys.version_info >= (3, 11), platform.python_version()),
        Finding("shopsynth", True, version("shopsynth")),
        Finding("cores", True, str(free_cores())),
        _memory(),
        _disk(workspace or Path.cwd()),
    ]
    findings += [_extra(module, *about) for module, about in _EXTRAS.items()]
    findings += [_model(each) for each in list_models()]
    findings.append(_device())
    findings.append(_key())
    return findings


def _memory() -> Finding:
    available = psutil.virtual_memory().available / 1e9
    advice = "" if available >= _MIN_MEMORY_GB else "; set pipeline.workers = 1"
    return Finding("memory", available >= _MIN_MEMORY_GB, f"{available:.1f} GB free{advice}")


def _disk(place: Path) -> Finding:
    existing = next(folder for folder in (place, *place.absolute().parents) if folder.exists())
    free = shutil.disk_usage(existing).free / 1e9
    advice = "" if free >= _MIN_DISK_GB else "; choose another --workspace"
    return Finding("disk", free >= _MIN_DISK_GB, f"{free:.1f} GB free at {existing}{advice}")


def _extra(module: str, extra: str, purpose: str) -> Finding:
    if find_spec(module) is None:
        return Finding(
            module, None, f"not installed; for {purpose}: pip install shopsynth[{extra}]"
        )
    try:
        return Finding(module, True, version(module.replace("_", "-")))
    except PackageNotFoundError:
        return Finding(module, True, "installed")


def _model(told: ToldModel) -> Finding:
    if told.state == "ready":
        return Finding(f"model {told.name}", True, f"{told.package}, {told.role}")
    detail = f"{told.state}; for {told.role}: shopsynth models add {told.name}"
    return Finding(f"model {told.name}", None, detail)


def _device() -> Finding:
    return Finding("device", True, describe_device())


def _key() -> Finding:
    known = os.environ.get("SHOPSYNTH_PSEUDONYM_KEY") is not None
    where = "from the environment" if known else "a key file in your configuration folder"
    return Finding("pseudonym key", True, where)
