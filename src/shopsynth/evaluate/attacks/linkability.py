"""Linkability: does the release join two halves of what is known about a person?

In: rows of attributes. Out: how often the two halves of a real row have a common nearest
neighbour among released rows, for people who were read and for people who were not.

Source: Article 29 Working Party, Opinion 05/2014 (WP216); the measure by nearest neighbours is
described in Giomi et al., PoPETs 2023, section 4.2.
"""

import numpy as np

from shopsynth.evaluate.attacks.risk import Successes
from shopsynth.evaluate.attacks.rows import Asked, agreement
from shopsynth.schema import derived_seed

_NEIGHBOURS = 3


def link(rows: Asked) -> dict[str, tuple[Successes, Successes]]:
    """Link every asked person's halves through the release, and through the stand-in.

    Columns are split at random, twice, into two halves of equal size.
    """
    n_columns = rows.targets.shape[1]
    generator = np.random.Generator(np.random.PCG64(derived_seed(0, "audit", "linkability")))
    forms = {}
    for number in range(2 if n_columns > 1 else 0):
        order = generator.permutation(n_columns)
        halves = order[: n_columns // 2], order[n_columns // 2 :]
        counted = [
            [int(_linked(side, release, halves).sum()) for side in (rows.targets, rows.controls)]
            for release in (rows.released, rows.standin)
        ]
        sizes = {"n_targets": len(rows.targets), "n_controls": len(rows.controls)}
        release, standin = (Successes(*each, **sizes) for each in counted)
        forms[f"split {number + 1}"] = release, standin
    return forms


def _linked(
    asked: np.ndarray, release: np.ndarray, halves: tuple[np.ndarray, np.ndarray]
) -> np.ndarray:
    """Say whether both halves have a common one among their three nearest rows."""
    if len(release) < _NEIGHBOURS or not len(asked):
        return np.zeros(len(asked), dtype=bool)
    first, second = (_nearest(agreement(asked, release, half.tolist())) for half in halves)
    return np.asarray((first[:, :, None] == second[:, None, :]).any(axis=(1, 2)))


def _nearest(agreed: np.ndarray) -> np.ndarray:
    """Return the places of the largest counts in each row, earlier ones first among equals."""
    n_known = agreed.shape[1]
    ranked = agreed.astype(np.int32) * n_known - np.arange(n_known, dtype=np.int32)
    top = np.argpartition(ranked, n_known - _NEIGHBOURS, axis=1)[:, -_NEIGHBOURS:]
    return np.asarray(top)
