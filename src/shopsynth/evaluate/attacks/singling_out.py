"""Singling out: does a condition read off the release fit exactly one real person?

In: rows of attributes. Out: how often conditions built from released rows fit exactly one of the
people who were read, and one of as many who were not.

Source: Article 29 Working Party, Opinion 05/2014 (WP216), section 2; Cohen & Nissim, PNAS 2020.
"""

import numpy as np

from shopsynth.evaluate.attacks.risk import Successes
from shopsynth.evaluate.attacks.rows import Asked
from shopsynth.schema import derived_seed

_SUBSETS = 32
"""Random sets of columns that conditions are made of."""

_PER_SUBSET = 250
"""Conditions of one set of columns."""


def single_out(rows: Asked) -> dict[str, tuple[Successes, Successes]]:
    """Build conditions on one column, and on several, from released rows.

    Returns:
        Successes with the release and with the stand-in, by form: ``one column``, where a
        condition is a value that one released row alone has, and ``several columns``, where it is
        what one released row has in two columns or more.
    """
    n_columns = rows.targets.shape[1]
    generator = np.random.Generator(np.random.PCG64(derived_seed(0, "audit", "singling out")))
    one = [np.array([column]) for column in range(n_columns)]
    several = [
        np.sort(generator.choice(n_columns, generator.integers(2, n_columns + 1), replace=False))
        for _ in range(_SUBSETS if n_columns > 1 else 0)
    ]
    return {
        form: (
            _successes(rows, rows.released, subsets, alone=alone),
            _successes(rows, rows.standin, subsets, alone=alone),
        )
        for form, subsets, alone in (("one column", one, True), ("several columns", several, False))
    }


def _successes(
    rows: Asked, release: np.ndarray, subsets: list[np.ndarray], *, alone: bool
) -> Successes:
    hits, n_guesses = np.zeros(2, dtype=np.int64), 0
    for number, columns in enumerate(subsets):
        parts = (release, rows.targets, rows.controls)
        keys = _keys([part[:, columns] for part in parts])
        known, times = np.unique(keys[0], return_counts=True)
        conditions = known[times == 1] if alone else known
        generator = np.random.Generator(
            np.random.PCG64(derived_seed(0, "audit", "conditions", number))
        )
        chosen = generator.permutation(conditions)[:_PER_SUBSET]
        n_guesses += chosen.size
        for place, side in enumerate(keys[1:]):
            single, fits = np.unique(side, return_counts=True)
            hits[place] += np.isin(chosen, single[fits == 1]).sum()
    return Successes(int(hits[0]), int(hits[1]), n_guesses, n_guesses)


def _keys(parts: list[np.ndarray]) -> list[np.ndarray]:
    """Number the distinct rows of several tables alike."""
    _, number = np.unique(np.vstack(parts), axis=0, return_inverse=True)
    return np.split(number.ravel(), np.cumsum([len(part) for part in parts])[:-1])
