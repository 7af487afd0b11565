"""ledgers: what was spent on a source, for whoever asks, and a larger budget on purpose.

In: a recipe, or the name of a source. Out: the ledger of the privacy room.
"""

import getpass
import os
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

from shopsynth.pipeline.recipe import Recipe, load_recipe
from shopsynth.pipeline.sources import source_name
from shopsynth.privacy import PrivacySettings, load_key
from shopsynth.privacy.ledger import Ledger, ledger_folder
from shopsynth.privacy.settings import Budget
from shopsynth.schema import InputError, PrivacyLedger, UnknownNameError, nearest


@dataclass(frozen=True)
class ToldLedger:
    """A ledger and whose it is.

    Attributes:
        source: The source's id.
        folder: Where its record lies.
        ledger: What was spent.
    """

    source: str
    folder: Path
    ledger: PrivacyLedger


def read_ledger(
    recipe: Path | None, source: str | None = None, folder: str | None = None
) -> ToldLedger:
    """Read the ledger of a recipe's source, or of a source by name.

    Args:
        recipe: Path of a recipe.
        source: Instead of a recipe, the source's name.
        folder: The ledger's folder; without it that of the recipe, or the user's own.

    Raises:
        InputError: If neither or both are given, or the source has no ledger.
        PrivacyError: If the record cannot be trusted.
    """
    ledger = _find(recipe, source, folder)
    return ToldLedger(ledger.source, ledger.folder, ledger.snapshot())


def raise_budget(
    budget: str, recipe: Path | None, source: str | None = None, folder: str | None = None
) -> ToldLedger:
    """Give a source a larger budget for life; the ledger notes who did.

    Raises:
        UnknownNameError: If there is no such budget.
        PrivacyError: If it is no larger than the recorded one.
    """
    known: tuple[Budget, ...] = get_args(Budget)
    asked = next((name for name in known if name == budget), None)
    if asked is None:
        raise UnknownNameError(f"--raise: no budget {budget!r}; {nearest(budget, known)}")
    ledger = _find(recipe, source, folder)
    ledger.raise_budget(asked, actor=_whoever_runs_this())
    return ToldLedger(ledger.source, ledger.folder, ledger.snapshot())


def _whoever_runs_this() -> str:
    """Name the user, who may have no name: a container often runs under a bare number."""
    try:
        return getpass.getuser()
    except (KeyError, OSError, ImportError):  # By Python's version and the system.
        return f"user {os.getuid()}" if hasattr(os, "getuid") else "unknown"


def _find(recipe: Path | None, source: str | None, folder: str | None) -> Ledger:
    if (recipe is None) == (source is None):
        raise InputError(
            "ledger: expected a recipe or --source with its name, got "
            f"{'neither' if recipe is None else 'both'}; give one of them"
        )
    read: Recipe | None = None if recipe is None else load_recipe(recipe)
    settings = PrivacySettings() if read is None else read.privacy
    name = source_name(read) if read is not None else str(source)
    return Ledger.find(
        ledger_folder(folder or settings.ledger), source=name, key=load_key(settings)
    )
