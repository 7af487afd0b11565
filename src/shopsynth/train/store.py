"""How every model is kept: ``model.json`` and ``model.safetensors``, never pickle.

In: options, item ids and arrays. Out: two files; and from two files the same again.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file
from scipy import sparse

from shopsynth.schema import Settings, SourceError

_FACTS = "model.json"
_ARRAYS = "model.safetensors"
_VERSION = 1


@dataclass(frozen=True)
class Stored:
    """What a model wrote.

    Attributes:
        options: The options, as JSON values.
        item_ids: The catalogue, in the order of the arrays.
        steps: Optimiser steps taken.
        arrays: The learned numbers by name.
    """

    options: dict[str, Any]
    item_ids: pl.Series
    steps: int
    arrays: dict[str, NDArray[Any]]


def write_model(
    folder: Path,
    name: str,
    options: Settings,
    item_ids: pl.Series,
    arrays: dict[str, NDArray[Any]],
    steps: int = 0,
) -> None:
    """Write a fitted model into an existing folder.

    Args:
        folder: Where to.
        name: The model's registered name; reading checks it.
        options: The options it was made with.
        item_ids: The catalogue, in the order of the arrays.
        arrays: The learned numbers by name.
        steps: Optimiser steps taken.
    """
    facts = {
        "version": _VERSION,
        "model": name,
        "options": options.model_dump(mode="json"),
        "steps": steps,
        "item_ids": item_ids.to_list(),
    }
    (folder / _FACTS).write_text(json.dumps(facts, ensure_ascii=False), encoding="utf-8")
    save_file({key: np.ascontiguousarray(array) for key, array in arrays.items()}, folder / _ARRAYS)


def read_model(folder: Path, name: str) -> Stored:
    """Read what :func:`write_model` wrote.

    Raises:
        SourceError: If the files are missing, damaged, of another version or of another model.
    """
    try:
        facts = json.loads((folder / _FACTS).read_text(encoding="utf-8"))
        arrays = load_file(folder / _ARRAYS)
    except (OSError, ValueError, SafetensorError) as error:
        raise SourceError(
            f"{folder}: expected {_FACTS} and {_ARRAYS} of a saved model; "
            f"reading them failed ({type(error).__name__}). Train the model again."
        ) from error
    came = (facts.get("model"), facts.get("version"))
    if came != (name, _VERSION):
        raise SourceError(
            f"{folder}: expected the model {name} in version {_VERSION}, "
            f"got {came[0]} in version {came[1]}. Load it with its own class, or train it again."
        )
    item_ids = pl.Series("item_id", facts["item_ids"], dtype=pl.String)
    return Stored(facts["options"], item_ids, facts["steps"], arrays)


def matrix_arrays(name: str, matrix: sparse.csr_matrix) -> dict[str, NDArray[Any]]:
    """Take a sparse matrix apart for :func:`write_model`."""
    return {
        f"{name}.data": matrix.data,
        f"{name}.indices": matrix.indices,
        f"{name}.indptr": matrix.indptr,
        f"{name}.shape": np.array(matrix.shape, dtype=np.int64),
    }


def matrix_of(name: str, arrays: dict[str, NDArray[Any]]) -> sparse.csr_matrix:
    """Put a sparse matrix together that :func:`matrix_arrays` took apart."""
    parts = (arrays[f"{name}.data"], arrays[f"{name}.indices"], arrays[f"{name}.indptr"])
    return sparse.csr_matrix(parts, shape=tuple(arrays[f"{name}.shape"].tolist()))
