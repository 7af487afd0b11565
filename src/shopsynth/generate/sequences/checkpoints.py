"""The state of a fit on disk: safetensors and JSON, never pickle, renamed into place.

In: numbers and tensors. Out: a file; and from the file the same again, or nothing if it is of
another fit.
"""

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from shopsynth.schema import SourceError

if TYPE_CHECKING:
    from torch import Tensor

_FILE = "checkpoint.safetensors"
_VERSION = "2"


@dataclass(frozen=True)
class Checkpoint:
    """One moment of a fit.

    Attributes:
        facts: Counters and the best loss, by name.
        arrays: Weights and the optimiser's state, by name.
    """

    facts: dict[str, float]
    arrays: "dict[str, Tensor]"

    def part(self, role: str) -> "dict[str, Tensor]":
        """Return the arrays whose names begin with a role, without it."""
        start = f"{role}."
        return {
            name.removeprefix(start): array
            for name, array in self.arrays.items()
            if name.startswith(start)
        }


@dataclass(frozen=True)
class Checkpoints:
    """A folder that holds the newest checkpoint of one fit.

    Attributes:
        method: Whose, for messages.
        folder: Where; made when the first checkpoint is written.
        fit: Hash of all that the fit follows from: options, rows, seed.
        every: Steps between two checkpoints.
    """

    method: str
    folder: Path
    fit: str
    every: int

    def due(self, step: int) -> bool:
        """Say whether a checkpoint is due after a step."""
        return step % self.every == 0

    def write(self, checkpoint: Checkpoint) -> None:
        """Keep a checkpoint in place of the one before; a kill leaves one of the two whole."""
        from safetensors.torch import save_file

        self.folder.mkdir(parents=True, exist_ok=True)
        facts = {name: value for name, value in checkpoint.facts.items() if value != float("inf")}
        told = {"version": _VERSION, "fit": self.fit, "facts": json.dumps(facts)}
        unfinished = self.folder / f"{_FILE}.part"
        arrays = {name: array.contiguous() for name, array in checkpoint.arrays.items()}
        save_file(arrays, unfinished, metadata=told)
        with unfinished.open("rb") as file:
            os.fsync(file.fileno())
        unfinished.replace(self.folder / _FILE)

    def read(self) -> Checkpoint | None:
        """Read the checkpoint of this very fit; ``None`` if there is none or it is of another.

        Raises:
            SourceError: If the file is damaged.
        """
        from safetensors import SafetensorError, safe_open

        path = self.folder / _FILE
        if not path.exists():
            return None
        try:
            with safe_open(path, framework="pt") as file:
                told = file.metadata() or {}
                if (told.get("version"), told.get("fit")) != (_VERSION, self.fit):
                    return None
                facts = {"best_loss": float("inf")} | json.loads(told["facts"])
                return Checkpoint(facts, {name: file.get_tensor(name) for name in file.keys()})  # noqa: SIM118
        except (OSError, ValueError, KeyError, SafetensorError) as error:
            raise SourceError(
                f"{path}: expected a checkpoint of {self.method}; reading it failed "
                f"({type(error).__name__}). Delete it and fit again."
            ) from error
