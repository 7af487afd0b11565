"""Shares: every user's marks over cells, shortened to one vector of norm 1, and their sum.

In: who marked which cell. Out: exact sums on a grid, ready for noise.
"""

from typing import Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray

from shopsynth.privacy.noise import Grid
from shopsynth.schema import PrivacyError

PERSONAL = ("events", "users", "reviews")
"""Tables that name the user of a row."""

_HALF_BITS = 31
"""Sums are kept in two halves and end at 2^62, the largest value that noise is added to."""


def sum_shares(
    user: NDArray[np.int64],
    cell: NDArray[np.int64],
    n_cells: int,
    grid: Grid,
    by: Literal["total", "norm"],
) -> NDArray[np.int64]:
    """Add up one vector a user, each of L2 norm 1 at most, so one user moves the sum by 1.

    Args:
        user: Each mark's user, integers from 0, ``(n,)``.
        cell: Each mark's cell, ``(n,)``, from 0 to ``n_cells - 1``.
        n_cells: Size of the domain.
        grid: Where the sums live.
        by: ``total``: a user's counts are divided by their sum, everybody weighs the same (L1 norm
            1, hence L2 norm 1 at most). ``norm``: by their L2 norm, which gives those with varied
            marks more weight and wastes none of the sensitivity.

    Returns:
        Grid units, ``(n_cells,)``.

    Example:
        >>> marks = np.array([0, 0, 1]), np.array([2, 2, 0])
        >>> grid = Grid.for_noise(1.0)
        >>> grid.values(sum_shares(*marks, 3, grid, "total")).tolist()
        [1.0, 0.0, 1.0]
    """
    key, count = np.unique(user * n_cells + cell, return_counts=True)
    owner, place = np.divmod(key, n_cells)
    sizes = np.bincount(owner, weights=count if by == "total" else count.astype(np.float64) ** 2)
    length = sizes if by == "total" else np.sqrt(sizes)
    return saturating_sums(place, grid.units(count / length[owner]), n_cells)


def saturating_sums(
    cell: NDArray[np.int64], units: NDArray[np.int64], n_cells: int
) -> NDArray[np.int64]:
    """Add up grid units by cell in whole numbers, and hold each sum between -2^62 and 2^62.

    float64 would round, and a 64-bit sum would turn over at 2^63, where one user more is a
    difference that no noise hides. A refusal there would tell how many users there are. To hold
    sums at a bound makes no difference between two larger, so every proof stays; what is lost is
    the difference among cells of more than 2^23 σ users, for noise of σ users.

    Args:
        cell: Each mark's cell, ``(n,)``, fewer than 2^32 marks.
        units: Each mark's grid units, from -2^62 to 2^62, ``(n,)``.
        n_cells: Size of the domain.

    Returns:
        Grid units, ``(n_cells,)``.

    Example:
        >>> most = np.array([2**62, 2**62, 3])
        >>> saturating_sums(np.array([0, 0, 1]), most, 2).tolist() == [2**62, 3]
        True
    """
    high, low = np.zeros(n_cells, dtype=np.int64), np.zeros(n_cells, dtype=np.int64)
    mask = (1 << _HALF_BITS) - 1
    np.add.at(high, cell, units >> _HALF_BITS)
    np.add.at(low, cell, units & mask)
    high += low >> _HALF_BITS
    within = np.clip(high, -mask - 1, mask)
    held = (within << _HALF_BITS) + (low & mask)
    bound = 1 << 2 * _HALF_BITS
    return np.where(high > within, bound, np.where(high < within, -bound, held))


def user_numbers(ids: pl.Series) -> NDArray[np.int64]:
    """Number users from 0; the numbers tell rows of one user from others and nothing else."""
    return ids.rank("dense").to_numpy().astype(np.int64) - 1


def check_table(mechanism: str, table: str) -> None:
    """Refuse a table whose rows name no user: one person's part of it is not known.

    Raises:
        PrivacyError: If the table is not personal.
    """
    if table not in PERSONAL:
        raise PrivacyError(
            f"{mechanism}: expected a table whose rows name a user ({', '.join(PERSONAL)}), got "
            f"{table}; only what is known to be one person's can be bounded"
        )


def check_noise(mechanism: str, noise_multiplier: float) -> None:
    """Refuse noise that is none.

    Raises:
        PrivacyError: If the noise multiplier is not a finite number above 0.
    """
    if not (np.isfinite(noise_multiplier) and noise_multiplier > 0):
        raise PrivacyError(
            f"{mechanism}: expected a finite noise_multiplier above 0, got {noise_multiplier}; "
            "mend the plan"
        )
