"""Rooms work without a pipeline: clean, split, train and score in memory.

In: the shop that ships in the package. Out: how good ItemKNN is on later baskets.

    .venv/bin/python examples/04_one_room_alone.py
"""

import polars as pl

import shopsynth
from shopsynth.clean import CleanSettings, clean_dataset, count_rejects
from shopsynth.evaluate import score_units
from shopsynth.schema import TrainingSet
from shopsynth.split import SplitSettings, split_dataset
from shopsynth.train import get_task, make_ranker


def main() -> None:
    shop = shopsynth.read("embedded:online-retail")
    print("read ", shop.counts())

    shop, rejects = clean_dataset(shop, CleanSettings(item_id_pattern=r"^\d{5}"))
    print("clean", shop.counts())
    print(count_rejects(rejects))  # every rejected row is kept, with its reason

    split = split_dataset(shop, SplitSettings(validation=0.1, test=0.1))
    task = get_task("next_item")
    validation, test = (task.holdout(split, part) for part in ("validation", "test"))

    real = split.train.need("events").with_columns(
        pl.lit("real").alias("origin"), pl.lit(1.0).alias("weight")
    )
    training = TrainingSet(split.train.with_tables(events=real), arm="real")
    for name in ("popularity", "item_knn"):
        model = make_ranker("next_item", name, {}).fit(training, validation, seed=7)
        ranking = model.rank(test.requests, k=10)
        scores = score_units(ranking, test.truth, task.slices(split, test.truth), ["ndcg"], [10])
        means = scores.group_by("slice").agg(pl.col("value").mean(), pl.len().alias("users"))
        print(f"\n{name}: NDCG@10 over the whole catalogue, by slice")
        print(means.sort("slice"))


if __name__ == "__main__":
    main()
