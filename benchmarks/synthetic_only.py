"""SASRec trained on synthetic histories alone, and on real and synthetic ones, all of a set.

In: `--data`, a folder with `amazon-beauty-s3rec`, `amazon-toys-s3rec` or `amazon-grocery-rechorus`.
Out: benchmarks/results/synthetic_only_<set>.json: NDCG@10 of real users' last items, by model
trained on as many synthetic users, over that by the model trained on real ones. Both stop by the
same real validation questions and have the default options; synthetic rows beside real ones have a
fixed weight, that of G1. With `--workspace` a run that was interrupted goes on.

    OMP_NUM_THREADS=1 python benchmarks/synthetic_only.py --data DIR --data-set beauty
"""

import argparse
import time
from pathlib import Path

import numpy as np
import polars as pl
from _amazon import DATA_SETS, RESAMPLES, gains, named, read_shop
from _record import record

from shopsynth.generate import make_synthesizer
from shopsynth.privacy import PrivacySettings, open_view
from shopsynth.schema import Dataset, Holdout, TrainingSet
from shopsynth.train import make_ranker

KEY = b"benchmark data protect nobody"
REACH = 0.8
ARMS = ("real", "synthetic", "combined")
WEIGHT = 0.3

Shop = tuple[TrainingSet, Holdout, Holdout]


def main() -> None:
    arguments = _arguments()
    path = arguments.data / DATA_SETS[arguments.data_set]
    shop = read_shop(path)
    start = time.process_time()
    # Seeds run together: one of the generator, one of the trainer.
    runs = {
        arm: np.array([ask(shop, arm, seed, arguments) for seed in range(arguments.seeds)])
        for arm in ARMS
    }
    ratio = {arm: _ratio(runs[arm], runs["real"]) for arm in ARMS[1:]}
    told = "; ".join(
        f"{arm} " + ", ".join(f"{one.mean():.4f}" for one in runs[arm]) for arm in ARMS
    )
    record(
        f"synthetic_only_{arguments.data_set}",
        passed=ratio["synthetic"]["value"] >= REACH and ratio["combined"]["value"] >= 1.0,
        reach=f"SASRec trained on {arguments.synthesizer} alone keeps {REACH:.0%} of NDCG@10, "
        "trained on both it is not below",
        **ratio["synthetic"],
        unit="ndcg@10 over that of real rows, mean over seeds, 95 % over seeds and users",
        data=named(path),
        seeds=arguments.seeds,
        cpu_s=round(time.process_time() - start, 1),
        combined=ratio["combined"],
        note=f"NDCG@10 of each seed: {told}; combined with weight {WEIGHT}",
    )


def ask(shop: Shop, arm: str, seed: int, arguments: argparse.Namespace) -> np.ndarray:
    """Train one arm with one seed; return NDCG@10 of each test user."""
    kept = None
    if arguments.workspace:
        arguments.workspace.mkdir(parents=True, exist_ok=True)
        kept = arguments.workspace / f"{arguments.data_set}-{arm}-{seed}.npy"
        if kept.exists():
            told: np.ndarray = np.load(kept, allow_pickle=False)
            return told
    _, validation, test = shop
    ranker = make_ranker("next_item", "sasrec", {})
    ranker.fit(arm_of(shop[0], arm, seed, arguments.synthesizer), validation, seed=seed)
    answers = ranker.rank(test.requests, k=10, exclude_seen=True).frame
    told = gains(answers, test.truth)
    if kept:
        np.save(kept, told, allow_pickle=False)
    return told


def arm_of(real: TrainingSet, arm: str, seed: int, synthesizer: str) -> TrainingSet:
    """Put an arm together; as many synthetic users as real ones."""
    if arm == "real":
        return real
    rows = real.rows
    shop = Dataset(items=real.data.items, events=rows.drop("origin", "weight"))
    view, _ = open_view(shop, PrivacySettings(mode="public"), KEY)
    method = make_synthesizer(synthesizer, {}).fit(view, seed=seed)
    made = method.sample(view.n_users, seed=seed).data.need("events")
    weight = 1.0 if arm == "synthetic" else WEIGHT
    made = made.with_columns(origin=pl.lit(synthesizer), weight=pl.lit(weight)).select(rows.columns)
    events = made if arm == "synthetic" else pl.concat([rows, made])
    return TrainingSet(Dataset(items=real.data.items, events=events), arm)


def _ratio(arm: np.ndarray, real: np.ndarray) -> dict[str, float]:
    """Compare two arms, ``(seeds, users)`` each; seeds and users are drawn again together."""
    random = np.random.Generator(np.random.PCG64(0))
    found = []
    for _ in range(RESAMPLES):
        users = random.integers(0, real.shape[1], real.shape[1])
        seeds, others = random.integers(0, len(real), (2, len(real)))
        found.append(arm[seeds][:, users].mean() / real[others][:, users].mean())
    low, high = np.quantile(found, [0.025, 0.975])
    return {
        "value": round(float(arm.mean() / real.mean()), 4),
        "low": round(float(low), 4),
        "high": round(float(high), 4),
    }


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--data-set", choices=DATA_SETS, default="beauty")
    parser.add_argument("--synthesizer", default="markov")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--workspace", type=Path)
    return parser.parse_args()


if __name__ == "__main__":
    main()
