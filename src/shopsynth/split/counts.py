"""The sums a split is built on: how many events a minute, an item, a user has.

In: events of any part of the shop. Out: small tables that merge by adding, so that parts can be
counted on different machines.
"""

from collections.abc import Sequence

import polars as pl

from shopsynth.schema import SchemaError
from shopsynth.split.base import TRAIN

_N = pl.len().cast(pl.Int64).alias("n")


def count_times(events: pl.DataFrame) -> pl.DataFrame:
    """Count the events of each minute.

    Args:
        events: Any events with the column ``timestamp``.

    Returns:
        Columns ``timestamp`` (start of the minute, UTC), ``n``; sorted by time.

    Raises:
        SchemaError: If the events have only an order.
    """
    if "timestamp" not in events.columns:
        raise SchemaError(
            "split by time, table events: expected a column timestamp, got only position, which "
            "orders a user's events but not those of different users. Map a time column under "
            '[shop.events], or set by = "leave_one_out" under [split].'
        )
    minute = pl.col("timestamp").dt.truncate("1m")
    return events.group_by(minute).agg(_N).sort("timestamp")


def count_items(train_events: pl.DataFrame) -> pl.DataFrame:
    """Count the training events of each item: columns ``item_id``, ``n``; sorted by id."""
    return train_events.group_by("item_id").agg(_N).sort("item_id")


def count_users(events: pl.DataFrame) -> pl.DataFrame:
    """Count the events of each user before the holdout.

    Args:
        events: Assigned events (with the column ``part``), or training events alone. Only with
            the former are users known who have no training event at all. At low data, events as
            they were before :func:`~shopsynth.split.part_by_group`: an asked user's early events
            are no training rows, but they make its history long or short.

    Returns:
        Columns ``user_id``, ``n`` (may be 0); sorted by id.
    """
    n = _N if "part" not in events.columns else (pl.col("part") == TRAIN).sum().cast(pl.Int64)
    return events.group_by("user_id").agg(n.alias("n")).sort("user_id")


def merge_counts(frames: Sequence[pl.DataFrame]) -> pl.DataFrame:
    """Add up counts of different parts of the shop.

    Args:
        frames: At least one table of one of the functions above, all of the same.

    Returns:
        The same columns, sorted by the first.

    Example:
        >>> one = pl.DataFrame({"item_id": ["a", "b"], "n": [1, 2]})
        >>> merge_counts([one, one.head(1)])["n"].to_list()
        [2, 2]
    """
    counts = pl.concat(frames)
    key = counts.columns[0]
    return counts.group_by(key).agg(pl.col("n").sum()).sort(key)
