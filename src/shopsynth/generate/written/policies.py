"""Policies: what a shop does in which case, for dialogues.

In: a recipe's list, or a TOML file. Out: :class:`Policy` records, checked.
"""

import tomllib
from pathlib import Path

from pydantic import Field

from shopsynth.schema import Settings

_MAX_BYTES = 1 << 20


class Policy(Settings):
    """What the shop does in one case."""

    intent: str = Field(min_length=1, max_length=80)
    """What a customer wants, for example ``return_item``."""
    text: str = Field(min_length=1, max_length=2_000)
    """What the agent may say."""
    slots: tuple[str, ...] = ()
    """Columns of items that are spoken of; items without a value in one of them are left out."""


def read_policies(path: str) -> object:
    """Read the array ``policies`` of a TOML file; the caller checks what is in it.

    Raises:
        ValueError: If the file is missing, too long, no TOML, or has no such array.
    """
    file = Path(path).expanduser()
    if not file.is_file():
        raise ValueError(f"expected a list of policies or a TOML file with [[policies]]: no {path}")
    try:
        raw = file.read_bytes()
        if len(raw) > _MAX_BYTES:
            raise ValueError(f"{path}: expected at most 1 MiB of policies")
        values = tomllib.loads(raw.decode())
    except OSError as error:
        raise ValueError(f"{path}: cannot be read ({type(error).__name__})") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ValueError(f"{path}: expected TOML in UTF-8, but {error}") from error
    if list(values) != ["policies"]:
        raise ValueError(
            f"{path}: expected [[policies]] and nothing else, got {', '.join(values) or 'nothing'}"
        )
    return values["policies"]
