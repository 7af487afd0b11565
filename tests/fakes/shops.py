"""Small shops on disk, made from a seed, with a recipe that runs in seconds."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl

WORDS = ("mug", "lamp", "towel", "candle", "clock", "basket")

RECIPE = """
title = "Tiny shop"
seed = 3

[shop.items]
path = "items.csv"

[shop.events]
path = "events.csv"

[privacy]
mode = "deidentify"

[[generate]]
synthesizer = "markov"

[[generate]]
synthesizer = "substitute"
size = 0.5

[combine]
doses = [0.5, 1.0]
weights = [0.5, 1.0]

[train]
models = ["popularity", "item_knn"]
headline = "item_knn"

[evaluate]
seeds = 2
min_seeds_for_verdict = 2
resamples = 200
cutoffs = [5]

[pipeline]
workers = 2
"""


def tiny_tables(n_users: int = 60, n_items: int = 30, seed: int = 0) -> dict[str, pl.DataFrame]:
    """Make a shop whose users walk along rings of six items, so that the past tells the future."""
    rng = np.random.default_rng(seed)
    start = datetime(2026, 1, 1, tzinfo=UTC)
    rows = []
    for user in range(n_users):
        item = int(rng.integers(n_items))
        time = start + timedelta(days=float(rng.uniform(0, 20)))
        for _ in range(int(rng.integers(4, 14))):
            rows.append((f"u{user:03d}", f"i{item:03d}", time, "purchase", 1.0, 2.5))
            ring = item // 6
            item = ring * 6 + (item + 1) % 6 if rng.uniform() < 0.8 else int(rng.integers(n_items))
            time += timedelta(hours=float(rng.exponential(120)))
    events = pl.DataFrame(
        rows,
        schema=["user_id", "item_id", "timestamp", "event_type", "quantity", "price"],
        orient="row",
    )
    items = pl.DataFrame(
        {
            "item_id": [f"i{n:03d}" for n in range(n_items)],
            "title": [f"{WORDS[n // 6 % 6]} number {n}" for n in range(n_items)],
            "category": [f"home > {WORDS[n // 6 % 6]}" for n in range(n_items)],
            "price": [2.5 + n for n in range(n_items)],
        }
    )
    return {"items": items, "events": events}


def write_tiny_shop(folder: Path, recipe: str = RECIPE, **sizes: int) -> Path:
    """Write the tables as CSV beside a recipe; return the recipe's path."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, frame in tiny_tables(**sizes).items():
        frame.write_csv(folder / f"{name}.csv", datetime_format="%Y-%m-%dT%H:%M:%S")
    path = folder / "recipe.toml"
    path.write_text(recipe)
    return path
