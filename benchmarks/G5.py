"""G5: search without a label: hybrids tuned on made queries against BM25, on unseen queries.

In: `--data`, a folder with `homedepot-search`. Out: benchmarks/results/G5.json. Labels of train and
validation are not read by any arm.

    OMP_NUM_THREADS=1 python benchmarks/G5.py --data DIR

D' is of `title_queries`, which reads titles and the texts of train queries, no label. Settings of
the tuning were chosen on made queries held back, of another seed. Three systems are asked: the
hybrid with MiniLM, with e5-small, and with both; each arm, trained or not, has all three, and what
is claimed is of both. It is the third look at test, after those with one encoder; of the hybrid
with both nothing was chosen: weight and shares are the defaults.

What is not free of labels, and is the same in every arm with BM25: that plurals are taken off and
pieces of three characters count a fifth was seen on labels of train queries, so such a BM25 is the
base to beat.
"""

import argparse
import time
from pathlib import Path
from typing import Any

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
TUNING = {"precision": "bfloat16", "teacher_weight": 0.5, "learning_rate": 2e-5}
BOTH = "both"
SYSTEMS: dict[str, dict[str, Any]] = {
    "minilm": {"model": "minilm"},
    "e5-small": {"model": "e5-small"},
    BOTH: {"model": "minilm", "also": ("e5-small",)},
}
"""Of the settings tried the tuning under which made queries held back were answered best. MiniLM:
NDCG@10 .502 after 120 steps, .492 untrained, .465 without a teacher, .450 without hard negatives.
e5-small, on other made queries: .607 after 200 steps, .586 untrained, .495 without a teacher."""

HYBRID = {"weights": (0.4,)}
"""Made queries are cut from titles, so by them BM25 alone looks best; the weight is the default."""

CONSTANT = 60.0
"""Of reciprocal ranks, as in its paper."""

ARMS = ("synthetic", "noise", "broken_link")
UNTRAINED = "untrained"


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


def fused(parts: dict[str, Ranker]) -> Fusion:
    """Reciprocal ranks, all parts alike."""
    fusion = Fusion(parts)
    fusion.weights_ = dict.fromkeys(parts, 1 / len(parts))
    fusion.constant_ = CONSTANT
    return fusion


def rankings(split: Split, requests: Dataset) -> dict[str, list[Ranking]]:
    """The lists of every arm and system, one a seed where there is one."""
    nobody = Holdout(split.train.with_tables(judgments=None), pl.DataFrame(schema=TRUTH_COLUMNS))
    blank = no_rows(split)

    def fitted(name: str, rows: TrainingSet, seed: int, **options: object) -> Ranker:
        steps = STEPS if rows is not blank else None
        return make_ranker("search", name, options).fit(rows, nobody, seed=seed, steps=steps)

    bm25 = fitted("bm25", blank, 0)
    models = {"bm25_words": fitted("bm25", blank, 0, stem=False, grams=0, k1=1.5), "bm25": bm25}
    lists = {name: [each.rank(requests, k=LENGTH)] for name, each in models.items()}
    for name, options in SYSTEMS.items():
        if name != BOTH:
            dense = fitted("bi_encoder", blank, 0, **options, **TUNING)
            lists[name] = [dense.rank(requests, k=LENGTH)]
            both = fused({"bm25": bm25, name: dense})
            lists[f"rank_fusion_{name}"] = [both.rank(requests, k=LENGTH)]
    arms = [(UNTRAINED, 0, blank)]
    arms += [(arm, seed, made_rows(split, arm, seed)) for arm in ARMS for seed in SEEDS]
    for arm, seed, rows in arms:
        single = {
            name: fitted("search_hybrid", rows, seed, **options, **TUNING, **HYBRID)
            for name, options in SYSTEMS.items()
            if name != BOTH
        }
        for name, model in (single | {BOTH: together(list(single.values()))}).items():
            lists.setdefault(f"{arm}_{name}", []).append(model.rank(requests, k=LENGTH))
            print(name, arm, seed, f"{time.process_time():.0f} CPU s", flush=True)
    return lists


def together(single: list[Any]) -> Ranker:
    """The hybrid of all encoders; it would train each as the hybrid of one encoder just did."""
    both: Any = make_ranker("search", "search_hybrid", SYSTEMS[BOTH] | TUNING | HYBRID)
    both.bm25_ = single[0].bm25_
    both.bi_encoders_ = tuple(model.bi_encoders_[0] for model in single)
    return both


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
    uplift = {
        system: {
            arm: compared(units[f"synthetic_{system}"]["ndcg"], units[f"{arm}_{system}"]["ndcg"])
            for arm in (UNTRAINED, *ARMS[1:])
        }
        for system in SYSTEMS
    }
    claimed = f"synthetic_{BOTH}"
    best = max(
        (name for name in units if not name.startswith(ARMS)), key=lambda name: means[name]["ndcg"]
    )
    ours = units[claimed]
    uplift[BOTH]["best_untrained"] = compared(ours["ndcg"], units[best]["ndcg"])
    reached = all(means[claimed][metric] >= goal for metric, goal in REACH.items())
    interval = resample_means(ours["ndcg"][:, None], resamples=RESAMPLES, seed=1)[:, 0]
    low, high = np.quantile(interval, [0.025, 0.975])
    record(
        "G5",
        passed=reached and all(each["low"] > 0 for each in uplift[BOTH].values()),
        reach="nDCG@10 >= .438 and recall@100 >= .803, and an interval above 0 over the same "
        "untrained, over the best untrained system and over both controls",
        value=means[claimed]["ndcg"],
        low=float(low),
        high=float(high),
        unit="nDCG@10, 95 % interval over queries",
        data=named(arguments.data),
        seeds=len(SEEDS),
        cpu_s=time.process_time(),
        peer=(best, means[best]["ndcg"]),
        note=f"{STEPS} steps in every trained arm, the best state by its made queries held back; "
        "the encoders may have seen Home Depot. The third look at test: the hybrid with MiniLM was "
        "the first, with e5-small the second",
        arms=means,
        differences=uplift,
    )


if __name__ == "__main__":
    main()
