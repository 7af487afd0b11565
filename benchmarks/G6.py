"""G6: relevance with a tenth of the labels, a tenth and D', and all labels, on unseen queries.

In: `--data`, a folder with `homedepot-search`; `--work`, a folder where every fitted arm leaves its
predictions, so that a run that was cut off goes on. Out: benchmarks/results/G6.json, written again
after every arm.

    OMP_NUM_THREADS=1 python benchmarks/G6.py --data DIR --work DIR

A tenth of the labels are the labels of a tenth of the train queries. D' is made without any other:
pairs of `title_queries`, and pairs of unlabelled train queries and items that BM25 finds for them,
graded by a teacher that knows the same tenth of the labels alone: the arm `real_10` of that seed.
Every arm is one fit of `relevance_hybrid`, of which its parts are told too. Validation queries
choose when trees stop and how the parts are weighed; test is read when everything is fitted.
"""

import argparse
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from _home_depot import named, read_split
from _record import record

from shopsynth.generate.title_queries import TitleQueries, TitleQueriesOptions
from shopsynth.privacy import PrivateView
from shopsynth.schema import Dataset, Split, TrainingSet
from shopsynth.train import get_task, make_ranker
from shopsynth.train.relevance._pairs import asked_pairs, rmse
from shopsynth.train.relevance.cross_encoder import CrossEncoder
from shopsynth.train.relevance.serving import ServedCrossEncoder

SEEDS = (0, 1, 2)
SHARE = 0.1
MADE_QUERIES, MADE_PAIRS, FOUND_QUERIES, FOUND_EACH, DEPTH = 500, 1_000, 4_000, 3, 20
"""Of two sizes the one with the lower RMSE of the cross-encoder on validation, seed 0: .473; with
3,000 pairs of made queries and 3,000 found ones .479, without D' .490, with all labels .469."""

NETWORK = {
    "precision": "bfloat16",
    "max_length": 48,
    "learning_rate": 1e-4,
    "epochs": 2.0,
    "evaluate_every": 100_000,
}
EPOCHS = {"real_100": 1.0}
"""Chosen on validation, seed 0: of all labels one epoch (RMSE .469; two .475), of a tenth two
(.490; one .498)."""

EFFECTS: dict[str, dict[str, Any]] = {
    "full": {},
    "lora": {"tuning": "lora", "learning_rate": 1e-3},
    "adalora": {"tuning": "adalora", "learning_rate": 1e-3},
    "fgm": {"adversarial": "fgm", "radius": 0.05},
    "pgd": {"adversarial": "pgd", "rounds": 2, "radius": 0.05},
    "freelb": {"adversarial": "freelb", "rounds": 2, "radius": 0.05},
    "fgm_0.01": {"adversarial": "fgm", "radius": 0.01},
    "freelb_0.01": {"adversarial": "freelb", "rounds": 2, "radius": 0.01},
    "no_dropout": {"dropout": 0.0},
    "l2_0.1": {"l2": 0.1},
}
SERVED = {
    "bfloat16": (False, 0.0),
    "int8": (True, 0.0),
    "pruned_20": (False, 0.2),
    "pruned_20_int8": (True, 0.2),
}
ARMS = ("real_10", "combined_10", "same_compute_10", "noise_10", "broken_link_10")
SYSTEMS = ("lexical_gbdt", "cross_encoder", "relevance_hybrid")
RESAMPLES = 2_000
REACH = {"closed": 0.5, "rmse": 0.465}


