"""Shops whose right verdict is known, because their truth was planted.

In: a seed. Out: tables on disk beside a recipe that runs in seconds.

``write_families``: every user buys within a few families of items; a title names its family. With
few users most pairs of a family were never bought together, so who only counts pairs knows little,
and histories rolled out by a teacher who reads titles tell the rest.

``write_lottery``: every purchase is an independent draw by popularity, and titles mean nothing.
Nothing can be learnt but how popular items are, so no synthetic history can help.
"""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl

N_ITEMS = 900
_PER_FAMILY = 6
_START = datetime(2026, 1, 1, tzinfo=UTC)
_SYLLABLES = ("ba", "do", "fu", "ge", "ki", "lu", "mo", "ne", "pa", "ri", "so", "tu", "ze")

CONTROLS = ("same_compute", "oversample", "noise", "broken_link")

RECIPE = """
title = "Planted truth"
seed = 5

[shop.items]
path = "items.csv"

[shop.events]
path = "events.csv"

[split]
by = "leave_one_out"

[privacy]
mode = "public"

[[generate]]
synthesizer = "teacher"
size = 3.0
options = {{ content = 0.5 }}

[combine]
doses = [1.0, 3.0]
weights = [0.3, 1.0]

[train]
models = [{models}]
headline = "item_knn"
exclude_seen = true # nobody in these shops buys twice

[evaluate]
seeds = 5
controls = [{controls}]
resamples = 2000
cutoffs = [10]

[pipeline]
workers = 2
"""


def write_families(
    folder: Path,
    models: tuple[str, ...],
    controls: tuple[str, ...] = CONTROLS,
    n_users: int = 400,
    seed: int = 0,
) -> Path:
    """Write the shop in which synthetic histories must help; return the recipe's path."""
    rng = np.random.default_rng(seed)
    words = [a + b for a in _SYLLABLES for b in _SYLLABLES][: N_ITEMS // _PER_FAMILY]
    titles = [f"{words[item // _PER_FAMILY]} number {item}" for item in range(N_ITEMS)]
    histories = []
    for _ in range(n_users):
        family = rng.integers(len(words))
        members = family * _PER_FAMILY + rng.permutation(_PER_FAMILY)
        histories.append(members[: rng.integers(4, _PER_FAMILY + 1)])
    return _write(folder, titles, histories, models, controls)


def write_lottery(folder: Path, models: tuple[str, ...], n_users: int = 400, seed: int = 0) -> Path:
    """Write the shop in which nothing can help; return the recipe's path."""
    rng = np.random.default_rng(seed)
    words = [a + b for a in _SYLLABLES for b in _SYLLABLES]
    titles = [f"{words[rng.integers(len(words))]} number {item}" for item in range(N_ITEMS)]
    popularity = 1.0 / np.arange(1, N_ITEMS + 1)
    popularity /= popularity.sum()
    histories = [
        rng.choice(N_ITEMS, size=rng.integers(4, 7), replace=False, p=popularity)
        for _ in range(n_users)
    ]
    return _write(folder, titles, histories, models, CONTROLS)


def _write(
    folder: Path,
    titles: list[str],
    histories: list[np.ndarray],
    models: tuple[str, ...],
    controls: tuple[str, ...],
) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    rows = [
        (f"u{user:04d}", f"i{item:03d}", _START + timedelta(hours=25 * user % 997, days=place))
        for user, history in enumerate(histories)
        for place, item in enumerate(history)
    ]
    events = pl.DataFrame(rows, schema=["user_id", "item_id", "timestamp"], orient="row")
    items = pl.DataFrame({"item_id": [f"i{n:03d}" for n in range(N_ITEMS)], "title": titles})
    items.write_csv(folder / "items.csv")
    events.write_csv(folder / "events.csv", datetime_format="%Y-%m-%dT%H:%M:%S")
    path = folder / "recipe.toml"
    names = {"models": models, "controls": controls}
    quoted = {key: ", ".join(f'"{name}"' for name in words) for key, words in names.items()}
    path.write_text(RECIPE.format(**quoted))
    return path
