"""Fusion by rank of ItemKNN and content-KNN on Amazon Beauty, beside the hybrid of their scores.

In: `--data`, a folder with `amazon-beauty-s3rec`, its attributes too. Out: test NDCG@10 of every
user, leave-one-out, full catalogue, as benchmarks/results/fusion.json.

    python benchmarks/fusion.py --data DIR
"""

import argparse
import gzip
import json
import time
from dataclasses import replace
from pathlib import Path

import polars as pl
from _amazon import BEAUTY, gains, mean_with_interval, named, read_shop
from _record import record

from shopsynth.schema import Dataset, Ranking
from shopsynth.train import Fusion, make_ranker

ATTRIBUTES = Path("amazon-beauty-s3rec") / "Beauty_item2attributes.json.gz"
PARTS = ("item_knn", "content_knn")


def described(shop: Dataset, path: Path) -> Dataset:
    """Give items their attributes, a list of numbers each."""
    with gzip.open(path, "rt") as stream:
        known = json.load(stream)
    ids = shop.items["item_id"].to_list()
    lists = pl.Series("attributes", [known.get(each, []) for each in ids], dtype=pl.List(pl.Int64))
    return shop.with_tables(items=shop.items.with_columns(lists))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    data = parser.parse_args().data
    training, validation, test = read_shop(data / BEAUTY)
    training = replace(training, data=described(training.data, data / ATTRIBUTES))
    validation, test = (
        replace(each, requests=described(each.requests, data / ATTRIBUTES))
        for each in (validation, test)
    )
    models = {
        name: make_ranker("next_item", name, {}).fit(training, validation, seed=0)
        for name in (*PARTS, "hybrid")
    }

    def score(ranking: Ranking) -> float:
        return float(gains(ranking.frame, validation.truth).mean())

    started = time.process_time()
    fusion = Fusion({name: models[name] for name in PARTS}).choose(validation, score)
    lists = fusion.rank(test.requests, k=10, exclude_seen=True).frame
    cpu_s = time.process_time() - started
    others = {
        name: float(
            gains(model.rank(test.requests, k=10, exclude_seen=True).frame, test.truth).mean()
        )
        for name, model in models.items()
    }
    found = mean_with_interval(gains(lists, test.truth))
    weights = ", ".join(f"{name} {weight:.2f}" for name, weight in fusion.weights_.items())
    record(
        "fusion",
        passed=found["value"] > max(others[name] for name in PARTS),
        reach="NDCG@10 above that of both parts",
        **found,
        unit="ndcg@10, 95 % over users",
        data=named(data / BEAUTY),
        seeds=1,
        cpu_s=cpu_s,
        peer=("hybrid, which sees the scores of the whole catalogue", round(others["hybrid"], 4)),
        note=f"parts alone: item_knn {others['item_knn']:.4f}, content_knn "
        f"{others['content_knn']:.4f}; weights chosen on validation: {weights}, constant "
        f"{fusion.constant_:.0f}; nothing is drawn but the validation users that are asked, by a "
        "hash, so one seed says all",
    )


if __name__ == "__main__":
    main()
