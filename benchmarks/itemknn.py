"""ItemKNN with recency on Amazon Beauty and Toys, leave-one-out, full catalogue.

In: `--data`, a folder with `amazon-beauty-s3rec` and `amazon-toys-s3rec`. Out: NDCG@10 on every
user and the CPU seconds of fit and ranking, as benchmarks/results/itemknn.json.

The last event of a user is the question, the one before belongs to its history then; the model is
fitted without either. A user's own history is left out of the ranking: nobody repeats an item.
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
from typing import Any

import numpy as np
import polars as pl

from shopsynth.schema import Dataset, Holdout, TrainingSet
from shopsynth.train import make_ranker

RESULTS = Path(__file__).parent / "results"
FILES = {
    "amazon-beauty-s3rec": "Beauty.txt.gz",
    "amazon-toys-s3rec": "Toys_and_Games.txt.gz",
}
REACH_NDCG, REACH_CPU_S = 0.0395, 15.0
PEERS = {"amazon-beauty-s3rec": 0.0399, "amazon-toys-s3rec": 0.0482}


def read_shop(path: Path) -> tuple[TrainingSet, Holdout]:
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
    truth = events.filter(from_end == 1).select(
        pl.col("user_id").alias("unit_id"), "item_id", pl.lit(1.0).alias("grade")
    )
    history = events.filter(from_end > 1)
    training = TrainingSet(Dataset(items=items, events=train), "real")
    return training, Holdout(Dataset(items=items, events=history), truth, exclude_seen=True)


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


def measure(path: Path) -> dict[str, Any]:
    training, questions = read_shop(path)
    start = time.process_time()
    ranker = make_ranker("next_item", "item_knn", {}).fit(training, questions, seed=0)
    ranking = ranker.rank(questions.requests, k=10, exclude_seen=True).frame
    cpu_s = time.process_time() - start
    values = gains(ranking, questions.truth)
    low, high = interval(values)
    return {"value": float(values.mean()), "low": low, "high": high, "cpu_s": cpu_s}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    data = parser.parse_args().data
    found = {name: measure(data / name / file) for name, file in FILES.items()}
    beauty, toys = found["amazon-beauty-s3rec"], found["amazon-toys-s3rec"]
    file = data / "amazon-beauty-s3rec" / FILES["amazon-beauty-s3rec"]
    result = {
        "name": "itemknn",
        "passed": beauty["value"] >= REACH_NDCG and beauty["cpu_s"] <= REACH_CPU_S,
        "reach": f"NDCG@10 >= {REACH_NDCG} and fit + full ranking <= {REACH_CPU_S:.0f} s CPU",
        "value": beauty["value"],
        "low": beauty["low"],
        "high": beauty["high"],
        "unit": "ndcg@10",
        "peer": {"name": "PROOF §7, ItemKNN with recency", "value": PEERS["amazon-beauty-s3rec"]},
        "uplift": [],
        "command": "python benchmarks/itemknn.py --data DATA",
        "data": f"amazon-beauty-s3rec sha256 {hashlib.sha256(file.read_bytes()).hexdigest()}",
        "machine": machine(),
        "seeds": 1,
        "cpu_s": beauty["cpu_s"],
        "peak_rss_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "date": "2026-11-22",
        "note": f"beside it amazon-toys-s3rec: {toys['value']:.4f} [{toys['low']:.4f}, "
        f"{toys['high']:.4f}] in {toys['cpu_s']:.1f} s CPU "
        f"(peer {PEERS['amazon-toys-s3rec']}); counted, so one seed says all",
    }
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "itemknn.json").write_text(json.dumps(result, indent=2) + "\n")
    print(json.dumps(result, indent=2))


def machine() -> str:
    cores = os.cpu_count()
    return f"{cores} cores, {platform.machine()}, Python {platform.python_version()}"


if __name__ == "__main__":
    main()
