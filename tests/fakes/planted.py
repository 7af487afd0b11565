"""Shops whose right verdict is known, because their truth was planted.

In: a seed. Out: tables on disk beside a recipe that runs in seconds.

``write_families``: every user buys within a few families of items; a title names its family. With
few users most pairs of a family were never bought together, so who only counts pairs knows little,
and histories rolled out by a teacher who reads titles tell the rest.

With ``titles=False`` the shop says nothing of its items, and ``oracle_of_families`` is the
synthesizer that knows the truth all the same: what it makes must help, whoever it is compared with.

``write_lottery``: every purchase is an independent draw by popularity, and titles mean nothing.
Nothing can be learnt but how popular items are, so no synthetic history can help.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import ClassVar, Self

import numpy as np
import polars as pl

from shopsynth.generate import SYNTHESIZERS, Conditions
from shopsynth.generate.base import NoOptions
from shopsynth.privacy import PrivateView
from shopsynth.schema import SILENT, Dataset, Progress, Settings, SyntheticDataset

N_ITEMS = 900
_PER_FAMILY = 6
_START = datetime(2026, 1, 1, tzinfo=UTC)
_SYLLABLES = ("ba", "do", "fu", "ge", "ki", "lu", "mo", "ne", "pa", "ri", "so", "tu", "ze")

CONTROLS = ("same_compute", "oversample", "noise", "broken_link", "side_information")

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
synthesizer = "{synthesizer}"
size = 3.0

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
executor = "inline"
"""


def write_families(
    folder: Path,
    models: tuple[str, ...],
    controls: tuple[str, ...] = CONTROLS,
    synthesizer: str = "teacher",
    titles: bool = True,
    n_users: int = 400,
    seed: int = 0,
) -> Path:
    """Write the shop in which synthetic histories must help; return the recipe's path."""
    rng = np.random.default_rng(seed)
    words = [a + b for a in _SYLLABLES for b in _SYLLABLES][: N_ITEMS // _PER_FAMILY]
    named = [f"{words[item // _PER_FAMILY]} number {item}" for item in range(N_ITEMS)]
    histories = []
    for _ in range(n_users):
        family = rng.integers(len(words))
        members = family * _PER_FAMILY + rng.permutation(_PER_FAMILY)
        histories.append(members[: rng.integers(4, _PER_FAMILY + 1)])
    return _write(folder, named if titles else None, histories, models, controls, synthesizer)


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
    return _write(folder, titles, histories, models, CONTROLS, "teacher")


def _write(
    folder: Path,
    titles: list[str] | None,
    histories: list[np.ndarray],
    models: tuple[str, ...],
    controls: tuple[str, ...],
    synthesizer: str,
) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    rows = [
        (f"u{user:04d}", f"i{item:03d}", _START + timedelta(hours=25 * user % 997, days=place))
        for user, history in enumerate(histories)
        for place, item in enumerate(history)
    ]
    events = pl.DataFrame(rows, schema=["user_id", "item_id", "timestamp"], orient="row")
    items = pl.DataFrame({"item_id": [f"i{n:03d}" for n in range(N_ITEMS)]})
    if titles is not None:
        items = items.with_columns(pl.Series("title", titles))
    items.write_csv(folder / "items.csv")
    events.write_csv(folder / "events.csv", datetime_format="%Y-%m-%dT%H:%M:%S")
    path = folder / "recipe.toml"
    names = {"models": models, "controls": controls}
    quoted = {key: ", ".join(f'"{name}"' for name in words) for key, words in names.items()}
    path.write_text(RECIPE.format(**quoted, synthesizer=synthesizer))
    return path


class OracleOfFamilies:
    """Makes histories as the shop of families does, from the truth and not from the view."""

    Options: ClassVar[type[Settings]] = NoOptions
    modes: ClassVar[frozenset[str]] = frozenset({"public"})
    table: ClassVar[str] = "events"

    def __init__(self, options: Settings) -> None:
        self.options = options

    def fit(self, view: PrivateView, *, seed: int, progress: Progress = SILENT) -> Self:
        """Keep the catalogue; the truth needs no learning."""
        self._items = view.items
        return self

    def sample(
        self,
        n: int,
        *,
        conditions: Conditions | None = None,
        seed: int,
        progress: Progress = SILENT,
    ) -> SyntheticDataset:
        """Let every user walk through one family."""
        rng = np.random.default_rng(seed)
        rows = [
            (f"oracle-{user:05d}", f"i{family * _PER_FAMILY + member:03d}", place)
            for user, family in enumerate(rng.integers(N_ITEMS // _PER_FAMILY, size=n))
            for place, member in enumerate(rng.permutation(_PER_FAMILY))
        ]
        events = pl.DataFrame(rows, schema=["user_id", "item_id", "day"], orient="row")
        times = pl.lit(_START) + pl.duration(days=pl.col("day"))
        return SyntheticDataset(
            Dataset(
                items=self._items,
                events=events.select("user_id", "item_id", times.alias("timestamp")),
            ),
            synthesizer="oracle_of_families",
            config_sha256="0" * 64,
            seed=seed,
            source_sha256="0" * 64,
        )


@contextmanager
def oracle_of_families() -> Iterator[None]:
    """Register the synthesizer that knows the truth, as a plug-in would."""
    SYNTHESIZERS.register("oracle_of_families")(OracleOfFamilies)
    try:
        yield
    finally:
        SYNTHESIZERS._classes.pop("oracle_of_families")
