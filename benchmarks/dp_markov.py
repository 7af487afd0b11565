"""Measure `markov` in mode dp: how much of a known shop it keeps, and what canaries can prove.

In: nothing; a shop of 100,000 users is planted (`_planted_shop.py`). Out: one JSON file in the form
of the other benchmarks. The noise is the program's own, so a rerun gives other draws.

Fidelity: total variation between the category bigrams (10,000 cells) of a large synthetic sample
and of the real events. Its ceiling is what as many other people of the same shop give.

Utility: share of held-out people whose last item is among the ten that most often follow their last
category in the training rows; synthetic rows in place of real ones.

Canaries: 1,000 people who go to and fro between two items of two categories, a pair that is theirs
alone; a coin puts each among 10,000 others, or not. The attacker knows all others: guesses go by
how much oftener the release steps between the two categories than they do, or between the two
items. The bound holds for one run (`evaluate/attacks/canaries.py`).

    python benchmarks/dp_markov.py [--users 100000] [--draws 5] [--canary-draws 10]
"""

import argparse
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from _planted_shop import (
    END,
    ITEMS_EACH,
    N_CATEGORIES,
    START,
    category_steps,
    item_ids,
    planted_shop,
    total_variation,
)
from _record import record

from shopsynth.evaluate import CanaryBound, canary_epsilon
from shopsynth.generate import make_synthesizer
from shopsynth.privacy import PrivacySettings, Purse, open_view
from shopsynth.privacy.ledger import Ledger
from shopsynth.privacy.till import RunTill
from shopsynth.schema import TIMESTAMP, Dataset

EPSILONS = (1.0, 3.0, 8.0)
GOAL_TV, GOAL_CONTROL = 0.08, 4.0
SAMPLE = 4
"""Synthetic users a real one: so many that the sample adds next to nothing to the distance."""
CANARIES, BACKGROUND, TO_AND_FRO = 1_000, 10_000, 8
DELTA = 1e-6
KEY = b"benchmark data protect nobody"
OVERFITTED = {"order": 4, "back_off": 0.0, "min_users": 1}


def main() -> None:
    arguments = _arguments()
    begun = time.process_time()
    real = planted_shop(arguments.users, seed=1)
    others = planted_shop(arguments.users, seed=2)
    steps = category_steps(real)
    fidelity = {
        _name(epsilon): [_fidelity(real, others, steps, epsilon) for _ in range(arguments.draws)]
        for epsilon in EPSILONS
    }
    without_dp = _compared(real, others, steps, _made(real, None, seed=1))
    ceiling = total_variation(steps, category_steps(others))
    attacks = {
        _name(epsilon): [_attack(epsilon, seed) for seed in range(arguments.canary_draws)]
        for epsilon in EPSILONS
    }
    control = _attack(None, seed=0, options=OVERFITTED)
    first = [run["bigram_tv"] for run in fidelity[_name(EPSILONS[0])]]
    above = [
        (name, run.epsilon)
        for name, runs in attacks.items()
        for run in runs
        if run.epsilon > float(name)
    ]
    reached = control.epsilon >= min(GOAL_CONTROL, control.cannot_detect_above)
    record(
        "dp_markov",
        passed=max(first) <= GOAL_TV and not above and reached,
        reach=f"category-bigram TV <= {GOAL_TV} at epsilon 1; no canary bound above epsilon; "
        f"overfitted control >= {GOAL_CONTROL:g} or its power limit",
        value=round(float(np.mean(first)), 4),
        low=round(min(first), 4),
        high=round(max(first), 4),
        unit="total variation at epsilon 1: mean, least and greatest of the noise draws",
        data=f"planted shop: {arguments.users} users, {int(steps.sum())} steps between "
        f"{N_CATEGORIES} categories, {N_CATEGORIES * ITEMS_EACH} items, seed 1, others seed 2; "
        f"canaries: {CANARIES} beside {BACKGROUND} others",
        seeds=arguments.draws,
        cpu_s=time.process_time() - begun,
        note="delta 1e-6; ledger, noise and accounting as in a run; the whole budget buys 10 "
        "tables, of which the bigrams get 45 parts of 99; the control is the same synthesizer "
        "without dp, order 4, no back-off, contexts of one user",
        ceiling=round(ceiling, 4),
        real_hits_at_10=round(hits_at_10(real, others), 4),
        without_dp=without_dp,
        fidelity=fidelity,
        canaries={name: [_told(run) for run in runs] for name, runs in attacks.items()},
        overfitted_control=_told(control),
    )


