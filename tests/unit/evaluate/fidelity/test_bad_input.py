"""Histories too short, too alike or not there: figures are told or left out, never wrong."""

import math
from datetime import UTC, datetime

import numpy as np
import polars as pl
import pytest

from shopsynth.evaluate import measure_fidelity

WHEN = datetime(2026, 1, 1, tzinfo=UTC)


def events(n_users: int, n_each: int, prefix: str = "r", *, half_of_one: bool = False):
    random = np.random.Generator(np.random.PCG64(0))
    item = random.integers(0, 50, n_users * n_each)
    if half_of_one:
        item = np.where(random.random(item.size) < 0.5, 0, item)
    user = np.repeat(np.arange(n_users), n_each)
    return pl.DataFrame({"user": user, "item": item}).select(
        user_id=pl.format(prefix + "{}", "user"),
        item_id=pl.format("i{}", "item"),
        timestamp=pl.lit(WHEN).cast(pl.Datetime("us", "UTC")),
        event_type=pl.lit("a type that nobody knows"),
    )


def told(train: pl.DataFrame, made: pl.DataFrame) -> dict[str, tuple[float, float]]:
    rows = measure_fidelity(train, train, made).iter_rows()
    return {name: (value, ceiling) for _, name, value, ceiling in rows}


@pytest.mark.parametrize("n_each", [1, 4])
def test_one_event_a_user_and_one_time_for_all(n_each):
    found = told(events(400, n_each), events(400, n_each, "m", half_of_one=True))
    assert found["history length: Kolmogorov-Smirnov distance (0 is best)"] == (0, 0)
    gaps = found["days between events: Kolmogorov-Smirnov distance (0 is best)"]
    assert math.isnan(gaps[0]) if n_each == 1 else gaps == (0, 0)
    assert not [name for name in found if name.startswith(("hour", "day of"))]
    assert found["real histories told from others: AUC (0.5 is best)"][0] > 0.6
    assert found["history length and rhythm together: total variation (0 is best)"] == (0, 0)
    alone = [name for name, figures in found.items() if any(map(math.isnan, figures))]
    assert len(alone) == (4 if n_each == 1 else 1)


def test_no_synthetic_events_at_all():
    found = told(events(400, 3), events(0, 3))
    assert found["bought items that occur: share (1 is best)"][0] == 0
    assert not any("AUC" in name for name in found)
    assert all(
        not math.isnan(ceiling) or "sessions" in name for name, (_, ceiling) in found.items()
    )
