"""Time `markov`: fit on 100,000 users with 800,000 events, then sample as many into Parquet.

In: a folder with events.parquet (and items.parquet), or nothing: then a shop is generated from the
seed. Out: one JSON file in the form of the other benchmarks. `--write` makes such a folder, so that
the memory of making a large shop is not counted:

    python benchmarks/markov.py --users 1000000 --write DIR
    python benchmarks/markov.py --data DIR --name markov_10m
"""

import argparse
import resource
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import polars as pl
from _record import record

from shopsynth.generate import Synthesizer, make_synthesizer, sample_parts
from shopsynth.privacy import PrivacySettings, PrivateView, open_view
from shopsynth.schema import Dataset

GOALS = {"markov": (20.0, 4096), "markov_10m": (300.0, 6144)}
"""CPU seconds of fit and sample, and megabytes."""

EVENTS_PER_USER = {"markov": 8.1, "markov_10m": 10.0}
N_ITEMS = 20_000
N_TOPICS = 400
KEY = b"benchmark data protect nobody"


def main() -> None:
    arguments = _arguments()
    if arguments.write:
        write(generate(arguments.users, EVENTS_PER_USER["markov_10m"], arguments.seed), arguments)
        return
    view = read_view(arguments)
    with tempfile.TemporaryDirectory() as scratch:
        start = time.process_time()
        synthesizer = make_synthesizer("markov", {}).fit(view, seed=arguments.seed)
        fit_s = time.process_time() - start
        events = stream(synthesizer, view.n_users, arguments.seed, Path(scratch))
        cpu_s = time.process_time() - start
        peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        made = pl.read_parquet(events)
    most_s, most_mb = GOALS[arguments.name]
    record(
        arguments.name,
        passed=cpu_s <= most_s and peak_mb <= most_mb,
        reach=f"fit and sample to Parquet within {most_s:.0f} s CPU and {most_mb / 1024:.0f} GB",
        value=round(cpu_s, 2),
        low=round(cpu_s, 2),
        high=round(cpu_s, 2),
        unit="CPU s of fit and sample, one run",
        data=f"{_source(arguments)}: {view.n_users} users, {view.events().height} events, "
        f"{view.items.height} items, sha256 {view.fingerprint}",
        seeds=1,
        cpu_s=cpu_s,
        peak_rss_mb=round(peak_mb),
        note=f"fit {fit_s:.2f} s; sample {cpu_s - fit_s:.2f} s of {made.height} events, "
        f"{made.height / (cpu_s - fit_s):,.0f} a second",
        fidelity=fidelity(view.events(), made),
    )


def stream(synthesizer: Synthesizer, n_users: int, seed: int, folder: Path) -> Path:
    """Write a sample, a block of users at a time."""
    for number, part in enumerate(sample_parts(synthesizer, n_users, seed=seed)):
        part.data.need("events").write_parquet(folder / f"{number:05d}.parquet")
    return folder


def read_view(arguments: argparse.Namespace) -> PrivateView:
    if arguments.data:
        data = read(arguments.data)
    else:
        data = generate(arguments.users, EVENTS_PER_USER["markov"], arguments.seed)
    return open_view(data, PrivacySettings(mode="deidentify"), KEY)[0]


def write(data: Dataset, arguments: argparse.Namespace) -> None:
    arguments.write.mkdir(parents=True, exist_ok=True)
    data.need("events").write_parquet(arguments.write / "events.parquet")
    data.items.write_parquet(arguments.write / "items.parquet")


def generate(n_users: int, events_per_user: float, seed: int) -> Dataset:
    """Make a shop in which people stay on a topic, and topics and items follow Zipf's law."""
    random = np.random.Generator(np.random.PCG64(seed))
    lengths = 1 + random.geometric(1 / (events_per_user - 1), n_users)
    lengths = np.minimum(lengths, 200)
    n_events = int(lengths.sum())
    user = np.repeat(np.arange(n_users), lengths)
    # A new topic begins with a user and then at every fifth event on average.
    changes = random.random(n_events) < 0.2
    changes[np.cumsum(lengths) - lengths] = True
    topic = _zipf(N_TOPICS, int(changes.sum()), random)[np.cumsum(changes) - 1]
    item = topic * (N_ITEMS // N_TOPICS) + _zipf(N_ITEMS // N_TOPICS, n_events, random)
    day = random.integers(0, 300, n_users)[user] + np.sort(random.random(n_events) * 60)
    events = pl.DataFrame({"user": user, "item": item, "day": day}).select(
        pl.format("user-{}", "user").alias("user_id"),
        pl.format("item-{}", "item").alias("item_id"),
        pl.lit(datetime(2025, 1, 1, tzinfo=UTC))
        .cast(pl.Datetime("us", "UTC"))
        .add(pl.duration(seconds=(pl.col("day") * 86_400).cast(pl.Int64)))
        .alias("timestamp"),
        pl.lit("purchase").alias("event_type"),
    )
    items = pl.DataFrame({"item_id": [f"item-{number}" for number in range(N_ITEMS)]})
    return Dataset(items=items, events=events)


def _zipf(n: int, size: int, random: np.random.Generator) -> np.ndarray:
    weights = np.cumsum(1 / np.arange(1, n + 1))
    drawn: np.ndarray = np.searchsorted(weights, random.random(size) * weights[-1], side="right")
    return drawn


def read(folder: Path) -> Dataset:
    """Read a shop's standard tables."""
    events = pl.read_parquet(folder / "events.parquet")
    path = folder / "items.parquet"
    items = pl.read_parquet(path) if path.exists() else events.select("item_id").unique()
    return Dataset(items=items.sort("item_id"), events=events)


def fidelity(real: pl.DataFrame, synthetic: pl.DataFrame) -> dict[str, float]:
    """Compare lengths, repeats and the share of synthetic steps that real people took, too."""
    lengths = [f.group_by("user_id").len()["len"].sort().to_numpy() for f in (real, synthetic)]
    grid = np.unique(np.concatenate(lengths))
    cumulative = [np.searchsorted(x, grid, side="right") / x.size for x in lengths]
    steps = [
        f.select("item_id", before=pl.col("item_id").shift(1).over("user_id")).drop_nulls()
        for f in (real, synthetic)
    ]
    repeated = [1 - f.select("user_id", "item_id").n_unique() / f.height for f in (real, synthetic)]
    known = steps[1].join(steps[0].unique(), on=["before", "item_id"], how="semi").height
    return {
        "length_ks": round(float(np.abs(cumulative[0] - cumulative[1]).max()), 4),
        "repeats_real": round(repeated[0], 4),
        "repeats_synthetic": round(repeated[1], 4),
        "known_steps": round(known / max(steps[1].height, 1), 4),
    }


def _source(arguments: argparse.Namespace) -> str:
    return arguments.data.name if arguments.data else f"generated, seed {arguments.seed}"


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, help="folder with events.parquet and items.parquet")
    parser.add_argument("--users", type=int, default=100_000, help="users of the generated shop")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--write", type=Path, help="only write the generated shop there")
    parser.add_argument("--name", choices=tuple(GOALS), default="markov")
    return parser.parse_args()


if __name__ == "__main__":
    main()
