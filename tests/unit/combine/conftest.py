"""A tiny shop whose arms can be checked by eye."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from shopsynth.schema import Dataset, SyntheticDataset

START = datetime(2026, 1, 1, tzinfo=UTC)


def events_of(histories: dict[str, str]) -> pl.DataFrame:
    """Turn ``{"ann": "a b c"}`` into events, one a day."""
    rows = [
        {"user_id": user, "item_id": item, "timestamp": START + timedelta(days=day)}
        for user, items in histories.items()
        for day, item in enumerate(items.split())
    ]
    return pl.DataFrame(
        rows,
        schema={
            "user_id": pl.String,
            "item_id": pl.String,
            "timestamp": pl.Datetime("us", "UTC"),
        },
    )


ITEMS = pl.DataFrame({"item_id": [*"abcdefghijklmnopqrstuvwxyz"]})


@pytest.fixture
def make_events() -> Callable[[dict[str, str]], pl.DataFrame]:
    return events_of


@pytest.fixture
def make_synthetic() -> Callable[..., SyntheticDataset]:
    def make(
        histories: dict[str, str] | pl.DataFrame, name: str = "markov", seed: int = 0
    ) -> SyntheticDataset:
        events = histories if isinstance(histories, pl.DataFrame) else events_of(histories)
        return SyntheticDataset(Dataset(items=ITEMS, events=events), name, "config", seed, "source")

    return make


@pytest.fixture
def items() -> pl.DataFrame:
    return ITEMS
