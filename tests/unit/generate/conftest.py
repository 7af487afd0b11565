"""Small shops from rows, and views of them."""

from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from shopsynth.privacy import PrivateView
from shopsynth.schema import Dataset

START = datetime(2024, 3, 1, 10, tzinfo=UTC)


@pytest.fixture
def make_view():
    """Build a public view from ``{user: items}``; events follow day by day unless told."""

    def build(histories, items=None, days=None, **columns):
        rows = [
            (user, item, START + timedelta(days=days[user][place] if days else place))
            for user, bought in histories.items()
            for place, item in enumerate(bought)
        ]
        events = pl.DataFrame(
            rows,
            schema={
                "user_id": pl.String,
                "item_id": pl.String,
                "timestamp": pl.Datetime("us", "UTC"),
            },
            orient="row",
        ).with_columns(**columns)
        if items is None:
            items = events.select("item_id").unique().sort("item_id")
        data = Dataset(items=items, events=events)
        return PrivateView(data, mode="public", fingerprint="f" * 64, max_events_per_user=256)

    return build


@pytest.fixture
def rows_of():
    """Return the synthetic histories as ``{user: items}``, in order."""

    def read(synthetic):
        grouped = synthetic.data.ordered_events().group_by("user_id", maintain_order=True)
        return dict(grouped.agg("item_id").rows())

    return read