class Bench:
    """The split, the arms and what was measured so far."""

    def __init__(self, data: Path, work: Path) -> None:
        self.data, self.work = data, work
        self.split: Split = read_split(data)
        self.task = get_task("relevance")
        self.validation = self.task.holdout(self.split, "validation")
        self.asked = self.task.holdout(self.split, "test")
        self.models: dict[str, Any] = {}
        self.found: dict[str, dict[str, Any]] = {}
        work.mkdir(parents=True, exist_ok=True)

    def tenth(self, seed: int) -> pl.DataFrame:
        queries = self.split.train.need("queries")
        kept = queries.sample(fraction=SHARE, seed=seed, shuffle=True)
        return self.split.train.need("judgments").join(
            kept, on="query_id", how="semi", maintain_order="left"
        )

    def real(self, seed: int) -> TrainingSet:
        return self.rows(self.tenth(seed), None, "real")

    def rows(
        self, judged: pl.DataFrame, made: tuple[pl.DataFrame, pl.DataFrame] | None, arm: str
    ) -> TrainingSet:
        queries = self.split.train.need("queries").select("query_id", "text")
        parts = [judged.select("query_id", "item_id", "grade", pl.lit("real").alias("origin"))]
        if made is not None:
            queries = pl.concat([queries, made[0]])
            parts.append(made[1].with_columns(pl.lit(arm).alias("origin")))
        rows = pl.concat(parts).with_columns(pl.lit(1.0).alias("weight"))
        return TrainingSet(
            Dataset(items=self.split.train.items, queries=queries, judgments=rows), arm, "judgments"
        )

    def pairs(self, seed: int) -> tuple[pl.DataFrame, pl.DataFrame]:
        """Made queries, and pairs of D' without grades; cached."""
        cached = [self.work / f"made_{seed}_{name}.parquet" for name in ("queries", "pairs")]
        if all(path.exists() for path in cached):
            return pl.read_parquet(cached[0]), pl.read_parquet(cached[1])
        train = self.split.train.with_tables(judgments=None)
        view = PrivateView(train, mode="public", fingerprint="0" * 64, max_events_per_user=256)
        maker = TitleQueries(TitleQueriesOptions()).fit(view, seed=seed)
        made = maker.sample(MADE_QUERIES, seed=seed).data
        about = made.need("judgments").select("query_id", "item_id")
        about = about.sample(min(MADE_PAIRS, about.height), seed=seed)
        queries = made.need("queries").select("query_id", "text")
        blank = train.need("queries").join(self.tenth(seed), on="query_id", how="anti")
        blank = blank.sort("query_id").sample(FOUND_QUERIES, seed=seed)
        rows = self.rows(self.tenth(seed), None, "real")
        bm25 = make_ranker("search", "bm25", {}).fit(rows, self.validation, seed=seed)
        listed = bm25.rank(Dataset(items=train.items, queries=blank), k=DEPTH).frame
        found = (
            listed.sample(fraction=1.0, shuffle=True, seed=seed)
            .group_by("unit_id", maintain_order=True)
            .head(FOUND_EACH)
            .select(pl.col("unit_id").alias("query_id"), "item_id")
        )
        pairs = pl.concat([about, found])
        queries.write_parquet(cached[0])
        pairs.write_parquet(cached[1])
        return queries, pairs

    def combined(self, seed: int, arm: str) -> TrainingSet:
        """D(10 %) and D', or a control with grades or links broken."""
        queries, pairs = self.pairs(seed)
        path = self.work / f"taught_{seed}.npy"
        if not path.exists():
            shop = self.rows(self.tenth(seed), (queries, pairs.with_columns(grade=0.0)), arm).data
            asked = shop.with_tables(judgments=pairs.with_columns(grade=pl.lit(None, pl.Float64)))
            taught = self.models[f"real_10-{seed}"].rank(asked, k=1).frame["score"]
            np.save(path, taught.to_numpy().astype(np.float64))
        grades = np.load(path)
        rng = np.random.Generator(np.random.PCG64(seed))
        if arm == "noise":
            grades = rng.permutation(grades)
        if arm == "broken_link":
            pairs = pairs.with_columns(
                item_id=pairs["item_id"].gather(rng.permutation(pairs.height))
            )
        made = pairs.with_columns(grade=grades).unique(
            ["query_id", "item_id"], keep="first", maintain_order=True
        )
        return self.rows(self.tenth(seed), (queries, made), arm)

    def training(self, arm: str, seed: int) -> TrainingSet:
        if arm == "real_100":
            return self.rows(self.split.train.need("judgments"), None, "real")
        if arm in ("real_10", "same_compute_10"):
            return self.real(seed)
        kind = arm.removesuffix("_10")
        return self.combined(seed, kind)

    def measure(self, arm: str, seed: int) -> None:
        """Fit an arm unless that was done, and keep its predictions of validation and test."""
        name = f"{arm}-{seed}"
        facts, folder = self.work / f"{name}.json", self.work / name
        if not facts.exists():
            start = time.process_time()
            steps = None
            if arm == "same_compute_10":
                steps = self.found[f"combined_10-{seed}"]["steps"]
            options = NETWORK | {"epochs": EPOCHS.get(arm, NETWORK["epochs"])}
            model = make_ranker("relevance", "relevance_hybrid", options)
            model.fit(self.training(arm, seed), self.validation, seed=seed, steps=steps)
            found: dict[str, Any] = {"cpu_s": time.process_time() - start}
            parts: dict[str, Any] = {
                "lexical_gbdt": model.lexical_gbdt_,
                "cross_encoder": model.cross_encoder_,
            }
            predicted = {
                part: each.rank(self.asked.requests, k=1).frame["score"].to_numpy()
                for part, each in parts.items()
            }
            weight = model.weight_
            predicted["relevance_hybrid"] = (1 - weight) * predicted[
                "lexical_gbdt"
            ] + weight * predicted["cross_encoder"]
            np.savez(self.work / f"{name}.npz", **predicted)
            folder.mkdir(exist_ok=True)
            model.save(folder)
            found |= {
                "steps": model.steps_,
                "weight": weight,
                "n_trees": parts["lexical_gbdt"].n_trees_,
            }
            facts.write_text(json.dumps(found))
            self.models[name] = model
        elif arm == "real_10":
            cls = type(make_ranker("relevance", "relevance_hybrid", {}))
            self.models[name] = cls.load(folder)
        self.found[name] = json.loads(facts.read_text())

    def errors(self, arm: str, system: str) -> np.ndarray | None:
        """Squared errors of test pairs by seed measured: ``(seed, pair)``."""
        truth = self.asked.truth["grade"].to_numpy()
        found = []
        for name in sorted(self.found):
            if name.rpartition("-")[0] == arm:
                with np.load(self.work / f"{name}.npz") as stored:
                    found.append((stored[system] - truth) ** 2)
        return np.array(found) if found else None


