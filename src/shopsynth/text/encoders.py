"""Where the encoders of texts are that packages ship, and what an encoder wants before a text.

In: the name of a model, as a setting has it. Out: a folder that sentence-transformers can load, or
the name itself; and prompts. A model in four bits is unpacked once into the user's cache folder.
"""

import json
import os
import re
import shutil
import tempfile
from pathlib import Path

from shopsynth.schema import SourceError
from shopsynth.schema.fingerprint import sha256_of_file
from shopsynth.text.e5 import unpack_e5
from shopsynth.text.weights import WEIGHTS, hash_once, weights_named, weights_path

ENCODERS = ("minilm", "e5-small")
"""Dense encoders that packages ship."""

PACKED = "e5-small"
"""The one that is shipped in four bits."""

_LAYOUT = 1
"""Counted up whenever what is unpacked changes, so that an old cache is not taken for it."""

_MANIFEST = "manifest.json"
_E5 = re.compile(r"(^|[-_])e5([-_]|$)", re.IGNORECASE)


def encoder_place(name: str) -> str:
    """Say where a model is to be loaded from.

    Args:
        name: A model that a package ships (``minilm``, ``e5-small``), a folder, or a name on a hub.

    Returns:
        A folder that sentence-transformers can load; ``name`` itself where no package ships it.

    Raises:
        MissingExtraError: If the package with the weights is not installed.
        SourceError: If its weights are not what was pinned, or cannot be unpacked.
    """
    if name == PACKED:
        return str(_unpacked(weights_path(name)))
    return str(weights_path(name).parent) if name in WEIGHTS else name


def usual_prompts(name: str) -> tuple[str, str]:
    """Tell what a family of encoders wants before a query and before an item.

    Only what the name says: a folder may know better (``config_sentence_transformers.json``).

    Example:
        >>> usual_prompts("intfloat/multilingual-e5-small")
        ('query: ', 'passage: ')
        >>> usual_prompts("minilm")
        ('', '')
    """
    return ("query: ", "passage: ") if _is_e5(name) else ("", "")


def usual_scale(name: str) -> float:
    """Tell what a family of encoders wants its cosines multiplied by in training.

    20 is what sentence-transformers train with. Those of e5, trained with 100, lie close together
    and want more.

    Example:
        >>> usual_scale("e5-small"), usual_scale("minilm")
        (50.0, 20.0)
    """
    return 50.0 if _is_e5(name) else 20.0


def _is_e5(name: str) -> bool:
    own = re.split(r"[/\\]", name.rstrip("/\\"))[-1]
    return _E5.search(own) is not None and "instruct" not in own.lower()


def _unpacked(packed: Path) -> Path:
    """Return the folder of an unpacked model; unpack it where it is missing or damaged."""
    source = weights_named(PACKED).file_sha256
    cache = _cache_folder()
    folder = cache / f"{PACKED}-{source[:16]}-{_LAYOUT}"
    if _is_whole(folder):
        return folder
    try:
        cache.mkdir(parents=True, exist_ok=True)
        made = Path(tempfile.mkdtemp(prefix=f"{PACKED}-", dir=cache))
        try:
            _write(packed, made)
            shutil.rmtree(folder, ignore_errors=True)
            made.rename(folder)
        finally:
            shutil.rmtree(made, ignore_errors=True)
    except OSError as error:
        if not _is_whole(folder):  # another process may have been faster
            raise SourceError(
                f"model {PACKED}: expected to unpack it (470 MB) into {cache}, got "
                f"{type(error).__name__}; make room there, or name another folder in "
                "XDG_CACHE_HOME"
            ) from error
    return folder


def _write(packed: Path, folder: Path) -> None:
    unpack_e5(packed, folder)
    files = sorted(file for file in folder.rglob("*") if file.is_file())
    facts = {file.relative_to(folder).as_posix(): sha256_of_file(file) for file in files}
    (folder / _MANIFEST).write_text(json.dumps(facts, indent=1), encoding="utf-8")


def _is_whole(folder: Path) -> bool:
    """Tell whether a folder's files are those that its manifest lists, byte for byte."""
    try:
        facts = json.loads((folder / _MANIFEST).read_text(encoding="utf-8"))
        return bool(facts) and all(hash_once(folder / name) == was for name, was in facts.items())
    except (OSError, ValueError, AttributeError):
        return False


def _cache_folder() -> Path:
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(cache) / "shopsynth"
