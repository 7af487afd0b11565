"""SASRec with cross-entropy on Amazon Beauty, leave-one-out, full catalogue, one seed.

In: `--data`, a folder with `amazon-beauty-s3rec`. Out: NDCG@10 on every user and the seconds of
training, as benchmarks/results/sasrec.json.

The last event of a user is the question, the one before stops the training and belongs to the
history at test; the model is fitted without either. A user's own history is left out of the
ranking. Options were chosen on validation alone.
"""

import argparse
import gzip
import hashlib
import json
import os
import platform
import resource
import time
from pathlib import Path

import numpy as np
import polars as pl

from shopsynth.schema import Dataset, Holdout, TrainingSet
from shopsynth.train import make_ranker

RESULTS = Path(__file__).parent / "results"
FILE = Path("amazon-beauty-s3rec") / "Beauty.txt.gz"
REACH_NDCG, AIM_MINUTES = 0.050, 6.0
OPTIONS: dict[str, object] = {}


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


def interval(values: np.ndarray, resamples: int = 2000) -> tuple[float, float]:
    rng = np.random.Generator(np.random.PCG64(0))
    means = [rng.choice(values, len(values)).mean() for _ in range(resamples)]
    low, high = np.quantile(means, [0.025, 0.975])
    return float(low), float(high)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    path = arguments.data / FILE
    training, validation, test = read_shop(path)
    start, start_cpu = time.monotonic(), time.process_time()
    ranker = make_ranker("next_item", "sasrec", OPTIONS)
    ranker.fit(training, validation, seed=arguments.seed)
    minutes = (time.monotonic() - start) / 60
    cpu_s = time.process_time() - start_cpu
    values = {}
    for name, questions in (("validation", validation), ("test", test)):
        ranking = ranker.rank(questions.requests, k=10, exclude_seen=True).frame
        values[name] = gains(ranking, questions.truth)
    value = float(values["test"].mean())
    low, high = interval(values["test"])
    result = {
        "name": "sasrec",
        "passed": value >= REACH_NDCG,
        "reach": f"NDCG@10 >= {REACH_NDCG:.3f}, aim <= {AIM_MINUTES:.0f} minutes on two cores",
        "value": value,
        "low": low,
        "high": high,
        "unit": "ndcg@10",
        "peer": {"name": "PROOF §7, SASRec CE, masked, raw ties", "value": 0.0539},
        "uplift": [],
        "command": "OMP_NUM_THREADS=1 python benchmarks/sasrec.py --data DATA",
        "data": f"amazon-beauty-s3rec sha256 {hashlib.sha256(path.read_bytes()).hexdigest()}",
        "machine": f"{os.cpu_count()} cores, {platform.machine()}, "
        f"Python {platform.python_version()}",
        "seeds": 1,
        "cpu_s": cpu_s,
        "peak_rss_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "date": "2026-11-22",
        "note": f"seed {arguments.seed}; {os.environ.get('OMP_NUM_THREADS', 'all')} threads, "
        f"{minutes:.1f} minutes and {ranker.steps_} steps of "
        f"training; validation {values['validation'].mean():.4f}; options {OPTIONS or 'default'}",
    }
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "sasrec.json").write_text(json.dumps(result, indent=2) + "\n")
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