def effects(bench: Bench) -> dict[str, dict[str, float]]:
    """What each way of tuning does in one epoch of a tenth of the labels, on validation."""
    path = bench.work / "effects.json"
    found: dict[str, dict[str, float]] = json.loads(path.read_text()) if path.exists() else {}
    judged = asked_pairs(bench.validation, ("title",))
    for name, options in EFFECTS.items():
        if name not in found:
            start = time.process_time()
            model = make_ranker("relevance", "cross_encoder", NETWORK | {"epochs": 1.0} | options)
            model.fit(bench.real(0), bench.validation, seed=0)
            cpu_s = time.process_time() - start
            assert isinstance(model, CrossEncoder)
            found[name] = {"rmse": round(rmse(model.predict(judged), judged), 4), "cpu_s": cpu_s}
            path.write_text(json.dumps(found))
    return found


def served(bench: Bench) -> dict[str, dict[str, float]]:
    """What serving in fewer bits or without neurons loses and gains, on validation pairs."""
    path = bench.work / "served.json"
    if not path.exists():
        source = bench.models["real_10-0"].cross_encoder_
        judged = asked_pairs(bench.validation.drawn_down(2_000), ("title",))
        questions = bench.validation.drawn_down(2_000).requests
        found = {}
        half, source.network_.half_bits = source.network_.half_bits, False
        for name, (int8, pruned) in {"float32": (False, 0.0), **SERVED}.items():
            source.network_.half_bits = name == "bfloat16"
            model = ServedCrossEncoder(source, int8=int8, pruned=pruned)
            start = time.process_time()
            scores = model.rank(questions, k=1).frame["score"].to_numpy()
            pairs_per_s = judged.height / (time.process_time() - start)
            found[name] = {
                "rmse": round(rmse(scores, judged), 4),
                "pairs_per_cpu_s": round(pairs_per_s, 1),
                "matrices_mb": round(model.size_bytes() / 1e6, 1),
            }
        source.network_.half_bits = half
        path.write_text(json.dumps(found))
    again: dict[str, dict[str, float]] = json.loads(path.read_text())
    return again


def resampled(
    bench: Bench, statistic: Callable[[np.ndarray], np.ndarray], *errors: np.ndarray
) -> dict[str, float]:
    """Value and interval over queries of a statistic of root mean squared errors."""
    queries = bench.asked.requests.need("judgments")["query_id"].rank("dense").to_numpy() - 1
    n = int(queries.max()) + 1
    sums = np.stack([np.bincount(queries, each, n) for each in (*errors, np.ones(queries.size))])
    rng = np.random.Generator(np.random.PCG64(0))
    drawn = rng.multinomial(n, np.full(n, 1 / n), size=RESAMPLES)
    drawn = np.concatenate([np.ones((1, n)), drawn]) @ sums.T
    values = statistic(np.sqrt(drawn[:, :-1] / drawn[:, -1:]))
    low, high = np.quantile(values[1:], [0.025, 0.975])
    return {"value": float(values[0]), "low": float(low), "high": float(high)}


