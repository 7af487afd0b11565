"""Amazon histories as S3-Rec ships them, cut by leave-one-out, and NDCG@10 of every user.

In: a file with a line a user. Out: a training set, validation and test questions, gains.

The last event of a user is the test question, the one before is the validation question and part
of the history at test; training has neither. A user's own history is left out of the ranking:
nobody repeats an item. Ties of the raw file keep their order.
"""

import gzip
import hashlib
from pathlib import Path

import numpy as np
import polars as pl

from shopsynth.schema import Dataset, Holdout, TrainingSet

BEAUTY = Path("amazon-beauty-s3rec") / "Beauty.txt.gz"
TOYS = Path("amazon-toys-s3rec") / "Toys_and_Games.txt.gz"
RESAMPLES = 2000


def read_shop(path: Path) -> tuple[TrainingSet, Holdout, Holdout]:
    with gzip.open(path, "rt") as stream:
        lines = [line.split() for line in stream]
    events = (
        pl.DataFrame({"user_id": [u[0] for u in lines], "item_id": [u[1:] for u in lines]})
        .with_columns(pl.int_ranges(pl.col("item_id").list.len()).alias("position"))
        .explode("item_id", "position")
    )
    from_end = pl.len().over("user_id") - pl.col("position")
    items = events.select("item_id").unique(maintain_order=True)
    train = events.filter(from_end > 2).with_columns(
        pl.lit("real").alias("origin"), pl.lit(1.0).alias("weight")
    )

    def questions(place: int) -> Holdout:
        truth = events.filter(from_end == place).select(
            pl.col("user_id").alias("unit_id"), "item_id", pl.lit(1.0).alias("grade")
        )
        history = events.filter(from_end > place)
        return Holdout(Dataset(items=items, events=history), truth, exclude_seen=True)

    return TrainingSet(Dataset(items=items, events=train), "real"), questions(2), questions(1)


def gains(ranking: pl.DataFrame, truth: pl.DataFrame) -> np.ndarray:
    """NDCG@10 of each user: one right item, so the ideal gain is 1."""
    found = truth.sort("unit_id").join(
        ranking, on=["unit_id", "item_id"], how="left", maintain_order="left"
    )
    rank = found["rank"].fill_null(np.inf).to_numpy()
    return np.where(rank <= 10, 1.0 / np.log2(rank + 1.0), 0.0)


def mean_with_interval(values: np.ndarray) -> dict[str, float]:
    """Return the mean and its 95 % bootstrap interval over users."""
    rng = np.random.Generator(np.random.PCG64(0))
    means = [rng.choice(values, len(values)).mean() for _ in range(RESAMPLES)]
    low, high = np.quantile(means, [0.025, 0.975])
    return {"value": float(values.mean()), "low": float(low), "high": float(high)}


def named(path: Path) -> str:
    return f"{path.parent.name} sha256 {hashlib.sha256(path.read_bytes()).hexdigest()}"