def _fidelity(real: Dataset, others: Dataset, steps: np.ndarray, epsilon: float) -> dict[str, Any]:
    return _compared(real, others, steps, _made(real, epsilon, seed=1))


def _compared(real: Dataset, others: Dataset, steps: np.ndarray, made: Dataset) -> dict[str, float]:
    return {
        "bigram_tv": round(total_variation(steps, category_steps(made)), 4),
        "item_tv": round(total_variation(_popularity(real), _popularity(made)), 4),
        "length_tv": round(total_variation(_lengths(real), _lengths(made)), 4),
        "hits_at_10": round(hits_at_10(made, others), 4),
    }


def _made(
    data: Dataset, epsilon: float | None, seed: int, options: dict[str, Any] | None = None
) -> Dataset:
    """Open a view, fit, sample: in mode dp with a ledger of its own."""
    if epsilon is None:
        view, _ = open_view(data, PrivacySettings(mode="unsafe_nonprivate"), KEY)
        method = make_synthesizer("markov", dict(options or {}))
    else:
        settings = PrivacySettings(
            mode="dp", epsilon=epsilon, delta=DELTA, users=200_000, budget="relaxed"
        )
        with tempfile.TemporaryDirectory() as folder:
            place = Path(folder)
            ledger = Ledger.open(
                place, source="bench", key=KEY, budget="relaxed", delta=DELTA, heads=place / "heads"
            )
            purse = Purse(RunTill(ledger, epsilon, DELTA, "f" * 64), 1.0, "markov")
            view, _ = open_view(data, settings, KEY, purse=purse)
            method = make_synthesizer("markov", {"period_start": START, "period_end": END})
            method.fit(view, seed=seed)
    if epsilon is None:
        method.fit(view, seed=seed)
    n_users = data.need("events")["user_id"].n_unique()
    return method.sample(SAMPLE * n_users, seed=seed).data


