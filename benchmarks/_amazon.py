"""Amazon histories, cut by leave-one-out, and NDCG@10 of every user.

In: Beauty and Toys as S3-Rec ships them (a line a user), or Grocery as ReChorus does (a line an
event, with its day). Out: a training set, validation and test questions, gains.

The last event of a user is the test question, the one before is the validation question and part
of the history at test; training has neither. A user's own history is left out of the ranking:
nobody repeats an item in any of the three. Beauty and Toys keep the raw order of ties, for they
have no times by which to know them; the events of one day of Grocery are shuffled, with a fixed
seed.
"""

import gzip
import hashlib
from pathlib import Path

import numpy as np
import polars as pl

from shopsynth.schema import Dataset, Holdout, TrainingSet

BEAUTY = Path("amazon-beauty-s3rec") / "Beauty.txt.gz"
TOYS = Path("amazon-toys-s3rec") / "Toys_and_Games.txt.gz"
GROCERY = Path("amazon-grocery-rechorus") / "train.csv.gz"
DATA_SETS = {"beauty": BEAUTY, "toys": TOYS, "grocery": GROCERY}
RESAMPLES = 2000
TIE_SEED = 0


def read_shop(path: Path) -> tuple[TrainingSet, Holdout, Holdout]:
    events = _days(path) if path.name == GROCERY.name else _lines(path)
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


def _lines(path: Path) -> pl.DataFrame:
    with gzip.open(path, "rt") as stream:
        lines = [line.split() for line in stream]
    return (
        pl.DataFrame({"user_id": [u[0] for u in lines], "item_id": [u[1:] for u in lines]})
        .with_columns(pl.int_ranges(pl.col("item_id").list.len()).alias("position"))
        .explode("item_id", "position")
    )


def _days(path: Path) -> pl.DataFrame:
    events = pl.read_csv(path, separator="\t").with_columns(pl.col("user_id", "item_id").cast(str))
    draw = np.random.Generator(np.random.PCG64(TIE_SEED)).random(events.height)
    order = ("user_id", "time", pl.Series("draw", draw))
    place = pl.int_range(pl.len()).over("user_id").alias("position")
    return events.sort(*order).select("user_id", "item_id", place)


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
