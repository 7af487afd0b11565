"""nearest_votes: which of many proposed texts are most like what people wrote.

In: a text column of a personal table, and public candidates. Out: noisy votes, one a candidate.
"""

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from shopsynth.privacy.charges import Charge
from shopsynth.privacy.mechanisms.base import register
from shopsynth.privacy.mechanisms.hashed_words import hash_words
from shopsynth.privacy.mechanisms.shares import (
    check_noise,
    check_table,
    sum_shares,
    user_numbers,
)
from shopsynth.privacy.noise import Grid, NoiseSource, discretisation_slack
from shopsynth.schema import Dataset, PrivacyError

_CHUNK = 2_048
"""Texts compared at a time: with 10,000 candidates, 160 MB of similarities."""


@register
@dataclass(frozen=True)
class NearestVotes:
    """Which candidates are nearest to the texts of most people?

    The step of Private Evolution: every text votes for its nearest candidate, by the hashed words
    of both, and every user's votes weigh 1 together. The texts reach no model and no network.

    **Proof.** A user's vector of votes is a function of their rows and of public candidates alone;
    it sums to 1, so its L2 norm is 1 at most, and the grid only shortens it. The answer is
    Σ vectors + N(0, σ²I), one Gaussian mechanism of noise multiplier σ; the threshold is applied
    to what is noisy already.

    Attributes:
        candidates: Proposed texts. They come from a model or from earlier answers, never from rows.
        column: A text column of ``table``.
        noise_multiplier: σ, in users.
        threshold: Votes below this become 0; about 2σ keeps most of the noise out.
        n_dimensions: Length of the vectors in which texts are compared.
        table: A table whose rows name users.

    Raises:
        PrivacyError: If there are no candidates, or a number is out of range.

    Source: Lin et al., "Differentially Private Synthetic Data via Foundation Model APIs 1: Images",
    ICLR 2024, arXiv 2305.15560, algorithm 2; votes are normalised by user, not by row.
    """

    candidates: tuple[str, ...]
    column: str
    noise_multiplier: float
    threshold: float = 0.0
    n_dimensions: int = 512
    table: str = "reviews"

    def __post_init__(self) -> None:
        check_table("nearest_votes", self.table)
        check_noise("nearest_votes", self.noise_multiplier)
        if not self.candidates or self.n_dimensions < 2 or not self.threshold >= 0:
            raise PrivacyError(
                "nearest_votes: expected candidates, at least 2 dimensions and a threshold of at "
                f"least 0, got {len(self.candidates)}, {self.n_dimensions} and {self.threshold}"
            )

    def charge(self) -> Charge:
        """Say what the answer costs; reads nothing."""
        return Charge(
            f"nearest_votes: {self.table}.{self.column}",
            "gaussian",
            self.noise_multiplier,
            slack=discretisation_slack(len(self.candidates)),
            detail={"sensitivity": 1, "candidates": len(self.candidates)},
        )

    def answer(self, rows: Dataset, noise: NoiseSource) -> NDArray[np.float64]:
        """Let every text vote and add noise.

        Returns:
            Votes in users, ``(n_candidates,)``, in the order of the candidates.

        Raises:
            SchemaError: If the shop has no such table.
        """
        voters = rows.need(self.table).select("user_id", text=pl.col(self.column)).drop_nulls()
        grid = Grid.for_noise(self.noise_multiplier)
        choice = self._nearest(voters["text"])
        user = user_numbers(voters["user_id"])
        exact = sum_shares(user, choice, len(self.candidates), grid, "total")
        votes = grid.values(noise.gaussian(exact, grid.scale))
        return np.where(votes >= self.threshold, votes, 0.0) if self.threshold else votes

    def _nearest(self, texts: pl.Series) -> NDArray[np.int64]:
        """Return each text's candidate of the greatest cosine, the first of equals."""
        proposed = hash_words(pl.Series(self.candidates), self.n_dimensions).T
        length = np.linalg.norm(proposed, axis=0)
        length[length == 0] = 1.0
        chosen = [
            np.argmax(
                hash_words(texts[start : start + _CHUNK], self.n_dimensions) @ proposed / length, 1
            )
            for start in range(0, len(texts), _CHUNK)
        ]
        return np.concatenate([np.zeros(0, dtype=np.int64), *chosen])
