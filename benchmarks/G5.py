"""G5: search without a label: the hybrid tuned on made queries against BM25, on unseen queries.

In: `--data`, a folder with `homedepot-search`. Out: benchmarks/results/G5.json. Test labels are
read once, at the end; labels of train and validation are not read by any arm.

    OMP_NUM_THREADS=1 python benchmarks/G5.py --data DIR

D' is of `title_queries`, which reads titles and the texts of train queries, no label. Settings of
the tuning were chosen on made queries held back, of another seed. What is not free of labels, and
is the same in every arm with BM25: that plurals are taken off and pieces of three characters count
a fifth was seen on labels of train queries, so such a BM25 is the base to beat.

The recorded result is the first look at test. A second one, with e5-small in the place of MiniLM,
gave NDCG@10 .4373 [.4215, .4527] and recall@100 .8121, against .4364 of its untrained weighted sum:
no effect shown. A third, of both encoders together (`also` of search_hybrid), was begun twice and
not finished. Since the recorded look a model keeps the best state of its steps by a tenth of its
own rows held back, where it kept the last, and a hyphen ties the at of AT-688 to its number.
"""

import argparse
import time
from pathlib import Path

import numpy as np
import polars as pl
from _home_depot import named, read_split
from _record import record

from shopsynth.evaluate import score_units
from shopsynth.evaluate.bootstrap import resample_means
from shopsynth.generate.title_queries import TitleQueries, TitleQueriesOptions
from shopsynth.privacy import PrivateView
from shopsynth.schema import TRUTH_COLUMNS, Dataset, Holdout, Ranking, Split, TrainingSet
from shopsynth.train import Fusion, Ranker, get_task, make_ranker

SEEDS = (0, 1)
N_QUERIES = 20_000
STEPS = 200
RESAMPLES = 10_000
LENGTH = 199
REACH = {"ndcg": 0.438, "recall": 0.803}
DENSE = {"precision": "bfloat16", "teacher_weight": 0.5, "learning_rate": 2e-5}
"""Of six settings the one under which made queries held back were answered best, NDCG@10 .502 after
120 steps: .492 untrained, .465 without a teacher, .450 without hard negatives."""

HYBRID = {**DENSE, "weights": (0.4,)}
"""Made queries are cut from titles, so by them BM25 alone looks best; the weight is the default."""

ARMS = ("synthetic", "noise", "broken_link")


def made_rows(split: Split, arm: str, seed: int) -> TrainingSet:
    """D', or a control with its links, its words or nothing changed."""
    train = Dataset(items=split.train.items, queries=split.train.need("queries"))
    view = PrivateView(train, mode="public", fingerprint="0" * 64, max_events_per_user=256)
    maker = TitleQueries(TitleQueriesOptions()).fit(view, seed=seed)
    made = maker.sample(N_QUERIES, seed=seed).data
    queries, judgments = made.need("queries"), made.need("judgments")
    rng = np.random.Generator(np.random.PCG64(seed))
    if arm == "noise":
        about = judgments.sort("grade", descending=True, maintain_order=True).unique(
            "query_id", keep="first", maintain_order=True
        )
        titles = queries.join(about, on="query_id", maintain_order="left").join(
            split.train.items, on="item_id", maintain_order="left"
        )["title"]
        drawn = [rng.permutation(title.split())[: rng.integers(2, 5)] for title in titles]
        queries = queries.with_columns(text=pl.Series([" ".join(words) for words in drawn]))
    if arm == "broken_link":
        queries = queries.with_columns(text=queries["text"].gather(rng.permutation(queries.height)))
    rows = judgments.with_columns(pl.lit(arm).alias("origin"), pl.lit(1.0).alias("weight"))
    data = Dataset(items=split.train.items, queries=queries, judgments=rows)
    return TrainingSet(data, arm, "judgments")


def no_rows(split: Split) -> TrainingSet:
    rows = split.train.need("judgments").clear()
    rows = rows.with_columns(pl.lit("none").alias("origin"), pl.lit(1.0).alias("weight"))
    return TrainingSet(split.train.with_tables(judgments=rows), "none", "judgments")


