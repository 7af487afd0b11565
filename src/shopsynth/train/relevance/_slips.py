"""How alike two words are when one is a slip of the other.

In: words side by side. Out: numbers from 0 to 1.
"""

import numpy as np
import polars as pl
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_LONGEST = 16
"""Characters that are compared; further ones of a longer word count as alike."""

_MOST_APART = 3
"""Lengths further apart than this are not compared: such words are no slips of each other."""

_ROWS = 1 << 17
"""Words compared at once: tables of some 30 MB."""


def similarity(one: pl.Series, other: pl.Series) -> Floats:
    """Return 1 less the edits between two words, as a share of the longer one's length.

    Args:
        one: Words.
        other: As many words.

    Source:
        Levenshtein, Binary codes capable of correcting deletions, insertions and reversals, 1966.

    Example:
        >>> similarity(pl.Series(["faucet", "mug"]), pl.Series(["fauset", "lamp"])).round(2)
        array([0.83, 0.  ])
    """
    pairs = pl.DataFrame({"one": one, "other": other})
    distinct = pairs.unique(maintain_order=True).with_row_index("row")
    n_one, n_other = (distinct[name].str.len_chars().to_numpy() for name in ("one", "other"))
    longer = np.maximum(n_one, n_other)
    near = np.abs(n_one.astype(np.int64) - n_other.astype(np.int64)) <= _MOST_APART
    alike = np.zeros(distinct.height)
    rows = np.flatnonzero(near & (longer > 0))
    for start in range(0, rows.size, _ROWS):
        part = rows[start : start + _ROWS]
        edits = _edits(_codes(distinct["one"].gather(part)), _codes(distinct["other"].gather(part)))
        alike[part] = np.maximum(1.0 - edits / longer[part], 0.0)
    place = pairs.join(distinct, on=["one", "other"], how="left", maintain_order="left")["row"]
    return np.asarray(alike[place.to_numpy()])


def _codes(words: pl.Series) -> NDArray[np.uint32]:
    """Return characters as numbers, ``(character, word)``, 0 after the end."""
    cut = words.str.slice(0, _LONGEST).to_numpy().astype(f"<U{_LONGEST}")
    return np.ascontiguousarray(cut.view(np.uint32).reshape(len(words), _LONGEST).T)


def _edits(one: NDArray[np.uint32], other: NDArray[np.uint32]) -> Floats:
    """Fill the table of edits for all pairs of words at once, row by row.

    The cell at the ends of both words is the answer, and it is read when its row is filled.
    """
    n_words = one.shape[1]
    n_one, n_other = (one > 0).sum(axis=0), (other > 0).sum(axis=0)
    above = np.repeat(np.arange(_LONGEST + 1, dtype=np.uint8)[:, None], n_words, axis=1)
    found = np.where(n_one == 0, n_other, 0).astype(np.uint8)
    every = np.arange(n_words)
    for row in range(_LONGEST):
        here = np.empty_like(above)
        here[0] = row + 1
        for column in range(_LONGEST):
            replaced = above[column] + (one[row] != other[column])
            inserted = np.minimum(above[column + 1], here[column]) + np.uint8(1)
            np.minimum(replaced, inserted, out=here[column + 1])
        ends = n_one == row + 1
        found[ends] = here[n_other[ends], every[ends]]
        above = here
    return found.astype(np.float64)