def write(bench: Bench, more: dict[str, Any]) -> None:
    """Record what there is so far."""
    mean = bench.split.train.need("judgments")["grade"].mean()
    arms: dict[str, dict[str, float]] = {}
    seeds: dict[str, dict[str, list[float]]] = {}
    compared: dict[str, Any] = {}
    for system in SYSTEMS:
        known = {arm: bench.errors(arm, system) for arm in (*ARMS, "real_100")}
        by_seed = {arm: each for arm, each in known.items() if each is not None}
        errors = {arm: each.mean(axis=0) for arm, each in by_seed.items()}
        for arm, each in by_seed.items():
            arms.setdefault(arm, {})[system] = round(float(np.sqrt(each.mean())), 4)
            of_seeds = np.sqrt(each.mean(axis=1)).round(4).tolist()
            seeds.setdefault(arm, {})[system] = of_seeds
        ours = errors.get("combined_10")
        if ours is None:
            continue
        compared[system] = {
            f"less_than_{arm}": resampled(bench, lambda r: r[:, 1] - r[:, 0], ours, each)
            for arm, each in errors.items()
            if arm not in ("combined_10", "real_100")
        }
        if "real_100" in errors:
            compared[system]["closed"] = resampled(
                bench,
                lambda r: (r[:, 1] - r[:, 0]) / (r[:, 1] - r[:, 2]),
                ours,
                errors["real_10"],
                errors["real_100"],
            )
    headline = compared.get("cross_encoder", {})
    closed = headline.get("closed", {"value": 0.0, "low": 0.0, "high": 0.0})
    best = arms.get("real_100", {}).get("relevance_hybrid", 9.0)
    beaten = all(each["low"] > 0 for name, each in headline.items() if name.startswith("less_than"))
    done = all(f"{arm}-{seed}" in bench.found for arm in ARMS for seed in SEEDS)
    truth = bench.asked.truth["grade"].to_numpy()
    record(
        "G6",
        passed=done and closed["value"] >= REACH["closed"] and best <= REACH["rmse"] and beaten,
        reach="a tenth of the labels and D' close at least half of the cross-encoder's gap between "
        "a tenth and all labels, with intervals above 0 over real_10 and every control; all labels "
        "<= .465 (relevance_hybrid)",
        **closed,
        unit="share of the cross-encoder's gap in RMSE that D' closes, 95 % interval over queries",
        data=named(bench.data),
        seeds=max((sum(n.startswith("combined_10-") for n in bench.found)), 0),
        cpu_s=sum(each["cpu_s"] for each in bench.found.values()),
        peer=("lexical GBDT on all labels, PROOF", 0.475),
        note="MiniLM may have seen Home Depot; all labels are one seed. A second look at test: the "
        "first, one seed with 6,000 pairs of D', closed 42 % [29, 55]"
        + ("" if done else "; not all seeds and arms are in yet"),
        mean_rmse=round(float(np.sqrt(np.mean((truth - mean) ** 2))), 4),
        arms=arms,
        by_seed=seeds,
        differences=compared,
        fits={name: bench.found[name] for name in sorted(bench.found)},
        **more,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--work", type=Path, required=True)
    arguments = parser.parse_args()
    bench = Bench(arguments.data, arguments.work)
    more: dict[str, Any] = {}
    first = [("real_10", 0), ("combined_10", 0), ("real_100", 0)]
    rest = [(arm, seed) for seed in SEEDS for arm in ARMS]
    for arm, seed in [*first, *(each for each in rest if each not in first)]:
        bench.measure(arm, seed)
        write(bench, more)
        print(arm, seed, f"{time.process_time():.0f} CPU s", flush=True)
        if (arm, seed) == ("real_100", 0):
            more["served"] = served(bench)
        if (arm, seed) == ("broken_link_10", 0):
            more["effects"] = effects(bench)
    write(bench, more)


if __name__ == "__main__":
    main()
