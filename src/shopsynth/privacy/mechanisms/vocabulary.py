"""vocabulary: the values that enough people hold to be told.

In: a text column of a personal table. Out: its common values or words, with noisy weights.
"""

from dataclasses import dataclass

import numpy as np
import polars as pl
from scipy import special

from shopsynth.privacy.charges import Charge
from shopsynth.privacy.mechanisms.base import register
from shopsynth.privacy.mechanisms.hashed_words import WORD
from shopsynth.privacy.mechanisms.shares import (
    check_noise,
    check_table,
    sum_shares,
    user_numbers,
)
from shopsynth.privacy.noise import Grid, NoiseSource, discretisation_slack
from shopsynth.schema import Dataset, PrivacyError


@register
@dataclass(frozen=True)
class DPVocabulary:
    """Which values do enough users hold that naming them tells of nobody?

    Every user marks the values that they hold, at most ``max_values`` of them (their most frequent)
    with equal weights of L2 norm 1. Values whose noisy weight exceeds a threshold are told, all
    others are ``OTHER``. A vocabulary that is declared public needs none of this.

    **Proof.** Over the values that others hold too, one user moves the weights by 1 at most in L2:
    one Gaussian mechanism of noise multiplier σ. A value that nobody else holds shows only if 1/√t
    plus noise exceeds the threshold, for one of the user's t such values; the threshold keeps the
    chance of that at ``threshold_delta`` for every t up to ``max_values``, and a mechanism that
    fails with chance d on top of another costs d / (1 − d) in delta.

    How many values get noise depends on the rows, and that is no matter: with or without one user
    all weights but those of their own values, at most ``max_values``, are the same, and so is the
    independent noise on them. The discrete noise is charged (as slack) for these alone. Neither a
    largest number of values nor a refusal above it is needed; a refusal would tell of the rows.

    Attributes:
        column: A text column of ``table``.
        noise_multiplier: σ.
        threshold_delta: Chance that anything only one user holds is told.
        max_values: How many values of a user count.
        words: Whether the values are the words of a text (lower case) rather than the whole text.
        table: A table whose rows name users.

    Raises:
        PrivacyError: If a parameter is out of range.

    Source: Gopi et al., "Differentially Private Set Union", ICML 2020, arXiv 2002.09745, algorithm
    weighted Gaussian and theorem 5.1; the idea: Korolova et al., "Releasing Search Queries and
    Clicks Privately", WWW 2009.

    Example:
        >>> DPVocabulary("category", noise_multiplier=10, threshold_delta=1e-8).threshold > 50
        True
    """

    column: str
    noise_multiplier: float
    threshold_delta: float
    max_values: int = 64
    words: bool = False
    table: str = "events"

    def __post_init__(self) -> None:
        check_table("vocabulary", self.table)
        check_noise("vocabulary", self.noise_multiplier)
        if not 0 < self.threshold_delta < 0.5 or self.max_values < 1:
            raise PrivacyError(
                "vocabulary: expected a threshold_delta above 0 and below 0.5 and max_values of at "
                f"least 1, got {self.threshold_delta} and {self.max_values}; mend the plan"
            )

    @property
    def threshold(self) -> float:
        """The weight that a value must exceed: max over t of 1/√t + σ Φ⁻¹((1 − δ)^(1/t))."""
        t = np.arange(1, self.max_values + 1)
        # 1 - (1 - δ)^(1/t) is as small as δ/t: told by its complement, float64 keeps its digits.
        missed = -np.expm1(np.log1p(-self.threshold_delta) / t)
        return float(np.max(1 / np.sqrt(t) - self.noise_multiplier * special.ndtri(missed)))

    def charge(self) -> Charge:
        """Say what the answer costs; reads nothing."""
        failure = self.threshold_delta / (1 - self.threshold_delta)
        return Charge(
            f"vocabulary: {self.table}.{self.column}",
            "gaussian",
            self.noise_multiplier,
            slack=failure + discretisation_slack(self.max_values),
            detail={
                "sensitivity": 1,
                "threshold": self.threshold,
                "max_values": self.max_values,
                "words": self.words,
            },
        )

    def answer(self, rows: Dataset, noise: NoiseSource) -> pl.DataFrame:
        """Weigh the values, add noise, tell those above the threshold.

        Returns:
            Columns ``value`` and ``weight`` (noisy; about the number of users where users hold
            few values), by falling weight. Empty if no value is common enough.

        Raises:
            SchemaError: If the shop has no such table.
        """
        marks = self._marks(rows)
        values = marks["value"].unique().sort()
        cell = marks["value"].rank("dense").to_numpy().astype(np.int64) - 1
        grid = Grid.for_noise(self.noise_multiplier)
        exact = sum_shares(user_numbers(marks["user_id"]), cell, len(values), grid, "norm")
        weight = grid.values(noise.gaussian(exact, grid.scale))
        told = pl.DataFrame({"value": values, "weight": weight})
        return told.filter(pl.col("weight") > self.threshold).sort(
            "weight", "value", descending=[True, False]
        )

    def _marks(self, rows: Dataset) -> pl.DataFrame:
        """Return ``user_id`` and ``value``, each pair once, the most frequent of every user."""
        held = rows.need(self.table).select("user_id", value=pl.col(self.column).cast(pl.String))
        if self.words:
            words = pl.col("value").str.normalize("NFKC").str.to_lowercase().str.extract_all(WORD)
            held = held.with_columns(value=words).explode("value")
        counted = held.drop_nulls().group_by("user_id", "value").len()
        ranked = counted.sort("user_id", "len", "value", descending=[False, True, False])
        place = pl.int_range(pl.len()).over("user_id")
        return ranked.filter(place < self.max_values).select("user_id", "value")