def rankings(split: Split, requests: Dataset) -> dict[str, list[Ranking]]:
    """The lists of every arm, one a seed where there is one."""
    nobody = Holdout(split.train.with_tables(judgments=None), pl.DataFrame(schema=TRUTH_COLUMNS))
    blank = no_rows(split)

    def fitted(name: str, rows: TrainingSet, seed: int, **options: object) -> Ranker:
        steps = STEPS if rows is not blank and name != "bm25" else None
        return make_ranker("search", name, options).fit(rows, nobody, seed=seed, steps=steps)

    plain = fitted("bm25", blank, 0, stem=False, grams=0, k1=1.5)
    bm25, dense = fitted("bm25", blank, 0), fitted("bi_encoder", blank, 0, **DENSE)
    fusion = Fusion({"bm25": bm25, "bi_encoder": dense})
    fusion.weights_, fusion.constant_ = {"bm25": 0.5, "bi_encoder": 0.5}, 60.0
    models = {
        "bm25_words": plain,
        "bm25": bm25,
        "bi_encoder": dense,
        "rank_fusion": fusion,
        "weighted_sum": fitted("search_hybrid", blank, 0, **HYBRID),
    }
    lists = {name: [model.rank(requests, k=LENGTH)] for name, model in models.items()}
    for arm in ARMS:
        lists[arm] = []
        for seed in SEEDS:
            model = fitted("search_hybrid", made_rows(split, arm, seed), seed, **HYBRID)
            lists[arm].append(model.rank(requests, k=LENGTH))
            print(arm, seed, f"{time.process_time():.0f} CPU s", flush=True)
    return lists


def judged(lists: list[Ranking], asked: Holdout, slices: pl.DataFrame) -> dict[str, np.ndarray]:
    """NDCG@10 and recall@100 of every query, means over seeds, queries sorted."""
    found = [
        score_units(each, asked.truth, slices, ("ndcg", "recall"), (10, 100)) for each in lists
    ]
    rows = pl.concat(found).group_by("metric", "cutoff", "slice", "unit_id").agg(pl.mean("value"))
    wanted = {"ndcg": (10, "all"), "recall": (100, "relevant")}
    return {
        metric: rows.filter(metric=metric, cutoff=cutoff, slice=part)
        .sort("unit_id")["value"]
        .to_numpy()
        for metric, (cutoff, part) in wanted.items()
    }


def compared(ours: np.ndarray, theirs: np.ndarray) -> dict[str, float]:
    """Difference of means with its paired interval over queries."""
    means = resample_means((ours - theirs)[:, None], resamples=RESAMPLES, seed=0)[:, 0]
    low, high = np.quantile(means, [0.025, 0.975])
    return {"absolute": float((ours - theirs).mean()), "low": float(low), "high": float(high)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    arguments = parser.parse_args()
    split = read_split(arguments.data)
    task = get_task("search")
    asked = task.holdout(split, "test")
    lists = rankings(split, asked.requests)
    slices = task.slices(split, asked.truth)
    units = {name: judged(each, asked, slices) for name, each in lists.items()}
    means = {
        arm: {m: round(float(v.mean()), 4) for m, v in by.items()} for arm, by in units.items()
    }
    ours = units["synthetic"]
    others = [name for name in units if name != "synthetic"]
    uplift = {name: compared(ours["ndcg"], units[name]["ndcg"]) for name in others}
    best = max(("bm25", "rank_fusion", "weighted_sum"), key=lambda name: means[name]["ndcg"])
    reached = all(means["synthetic"][metric] >= goal for metric, goal in REACH.items())
    against = {name: uplift[name] for name in (best, "noise", "broken_link")}
    interval = resample_means(ours["ndcg"][:, None], resamples=RESAMPLES, seed=1)[:, 0]
    low, high = np.quantile(interval, [0.025, 0.975])
    record(
        "G5",
        passed=reached and all(each["low"] > 0 for each in against.values()),
        reach="nDCG@10 >= .438 and recall@100 >= .803, and an interval above 0 over the best "
        "untrained system and over both controls",
        value=means["synthetic"]["ndcg"],
        low=float(low),
        high=float(high),
        unit="nDCG@10, 95 % interval over queries",
        data=named(arguments.data),
        seeds=len(SEEDS),
        cpu_s=time.process_time(),
        peer=(best, means[best]["ndcg"]),
        note=f"{STEPS} steps in every trained arm; MiniLM may have seen Home Depot",
        arms=means,
        differences=uplift,
    )


if __name__ == "__main__":
    main()
