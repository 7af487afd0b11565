"""What SASRec learns from histories made in mode dp, over what it learns without a guarantee.

In: nothing; a shop of 100,000 users is planted (`_planted_shop.py`). Out:
benchmarks/results/dp_behaviour_<synthesizer>.json: NDCG@10 of other people's last item, by a SASRec
trained on as many synthetic users in every arm, at epsilon 1, 3 and 8. The noise is the program's
own, so a rerun gives other draws; the interval is over the people asked.

    OMP_NUM_THREADS=1 python benchmarks/dp_behaviour.py --synthesizer markov
"""

import argparse
import json
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from _amazon import RESAMPLES, gains
from _planted_shop import END, START, planted_shop
from _record import record

from shopsynth.generate import make_synthesizer
from shopsynth.privacy import PrivacySettings, PrivateView, Purse, open_view
from shopsynth.privacy.ledger import Ledger
from shopsynth.privacy.till import RunTill
from shopsynth.schema import Dataset, Holdout, TrainingSet
from shopsynth.train import make_ranker

EPSILONS = (1.0, 3.0, 8.0)
GOALS = {3.0: 0.70, 8.0: 0.85}
"""Shares of the figure without a guarantee that are to be kept."""

TRAINED, ASKED, VALIDATED = 20_000, 5_000, 2_000
"""Synthetic users a model learns from; other people asked, and those it stops by."""

DELTA = 1e-6
KEY = b"benchmark data protect nobody"
SASREC = {"layers": 1, "negatives": 256, "learning_rate": 0.002}
PERIOD = {"period_start": START, "period_end": END}
PRIVATE_OPTIONS: dict[str, dict[str, Any]] = {
    "markov": PERIOD,
    # Of the bound of 200,000 users half are there, so 2,000 take part in a step on average.
    "sequence_lm": PERIOD | {"training_users": 4_000, "context": 16},
}
OPEN_OPTIONS: dict[str, dict[str, Any]] = {"sequence_lm": {"max_epochs": 5}}
"""Without a guarantee; 100,000 users need fewer passes than the few thousand of the defaults."""


def main() -> None:
    arguments = _arguments()
    begun = time.process_time()
    shop = planted_shop(arguments.users, seed=1)
    asked, validation = questions(ASKED, seed=2), questions(VALIDATED, seed=3)

    def learned(made: Dataset) -> np.ndarray:
        return utility(shop.items, made, validation, asked)

    name = arguments.synthesizer
    openly = sampled(shop, name, None, OPEN_OPTIONS.get(name, {}))
    found = {"real": learned(shop), "without": learned(openly)}
    for epsilon in EPSILONS:
        options = PRIVATE_OPTIONS.get(name, {}) | json.loads(arguments.options)
        found[f"{epsilon:g}"] = learned(sampled(shop, name, epsilon, options))
    kept = {key: _ratio(found[key], found["without"]) for key in found if key != "without"}
    record(
        f"dp_behaviour_{name}",
        passed=all(kept[f"{epsilon:g}"]["value"] >= goal for epsilon, goal in GOALS.items()),
        reach=", ".join(f">= {goal:.0%} at epsilon {eps:g}" for eps, goal in GOALS.items())
        + f" of what {name} without a guarantee gives",
        **kept["3"],
        unit="ndcg@10 of sasrec at epsilon 3 over that without dp, 95 % over people asked",
        data=f"planted shop: {arguments.users} users, seed 1; asked {ASKED} others",
        seeds=1,
        cpu_s=round(time.process_time() - begun, 1),
        note="NDCG@10: "
        + ", ".join(f"{key} {float(gain.mean()):.4f}" for key, gain in found.items())
        + f"; each model learned from {TRAINED} users; delta 1e-6, one draw of noise each",
        kept=kept,
    )


def sampled(shop: Dataset, name: str, epsilon: float | None, options: dict[str, Any]) -> Dataset:
    """Fit and sample, in mode dp with a ledger of its own."""
    if epsilon is None:
        view, _ = open_view(shop, PrivacySettings(mode="unsafe_nonprivate"), KEY)
        return _grown(view, name, options)
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        ledger = Ledger.open(
            place, source="bench", key=KEY, budget="relaxed", delta=DELTA, heads=place / "heads"
        )
        settings = PrivacySettings(
            mode="dp", epsilon=epsilon, delta=DELTA, users=200_000, budget="relaxed"
        )
        purse = Purse(RunTill(ledger, epsilon, DELTA, "f" * 64), 1.0, name)
        view, _ = open_view(shop, settings, KEY, purse=purse)
        return _grown(view, name, options)


def _grown(view: PrivateView, name: str, options: dict[str, Any]) -> Dataset:
    method = make_synthesizer(name, options).fit(view, seed=1)
    return method.sample(TRAINED, seed=1).data


def questions(n_users: int, seed: int) -> Holdout:
    """Ask other people of the same shop for their last item."""
    shop = planted_shop(n_users, seed=seed)
    events = shop.ordered_events()
    last = pl.int_range(pl.len()).over("user_id") == pl.len().over("user_id") - 1
    long = pl.len().over("user_id") > 1
    events = events.filter(long).with_columns(last=last)
    truth = events.filter("last").select(
        pl.col("user_id").alias("unit_id"), "item_id", pl.lit(1.0).alias("grade")
    )
    history = events.filter(~pl.col("last")).drop("last")
    return Holdout(Dataset(items=shop.items, events=history), truth, exclude_seen=False)


def utility(items: pl.DataFrame, made: Dataset, validation: Holdout, asked: Holdout) -> np.ndarray:
    """Train on synthetic rows alone, or on as many real users; return each gain."""
    events = made.ordered_events()
    some = events["user_id"].unique().sort().sample(TRAINED, seed=0)
    rows = events.filter(pl.col("user_id").is_in(some.implode())).with_columns(
        origin=pl.lit("synthetic"), weight=pl.lit(1.0)
    )
    ranker = make_ranker("next_item", "sasrec", SASREC)
    ranker.fit(TrainingSet(Dataset(items=items, events=rows), "synthetic"), validation, seed=0)
    told = ranker.rank(asked.requests, k=10, exclude_seen=False).frame
    return gains(told, asked.truth)


def _ratio(arm: np.ndarray, base: np.ndarray) -> dict[str, float]:
    random = np.random.Generator(np.random.PCG64(0))
    drawn = random.integers(0, base.size, (RESAMPLES, base.size))
    low, high = np.quantile([arm[d].mean() / base[d].mean() for d in drawn], [0.025, 0.975])
    return {
        "value": round(float(arm.mean() / base.mean()), 4),
        "low": round(float(low), 4),
        "high": round(float(high), 4),
    }


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--synthesizer", choices=("markov", "sequence_lm"), default="markov")
    parser.add_argument("--options", default="{}", help="options in mode dp, as JSON")
    parser.add_argument("--users", type=int, default=100_000)
    return parser.parse_args()


if __name__ == "__main__":
    main()
