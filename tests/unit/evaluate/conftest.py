"""Per-unit values with a planted truth, and tiny histories."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest

from shopsynth.schema import EVALUATION_COLUMNS


@pytest.fixture
def make_units() -> Callable[..., pl.DataFrame]:
    """Make units of several arms: a shared unit effect, an arm's uplift, noise by run and unit.

    Paired unless ``n_trainers`` is given; then every generator seed goes with every trainer seed.
    The arm of real rows has no generator.
    """

    def make(
        uplifts: Mapping[str, float],
        *,
        model: str = "sasrec",
        n_units: int = 300,
        n_seeds: int = 3,
        n_trainers: int = 0,
        noise: float = 0.05,
        seed_noise: float = 0.0,
        seed: int = 0,
        metric: str = "ndcg",
        slice_: str = "all",
        task: str = "next_item",
        cutoff: int = 10,
    ) -> pl.DataFrame:
        generator = np.random.Generator(np.random.PCG64(seed))
        base = generator.uniform(0.2, 0.8, n_units)
        frames = []
        for arm, uplift in uplifts.items():
            runs = [(run, run) for run in range(n_seeds)]
            if n_trainers:
                runs = [(made, fit) for made in range(n_seeds) for fit in range(n_trainers)]
            if arm in ("real", "oracle"):
                runs = [(0, fit) for fit in range(n_trainers or n_seeds)]
            shift = seed_noise * generator.standard_normal(len(runs))
            for number, (made, fit) in enumerate(runs):
                value = base + uplift + shift[number] + noise * generator.standard_normal(n_units)
                frames.append(
                    pl.DataFrame(
                        {
                            "task": task,
                            "model": model,
                            "arm": arm,
                            "generator": made,
                            "seed": fit,
                            "unit_id": [f"u{i}" for i in range(n_units)],
                            "metric": metric,
                            "cutoff": cutoff,
                            "slice": slice_,
                            "value": value,
                        },
                        schema=EVALUATION_COLUMNS["units"],
                    )
                )
        return pl.concat(frames)

    return make


@pytest.fixture
def make_events() -> Callable[..., pl.DataFrame]:
    """Turn ``{"ann": "a b c"}`` into events, ``hours`` apart."""

    def make(histories: Mapping[str, str], hours: float = 24, start_hour: int = 9) -> pl.DataFrame:
        start = datetime(2026, 1, 1, start_hour, tzinfo=UTC)
        rows = [
            {"user_id": user, "item_id": item, "timestamp": start + timedelta(hours=hours * place)}
            for user, items in histories.items()
            for place, item in enumerate(items.split())
        ]
        return pl.DataFrame(
            rows,
            schema={
                "user_id": pl.String,
                "item_id": pl.String,
                "timestamp": pl.Datetime("us", "UTC"),
            },
        )

    return make


@pytest.fixture
def random_histories() -> Callable[..., dict[str, str]]:
    """Draw histories with Zipf popularity and geometric lengths."""

    def make(
        n: int, prefix: str, seed: int, *, n_items: int = 60, mean: float = 8
    ) -> dict[str, str]:
        generator = np.random.Generator(np.random.PCG64(seed))
        weights = 1 / np.arange(1, n_items + 1)
        lengths = generator.geometric(1 / mean, n)
        return {
            f"{prefix}{user}": " ".join(
                f"i{item}" for item in generator.choice(n_items, length, p=weights / weights.sum())
            )
            for user, length in enumerate(lengths)
        }

    return make
