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
    sums = np.zeros(n_cells, dtype=np.int64)
    np.add.at(sums, place, grid.units(count / length[owner]))
    return sums


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
