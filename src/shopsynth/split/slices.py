"""The slices every metric is reported on, fixed before anything is trained.

In: ids and how often they occur in train. Out: a table with :data:`shopsynth.schema.SLICE_COLUMNS`.
"""

import polars as pl

from shopsynth.schema import SLICE_COLUMNS
from shopsynth.split.settings import SplitSettings


def fix_slices(
    item_ids: pl.Series,
    item_counts: pl.DataFrame | None,
    user_counts: pl.DataFrame | None,
    settings: SplitSettings,
) -> pl.DataFrame:
    """Say which items and users belong to which slice.

    Args:
        item_ids: The whole catalogue, each id once.
        item_counts: Training events: columns ``item_id``, ``n``; absent items have none.
            ``None``: nothing was counted.
        user_counts: Each user's own events before the holdout: columns ``user_id``, ``n``; 0 for
            users known only from validation or test. ``None``: no users.
        settings: The recipe's ``[split]`` block.

    Returns:
        Columns ``kind``, ``id``, ``slice``. Items: ``cold`` (no training event), ``tail`` (at most
        ``tail_max_events``, cold ones too), ``warm`` (more). Users: ``new`` (no training event),
        ``short`` (at most ``short_max_events``, new ones too).

    Example:
        >>> items = pl.DataFrame({"item_id": ["a"], "n": [9]})
        >>> users = pl.DataFrame({"user_id": ["u"], "n": [2]})
        >>> slices = fix_slices(pl.Series(["a", "b"]), items, users, SplitSettings())
        >>> slices.select("id", "slice").rows()
        [('b', 'cold'), ('b', 'tail'), ('a', 'warm'), ('u', 'short')]
    """
    item_counts = _counts("item_id") if item_counts is None else item_counts
    user_counts = _counts("user_id") if user_counts is None else user_counts
    items = (
        item_ids.to_frame("id")
        .join(item_counts, left_on="id", right_on="item_id", how="left", maintain_order="left")
        .with_columns(pl.col("n").fill_null(0))
    )
    users = user_counts.rename({"user_id": "id"})
    n = pl.col("n")
    found = [
        _slice("item", items, "cold", n == 0),
        _slice("item", items, "tail", n <= settings.tail_max_events),
        _slice("item", items, "warm", n > settings.tail_max_events),
        _slice("user", users, "new", n == 0),
        _slice("user", users, "short", n <= settings.short_max_events),
    ]
    return pl.concat(found)


def _counts(key: str) -> pl.DataFrame:
    return pl.DataFrame(schema={key: pl.String, "n": pl.Int64})


def _slice(kind: str, counts: pl.DataFrame, name: str, condition: pl.Expr) -> pl.DataFrame:
    members = counts.filter(condition)
    return members.select(
        pl.lit(kind).alias("kind"), pl.col("id"), pl.lit(name).alias("slice")
    ).select(pl.col(column).cast(dtype) for column, dtype in SLICE_COLUMNS.items())