def hits_at_10(train: Dataset, test: Dataset) -> float:
    """Recommend the ten items that most often follow a category; count whose last item is there."""
    before, after, _ = _item_pairs(train)
    cell = before // ITEMS_EACH * N_CATEGORIES * ITEMS_EACH + after
    counts = np.bincount(cell, minlength=N_CATEGORIES**2 * ITEMS_EACH).reshape(N_CATEGORIES, -1)
    best = np.argsort(-counts, axis=1, kind="stable")[:, :10]
    before, after, last = _item_pairs(test)
    hit = (best[before[last] // ITEMS_EACH] == after[last, None]).any(axis=1)
    return float(hit.mean())


def _item_pairs(data: Dataset) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the item before and after each step, and whether it is a person's last."""
    events = _numbered(data)
    item, same = events["item"].to_numpy().astype(np.int64), events["same"].to_numpy()
    after = np.flatnonzero(same)
    is_last = np.append(~same[1:], True)[after]
    return item[after - 1], item[after], is_last


def _numbered(data: Dataset) -> pl.DataFrame:
    place = pl.DataFrame({"item_id": item_ids()}).with_row_index("item")
    events = data.ordered_events().join(place, on="item_id", how="left", maintain_order="left")
    return events.select(
        "item", same=(pl.col("user_id") == pl.col("user_id").shift(1)).fill_null(value=False)
    )


def _popularity(data: Dataset) -> np.ndarray:
    counted: np.ndarray = np.bincount(
        _numbered(data)["item"].to_numpy(), minlength=N_CATEGORIES * ITEMS_EACH
    )
    return counted


def _lengths(data: Dataset) -> np.ndarray:
    lengths = data.need("events").group_by("user_id").len()["len"].to_numpy()
    counted: np.ndarray = np.bincount(lengths, minlength=257)[:257]
    return counted


def _attack(epsilon: float | None, seed: int, options: dict[str, Any] | None = None) -> CanaryBound:
    """Toss coins, put canaries in, release, guess."""
    random = np.random.Generator(np.random.PCG64([seed, 7]))
    shop = planted_shop(BACKGROUND, seed=3)
    first, second = _own_pairs(random)
    coins = random.random(CANARIES) < 0.5
    planted = pl.concat([shop.need("events"), _canaries(first[coins], second[coins], random)])
    release = _made(shop.with_tables(events=planted), epsilon, seed, options)
    others = category_steps(shop)  # The attacker knows all others.
    scores = [
        _both_ways(category_steps(release), first // ITEMS_EACH, second // ITEMS_EACH)
        - _both_ways(others, first // ITEMS_EACH, second // ITEMS_EACH),
        _pair_counts(release, first, second),
    ]
    # Two scores, so each bound has half of the error.
    bounds = [canary_epsilon(s[coins], s[~coins], DELTA, confidence=0.975) for s in scores]
    return max(bounds, key=lambda bound: bound.epsilon)


def _own_pairs(random: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Draw items of two categories for each canary; no two canaries share the categories."""
    low, high = np.triu_indices(N_CATEGORIES, k=1)
    chosen = random.choice(low.size, CANARIES, replace=False)
    within = random.integers(0, ITEMS_EACH, (2, CANARIES))
    return low[chosen] * ITEMS_EACH + within[0], high[chosen] * ITEMS_EACH + within[1]


def _canaries(first: np.ndarray, second: np.ndarray, random: np.random.Generator) -> pl.DataFrame:
    n = first.size
    place = np.tile(np.arange(TO_AND_FRO), n)
    user = np.repeat(np.arange(n), TO_AND_FRO)
    day = random.integers(0, 300, n)[user] + place
    ids, start_us = item_ids(), int(START.timestamp()) * 1_000_000
    return pl.DataFrame(
        {
            "user_id": "canary-" + pl.Series(user).cast(pl.String),
            "item_id": ids[np.where(place % 2, second[user], first[user])],
            "timestamp": pl.Series(start_us + day * 86_400_000_000).cast(TIMESTAMP),
            "event_type": pl.repeat("purchase", user.size, eager=True),
        }
    )


def _both_ways(steps: np.ndarray, first: np.ndarray, second: np.ndarray) -> np.ndarray:
    share: np.ndarray = (steps[first, second] + steps[second, first]) / steps.sum()
    return share


def _pair_counts(data: Dataset, first: np.ndarray, second: np.ndarray) -> np.ndarray:
    before, after, _ = _item_pairs(data)
    n_items = N_CATEGORIES * ITEMS_EACH
    made, counts = np.unique(before * n_items + after, return_counts=True)
    place = np.minimum(np.searchsorted(made, first * n_items + second), made.size - 1)
    found: np.ndarray = np.where(made[place] == first * n_items + second, counts[place], 0)
    return found.astype(np.float64)


def _told(bound: CanaryBound) -> dict[str, float]:
    return {
        "epsilon_at_least": round(bound.epsilon, 3),
        "cannot_detect_above": round(bound.cannot_detect_above, 3),
    }


def _name(epsilon: float) -> str:
    return f"{epsilon:g}"


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--users", type=int, default=100_000, help="users of the planted shop")
    parser.add_argument("--draws", type=int, default=5, help="releases an epsilon")
    parser.add_argument("--canary-draws", type=int, default=10, help="releases with canaries")
    return parser.parse_args()


if __name__ == "__main__":
    main()
