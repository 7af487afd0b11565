"""One tiny shop's events, whose right answer is known by looking at them."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from shopsynth.schema import TABLES

START = datetime(2030, 1, 1, tzinfo=UTC)


@pytest.fixture
def make_events() -> Callable[..., pl.DataFrame]:
    """Build events from parallel lists; hours stand for times."""

    def make(
        users: Sequence[str | None],
        items: Sequence[str | None],
        hours: Sequence[int | None],
        **columns: Sequence[object],
    ) -> pl.DataFrame:
        times = [None if hour is None else START + timedelta(hours=hour) for hour in hours]
        known = TABLES["events"].columns
        data = {"user_id": users, "item_id": items, "timestamp": times, **columns}
        return pl.DataFrame(
            {
                name: pl.Series(values, dtype=known.get(name), strict=False)
                for name, values in data.items()
            }
        )

    return make
