"""A quick look at validation, by which training stops and keeps its best state.

In: the validation holdout. Out: NDCG@10 of a ranking of some of its units. The figures of a report
come from the evaluate room, never from here.
"""

import numpy as np
import polars as pl

from shopsynth.schema import Dataset, Holdout, Ranking

CUTOFF = 10


class Probe:
    """At most ``max_units`` units of a holdout.

    Args:
        validation: Questions with real answers.
        max_units: Units kept, drawn at random; 2,000 give a standard error near .004 where
            NDCG@10 is .05, enough to see a plateau.
        seed: Of the draw.

    Attributes:
        requests: The chosen units' histories, and the catalogue.
        exclude_seen: As the holdout wants it.
    """

    def __init__(self, validation: Holdout, max_units: int, seed: int) -> None:
        units = validation.truth["unit_id"].unique().sort()
        if len(units) > max_units:
            rng = np.random.Generator(np.random.PCG64(seed))
            chosen = np.sort(rng.choice(len(units), max_units, replace=False))
            units = units.gather(chosen)
        events = validation.requests.need("events")
        self.requests = Dataset(
            items=validation.requests.items,
            events=events.filter(pl.col("user_id").is_in(units.implode())),
        )
        self.exclude_seen = validation.exclude_seen
        self._truth = validation.truth.filter(pl.col("unit_id").is_in(units.implode()))
        places = np.arange(1, CUTOFF + 1)
        self._ideal = np.concatenate([[np.inf], np.cumsum(1.0 / np.log2(places + 1.0))])

    def ndcg(self, ranking: Ranking) -> float:
        """Compute the mean NDCG@10, every right item of gain 1; 0 where there are no units."""
        listed = ranking.frame.filter(pl.col("rank") <= CUTOFF).select("unit_id", "item_id", "rank")
        by_unit = (
            self._truth.join(listed, on=["unit_id", "item_id"], how="left")
            .group_by("unit_id")
            .agg(pl.len().alias("n"), (1.0 / (pl.col("rank") + 1.0).log(2)).sum().alias("gain"))
            .sort("unit_id")
        )
        if by_unit.height == 0:
            return 0.0
        ideal = self._ideal[np.minimum(by_unit["n"].to_numpy(), CUTOFF)]
        return float(np.mean(by_unit["gain"].to_numpy() / ideal))
