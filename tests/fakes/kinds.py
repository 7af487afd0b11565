"""A shop of two kinds of people who share no item: who somebody is decides all they do."""

from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl

from shopsynth.privacy import PrivateView
from shopsynth.schema import TIMESTAMP, Dataset

START = datetime(2024, 3, 1, 10, tzinfo=UTC)


def two_kinds(n_users=300, n_items=12, length=6):
    """View people of kind a and b, each taking half of their kind's items, in any order."""
    random = np.random.Generator(np.random.PCG64(3))
    rows = [
        (f"{kind}{user:03d}", f"{kind}{item:02d}", START + timedelta(days=place))
        for user in range(n_users)
        for kind in "ab"[user % 2]
        for place, item in enumerate(random.permutation(n_items)[:length])
    ]
    names = ["user_id", "item_id", "timestamp"]
    events = pl.DataFrame(rows, schema=names, orient="row")
    events = events.with_columns(pl.col("timestamp").cast(TIMESTAMP))
    data = Dataset(items=events.select("item_id").unique().sort("item_id"), events=events)
    return PrivateView(data, mode="public", fingerprint="f" * 64, max_events_per_user=256)
