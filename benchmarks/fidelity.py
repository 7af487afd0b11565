"""Time the fidelity of behaviour: 10 million real against 10 million synthetic events.

In: nothing; two samples of one shop are drawn from the seed, with times, types of events, users'
attributes and items' categories, so that every figure is measured. Out: one JSON file in the form
of the other benchmarks. As both sides are samples of one shop, the discriminator must not tell
them.

    python benchmarks/fidelity.py
"""

import argparse
import resource
import time

import numpy as np
import polars as pl
from _record import record

from shopsynth.evaluate import measure_fidelity

MOST_S, MOST_MB = 120.0, 4096
N_ITEMS = 100_000
N_CATEGORIES = 17
EVENTS_PER_USER = 10
WORDS = ("view_item", "add_to_cart", "purchase", "refund")
SHARES = (0.7, 0.2, 0.08, 0.02)
AREA = "real histories told from others: AUC (0.5 is best)"


def main() -> None:
    arguments = _arguments()
    train, users = sample("real", arguments.users, 1)
    made, made_users = sample("made", arguments.users, 2)
    later, _ = sample("later", arguments.users // 10, 3)
    n_events = train.height, made.height
    start = time.process_time()
    found = measure_fidelity(
        train, later, made, items=catalogue(), users=users, synthetic_users=made_users
    )
    cpu_s = time.process_time() - start
    figures = {name: (value, ceiling) for _, name, value, ceiling in found.iter_rows()}
    record_time(arguments.users, n_events, cpu_s, figures)


def record_time(
    n_users: int, n_events: tuple[int, int], cpu_s: float, figures: dict[str, tuple[float, float]]
) -> None:
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    area, ceiling = figures[AREA]
    told = abs(area - 0.5) > 0.03 or abs(ceiling - 0.5) > 0.03
    record(
        "fidelity",
        passed=cpu_s <= MOST_S and peak_mb <= MOST_MB and not told,
        reach=f"every figure of 10 M events within {MOST_S:.0f} s CPU and {MOST_MB / 1024:.0f} GB",
        value=round(cpu_s, 1),
        low=round(cpu_s, 1),
        high=round(cpu_s, 1),
        unit="CPU s, one run",
        data=f"generated from seeds: {n_users} users a side, {n_events[0]} real and {n_events[1]} "
        f"synthetic events, {N_ITEMS} items",
        seeds=1,
        cpu_s=round(cpu_s, 1),
        peak_rss_mb=round(peak_mb),
        note=f"{len(figures)} figures; the discriminator's area is {area:.3f}, of real against "
        f"real {ceiling:.3f}; memory with both tables and the making of them",
    )


def sample(prefix: str, n_users: int, seed: int) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Draw events in no order, and users whose town has nothing to do with them."""
    random = np.random.Generator(np.random.PCG64(seed))
    lengths = np.minimum(random.geometric(1 / EVENTS_PER_USER, n_users), 500)
    n_events = int(lengths.sum())
    user = np.repeat(np.arange(n_users), lengths)
    weights = np.cumsum(np.arange(1, N_ITEMS + 1) ** -0.8)
    item = np.searchsorted(weights, random.random(n_events) * weights[-1])
    passed = np.cumsum(random.exponential(3 * 86_400e6, n_events)).astype(np.int64)
    since = passed - passed[np.cumsum(lengths) - lengths][user]
    first = 1_735_689_600_000_000 + random.integers(0, 300 * 86_400, n_users) * 1_000_000
    names = pl.Series([f"{prefix}-{number:07d}" for number in range(n_users)])
    mixed = random.permutation(n_events)
    events = pl.DataFrame(
        {
            "user_id": names.gather(user[mixed]),
            "item_id": catalogue()["item_id"].gather(item[mixed]),
            "timestamp": pl.Series(first[user] + since)
            .gather(mixed)
            .cast(pl.Datetime("us", "UTC")),
            "event_type": pl.Series(WORDS).gather(random.choice(len(WORDS), n_events, p=SHARES)),
        }
    )
    towns = pl.Series(["Oslo", "Bergen", "Tromsø"]).gather(random.integers(0, 3, n_users))
    ages = random.integers(18, 80, n_users)
    return events, pl.DataFrame({"user_id": names, "town": towns, "age": ages})


def catalogue() -> pl.DataFrame:
    return pl.DataFrame(
        {
            "item_id": [f"item-{number}" for number in range(N_ITEMS)],
            "category": [f"c{number % N_CATEGORIES} > deep" for number in range(N_ITEMS)],
        }
    )


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--users", type=int, default=1_000_000)
    return parser.parse_args()


if __name__ == "__main__":
    main()
