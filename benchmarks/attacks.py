"""False alarms of the audits on clean releases, and how surely they see planted leaks.

In: nothing; shops are simulated. Out: benchmarks/results/attacks.json; the value is the number of
clean runs of 100 with any alarm, the interval its 95 % Clopper-Pearson interval.

    .venv/bin/python benchmarks/attacks.py

A clean release is drawn anew from the people that train and held-out rows are drawn from. In
every fifth run the held-out people come later and buy other things, as after a split by time.
"""

import sys
import time
from pathlib import Path

import numpy as np
import polars as pl
from _record import record
from scipy.stats import beta

from shopsynth.evaluate import (
    Sides,
    audit_release,
    canary_epsilon,
    plant_canaries,
    score_canaries,
    shadow_scores,
)

sys.path.append(str(Path(__file__).parents[1] / "tests"))
from fakes.tastes import (
    basket,
    draw_events,
    draw_texts,
    draw_users,
    gamed,
    outlier,
    verbatim,
)

CLEAN_RUNS = 100
LEAK_RUNS = 10
PEOPLE = 1_500
MORE_PEOPLE = 2_500
LONG_TAIL_PEOPLE, LONG_TAIL_ITEMS = 5_000, 10_000
TEXTS = 500
GOAL = 1

LEAKS = {
    "14: 1 % verbatim histories": (verbatim, "exact_copies_of_histories"),
    "15: 10 % histories with a fifth of items swapped": (gamed, "copies_of_k_of_n_items"),
    "16: one outlier": (outlier, "copies_of_outliers"),
}


def alarms(audits: pl.DataFrame) -> list[str]:
    return audits.filter(~pl.col("passed"))["name"].to_list()


def clean_run(seed: int) -> list[str]:
    """Audit a release that leaks nothing: histories, users, texts and canaries."""
    drift = 0.2 if seed % 5 == 0 else 0.0
    train = draw_events(seed, PEOPLE, "r")
    heldout = draw_events(seed, PEOPLE, "h", drift=drift)
    release = draw_events(seed, PEOPLE, "s")
    _, canaries = plant_canaries(train, 200, seed=seed)
    users = Sides(*(draw_users(seed, PEOPLE, who) for who in "rhs"))
    texts = Sides(*(draw_texts(seed, TEXTS, who) for who in "rhs"))
    audits = audit_release(
        train, heldout, release, "deidentify", users=users, texts=texts, canaries=canaries
    )
    return alarms(audits)


def caught(seed: int) -> dict[str, bool]:
    """Plant each leak in one release and say which are seen by the audit made for them."""
    train, heldout, release = (draw_events(seed, MORE_PEOPLE, who) for who in "rhs")
    found = {}
    for name, (plant, audit) in LEAKS.items():
        found[name] = audit in alarms(audit_release(train, heldout, plant(train, release), "dp"))
    train, heldout, release = (
        draw_events(seed, LONG_TAIL_PEOPLE, who, n_items=LONG_TAIL_ITEMS) for who in "rhs"
    )
    audits = audit_release(train, heldout, basket(train, release), "dp")
    found["18: one basket of one person"] = "copies_of_outlying_baskets" in alarms(audits)
    texts = [draw_texts(seed, TEXTS, who) for who in "rhs"]
    number = np.random.Generator(np.random.PCG64(seed)).integers(10_000, size=4)
    canary = pl.DataFrame({"text": ["the code of my lamp is " + " ".join(map(str, number))]})
    sides = Sides(pl.concat([texts[0], canary]), texts[1], pl.concat([texts[2], canary]))
    nobody = [table[:0] for table in (train, heldout, release)]
    audits = audit_release(*nobody, "dp", texts=sides, canary_texts=canary["text"])
    found["17: one review canary"] = "canary_texts_extracted" in alarms(audits)
    return found


def canary_limits() -> dict[str, dict[str, float]]:
    """Show what a perfect leak proves: by our bound for one run, and by Clopper-Pearson."""
    limits = {}
    for n in (50, 100, 200, 500, 1_000):
        half = n // 2
        ours = canary_epsilon(np.ones(half), np.zeros(n - half), 1e-6).epsilon
        # Each rate at an error of 1.25 %: both together 2.5 %.
        rate = 0.0125 ** (1 / half)
        limits[str(n)] = {
            "one run": round(ours, 2),
            "clopper_pearson": round(float(np.log(rate / (1 - rate))), 2),
        }
    return limits


def shadow_area() -> float:
    """Attack a generator that returns every fifth person it read, with shadow models."""

    def refit(events: pl.DataFrame, seed: int) -> pl.DataFrame:
        users = events["user_id"].unique().sort()
        copied = users.sample(users.len() // 5, seed=seed)
        return pl.concat(
            [
                draw_events(1, 400, f"s{seed}"),
                events.filter(pl.col("user_id").is_in(copied.implode())),
            ]
        )

    events = draw_events(1, 1_000, "r")
    people = events["user_id"].unique().sort()
    read = people.sample(500, seed=3)
    release = refit(events.filter(pl.col("user_id").is_in(read.implode())), 99)
    scores = shadow_scores(events, refit, people, release, n_shadows=16)
    inside = people.is_in(read.implode()).to_numpy()
    above = scores[inside][:, None] - scores[~inside][None, :]
    return float((above > 0).mean() + 0.5 * (above == 0).mean())


def overfitted_epsilon() -> dict[str, float]:
    """Release 1,000 canaries' histories as they are: the control that must reach 4."""
    planted, canaries = plant_canaries(draw_events(1, PEOPLE, "r"), 1_000, seed=1)
    found = canary_epsilon(*score_canaries(canaries, planted), 1e-6)
    return {"lower_bound": round(found.epsilon, 2), "limit": round(found.cannot_detect_above, 2)}


def main() -> None:
    """Measure and write the result."""
    start = time.process_time()
    found = [clean_run(seed) for seed in range(CLEAN_RUNS)]
    n_alarms = sum(bool(each) for each in found)
    low = beta.ppf(0.025, n_alarms, CLEAN_RUNS - n_alarms + 1) if n_alarms else 0.0
    high = beta.ppf(0.975, n_alarms + 1, CLEAN_RUNS - n_alarms)
    leaks = [caught(seed) for seed in range(LEAK_RUNS)]
    detected = {name: sum(each[name] for each in leaks) for name in sorted(leaks[0])}
    record(
        "attacks",
        passed=n_alarms <= GOAL and min(detected.values()) >= LEAK_RUNS - 1,
        reach=f"at most {GOAL} false alarm in {CLEAN_RUNS} clean runs, each leak seen in at least "
        f"{LEAK_RUNS - 1} of {LEAK_RUNS}",
        value=float(n_alarms),
        low=float(low * CLEAN_RUNS),
        high=float(high * CLEAN_RUNS),
        unit=f"clean runs of {CLEAN_RUNS} with any alarm; 95 % Clopper-Pearson",
        data=f"simulated shops of 5,000 items: {PEOPLE} people a side in clean runs, {MORE_PEOPLE} "
        f"with leaks; leak 18: {LONG_TAIL_PEOPLE} people, {LONG_TAIL_ITEMS} items",
        seeds=CLEAN_RUNS,
        cpu_s=time.process_time() - start,
        note="a single copied person or basket is seen only where it is rare; every audit says "
        "from where on",
        alarms=sorted({name for each in found for name in each}),
        leaks_seen_of_10=detected,
        canary_limits=canary_limits(),
        overfitted_control=overfitted_epsilon(),
        shadow_auc=round(shadow_area(), 3),
    )


if __name__ == "__main__":
    main()
