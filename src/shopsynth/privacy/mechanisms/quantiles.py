"""quantiles: what numbers are usual, from bins that are public.

In: a number column of a personal table, or a derived number. Out: noisy quantiles.
"""

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import polars as pl
from numpy.typing import NDArray

from shopsynth.privacy.charges import Charge
from shopsynth.privacy.mechanisms.base import register
from shopsynth.privacy.mechanisms.shares import (
    check_noise,
    check_table,
    sum_shares,
    user_numbers,
)
from shopsynth.privacy.noise import Grid, NoiseSource, discretisation_slack
from shopsynth.schema import Dataset, PrivacyError

Derived = Literal["gap_s", "hour", "n_events"]


@register
@dataclass(frozen=True)
class DPQuantiles:
    """Which numbers are not exceeded by given shares of what an average user did?

    Every user spreads a weight of 1 over public bins; the noisy histogram, added up, is a
    distribution function, and the quantiles are read off it. Numbers outside of the declared range
    go to its ends. With B bins and n users the shares err by about ``noise_multiplier`` √B / n.

    **Proof.** A user's vector of shares is a function of their rows alone, over bins that are fixed
    before a row is read; it sums to 1, so its L2 norm is 1 at most, and the truncation to the grid
    only shortens it. The answer is a function of Σ vectors + N(0, σ²I), one Gaussian mechanism of
    noise multiplier σ; what follows reads no row.

    Not for sums and means, nor for one exact rank: for that the exponential mechanism errs less.

    Attributes:
        column: A number column of ``table``, or of events ``gap_s`` (seconds since the user's event
            before), ``hour`` (of the day, UTC, with its fraction) or ``n_events`` (one a user).
        edges: Ends of the bins, rising, declared: never the least and greatest of the data.
        shares: Wanted quantiles, above 0 and below 1.
        noise_multiplier: σ.
        table: A table whose rows name users.

    Raises:
        PrivacyError: If the edges do not rise, a share is none, or the noise is none.

    Source: Dwork, Roth, 2014, section 3.3 (histograms); the flat form of Hay et al., "Boosting the
    Accuracy of Differentially Private Histograms Through Consistency", VLDB 2010.
    """

    column: str
    edges: tuple[float, ...]
    shares: tuple[float, ...]
    noise_multiplier: float
    table: str = "events"

    def __post_init__(self) -> None:
        check_table("quantiles", self.table)
        check_noise("quantiles", self.noise_multiplier)
        steps = np.diff(self.edges)
        if len(self.edges) < 2 or not np.all(steps > 0) or not np.isfinite(self.edges).all():
            raise PrivacyError(
                "quantiles: expected at least 2 finite, rising edges, got others; declare the "
                "range that the numbers can have"
            )
        if not self.shares or not all(0 < share < 1 for share in self.shares):
            raise PrivacyError(
                "quantiles: expected shares above 0 and below 1, got others; 0 and 1 would be the "
                "numbers of one person"
            )

    def charge(self) -> Charge:
        """Say what the answer costs; reads nothing."""
        bins = len(self.edges) - 1
        return Charge(
            f"quantiles: {self.table}.{self.column}",
            "gaussian",
            self.noise_multiplier,
            slack=discretisation_slack(bins),
            detail={"sensitivity": 1, "bins": bins, "range": [self.edges[0], self.edges[-1]]},
        )

    def answer(self, rows: Dataset, noise: NoiseSource) -> NDArray[np.float64]:
        """Fill the bins, add noise, read the quantiles off.

        Returns:
            One number a share, ``(n_shares,)``, rising with it, inside the declared range.

        Raises:
            SchemaError: If the shop has no such table.
        """
        numbers = self._numbers(rows).drop_nulls().drop_nans()
        inner = np.asarray(self.edges[1:-1])
        cell = np.searchsorted(inner, numbers["number"].to_numpy(), side="right")
        grid = Grid.for_noise(self.noise_multiplier)
        user = user_numbers(numbers["user_id"])
        exact = sum_shares(user, cell.astype(np.int64), len(self.edges) - 1, grid, "total")
        return self._read_off(grid.values(noise.gaussian(exact, grid.scale)))

    def _numbers(self, rows: Dataset) -> pl.DataFrame:
        """Return ``user_id`` and ``number``, one row a thing that counts."""
        frame = rows.need(self.table)
        if self.table == "events" and self.column in get_args(Derived):
            frame = rows.ordered_events()
            seconds = pl.col("timestamp").dt.epoch("us") / 1e6
            derived = {
                "gap_s": seconds.diff().over("user_id"),
                "hour": seconds % 86_400 / 3_600,
                "n_events": pl.len().over("user_id"),  # Equal in all rows of a user: one cell.
            }
            number = derived[self.column]
        else:
            number = pl.col(self.column)
        return frame.select("user_id", number=number.cast(pl.Float64))

    def _read_off(self, counts: NDArray[np.float64]) -> NDArray[np.float64]:
        """Interpolate the distribution function; post-processing."""
        filled = np.maximum(counts, 0.0)
        if not filled.any():
            filled = np.ones_like(filled)  # Noise alone: say what knows nothing would say.
        reached = np.concatenate([[0.0], np.cumsum(filled) / filled.sum()])
        return np.interp(self.shares, reached, self.edges)
