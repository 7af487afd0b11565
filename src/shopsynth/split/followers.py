"""Tables that go where another table's rows went.

In: rows without a part of their own, and the rows that were assigned. Out: the rows with their
``part``. A review tells what was bought and a judgment tells what a query means, so both must
stay out of train with the event or query they belong to.
"""

import polars as pl

from shopsynth.split.base import PARTS, TRAIN, TimeCuts, with_part
from shopsynth.split.time import part_by_time


def follow_queries(rows: pl.DataFrame, queries: pl.DataFrame) -> pl.DataFrame:
    """Give each judgment or event the part of its query.

    Args:
        rows: Any rows; without a ``query_id`` that is known they are train.
        queries: Assigned queries: columns ``query_id``, ``part``, each query once.

    Returns:
        The rows in the same order, with the column ``part``.
    """
    if "query_id" not in rows.columns:
        return with_part(rows, pl.lit(TRAIN))
    parts = queries.select("query_id", "part")
    found = rows.select("query_id").join(parts, on="query_id", how="left", maintain_order="left")
    return with_part(rows, pl.lit(found["part"].fill_null(TRAIN)))


def follow_events(
    reviews: pl.DataFrame, events: pl.DataFrame, cuts: TimeCuts | None = None
) -> pl.DataFrame:
    """Give each review its part: by its own time where there are cuts, else by its purchase.

    Args:
        reviews: The table ``reviews``.
        events: Assigned events (of the same users).
        cuts: The cuts of a split by time.

    Returns:
        The reviews in the same order, with the column ``part``. A review without a usable time
        goes to the latest part in which its user has an event with its item, else to train.
    """
    by_time = pl.lit(None, pl.String)
    if cuts is not None and "timestamp" in reviews.columns:
        by_time = part_by_time(cuts)
    if "user_id" not in reviews.columns:
        return with_part(reviews, by_time.fill_null(TRAIN))
    pair = ["user_id", "item_id"]
    latest = (
        events.select(*pair, pl.col("part").cast(pl.Enum(PARTS)))
        .group_by(pair)
        .agg(pl.col("part").max().cast(pl.String))
    )
    by_event = reviews.select(pair).join(latest, on=pair, how="left", maintain_order="left")["part"]
    return with_part(reviews, pl.coalesce(by_time, pl.lit(by_event), pl.lit(TRAIN)))
