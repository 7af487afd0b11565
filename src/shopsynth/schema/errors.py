"""Every error shopsynth raises on purpose, in one tree.

In: what went wrong. Out: a message that says where, what was expected, what came and what to do.

    ShopsynthError
    ├── InputError (ValueError)          exit code 2
    │   ├── RecipeError                  a recipe that cannot be obeyed
    │   ├── SourceError                  a file, folder or database that cannot be read
    │   ├── SchemaError                  a table that is not the table it claims to be
    │   └── EmptyDataError               nothing left to work on
    ├── UnknownNameError (KeyError)      exit code 2: no such method, table or setting
    ├── MissingExtraError (ImportError)  exit code 2: an optional library is not installed
    ├── PrivacyError (PermissionError)   exit code 3: a rule of the privacy room refused
    ├── GateError (AssertionError)       exit code 3: a quality or privacy gate failed
    ├── WorkspaceError (OSError)         exit code 2: the workspace cannot be written or read
    ├── EndpointError (ConnectionError)  exit code 2: a model's endpoint is not what was agreed
    └── InterruptedRunError (RuntimeError)   exit code 4: stopped, resumable

Messages never hold cell values: real data are personal. They hold columns, counts, row numbers.
"""

from collections.abc import Iterable
from difflib import get_close_matches
from typing import ClassVar


class ShopsynthError(Exception):
    """Root of the tree: catch this to catch everything shopsynth raises on purpose."""

    exit_code: ClassVar[int] = 2

    def __str__(self) -> str:
        return str(self.args[0]) if self.args else self.__class__.__name__


class InputError(ShopsynthError, ValueError):
    """Something the caller gave cannot be used."""


class RecipeError(InputError):
    """A recipe has a fault; the message collects all of them."""


class SourceError(InputError):
    """A file, folder or database could not be read as what it claims to be."""


class SchemaError(InputError):
    """A table misses columns, has wrong types or empty required cells."""


class EmptyDataError(InputError):
    """No rows are left for a step that needs some."""


class UnknownNameError(ShopsynthError, KeyError):
    """A name that is not registered; the message lists the known ones."""


class MissingExtraError(ShopsynthError, ImportError):
    """An optional library is needed and not installed."""


class PrivacyError(ShopsynthError, PermissionError):
    """The privacy room refused: no mechanism, no budget, or a mode that forbids it."""

    exit_code: ClassVar[int] = 3


class GateError(ShopsynthError, AssertionError):
    """A gate failed: a privacy audit, a quality bound or ``--fail-under``."""

    exit_code: ClassVar[int] = 3


class WorkspaceError(ShopsynthError, OSError):
    """The workspace cannot be read or written, or belongs to another run."""


class EndpointError(ShopsynthError, ConnectionError):
    """A language model's endpoint refused, or answered what no retry can mend."""


class InterruptedRunError(ShopsynthError, RuntimeError):
    """A run was stopped and can be resumed."""

    exit_code: ClassVar[int] = 4


def nearest(name: str, known: Iterable[str]) -> str:
    """Say which known name was probably meant.

    Args:
        name: The name that was given.
        known: The names that exist.

    Returns:
        ``"did you mean 'x'? Known: ..."``, or only the known names if none is near.

    Example:
        >>> nearest("epsilom", ["delta", "epsilon"])
        "did you mean 'epsilon'? Known: delta, epsilon"
    """
    names = sorted(known)
    close = get_close_matches(name, names, n=1, cutoff=0.6)
    listing = f"Known: {', '.join(names) or 'none'}"
    return f"did you mean {close[0]!r}? {listing}" if close else listing


def collect(where: str, faults: list[str], error: type[ShopsynthError] = SchemaError) -> None:
    """Raise one error for all faults found, or nothing if there are none.

    Args:
        where: The table, file or recipe the faults are in.
        faults: One sentence a fault.
        error: Class to raise.

    Raises:
        ShopsynthError: ``error`` with all faults, if there is at least one.
    """
    if not faults:
        return
    if len(faults) == 1:
        raise error(f"{where}: {faults[0]}")
    raise error(f"{where}: {len(faults)} faults\n" + "\n".join(f"  - {fault}" for fault in faults))
