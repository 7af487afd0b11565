"""``duplicate_items``: one row an item.

In: items, possibly several rows an item, with a column ``n_rows`` where they come from order
lines (how many lines said so). Out: one row an item, without ``n_rows``; the other rows with the
reason ``duplicate_description`` (another title) or ``duplicate_item`` (the same title again).
"""

from typing import ClassVar

import polars as pl

from shopsynth.clean.base import CleanContext, register
from shopsynth.clean.taking_out import take_out
from shopsynth.schema import Cleaned, no_rejects

_N = "n_rows"


@register("duplicate_items")
class DuplicateItems:
    """Let the source's lines vote on each item's title and price.

    The title with the most lines wins (then the longest, then the first seen), in the first row
    that has it; the price is the median over all the item's lines. Titles are compared as the
    cleaner ``text`` left them. Not for near duplicates, two ids for one product.
    """

    tables: ClassVar[frozenset[str]] = frozenset({"items"})

    def clean(self, table: str, frame: pl.DataFrame, context: CleanContext) -> Cleaned:
        """Elect one row an item."""
        if not frame["item_id"].is_duplicated().any():
            return Cleaned(frame.drop(_N, strict=False), no_rejects())
        votes = frame.select(
            "item_id",
            _or_else("title", frame, None, pl.String()),
            _or_else("price", frame, None, pl.Float64()),
            _or_else(_N, frame, 1, pl.Int64()).fill_null(1),
            pl.int_range(pl.len(), dtype=pl.UInt32).alias("row"),
        )
        winners = _elect(votes)
        titles = votes.join(winners, on="item_id", maintain_order="left")
        done = take_out(
            table,
            frame,
            {
                "duplicate_description": pl.lit(titles["title"] != titles["title_right"]),
                "duplicate_item": pl.lit(~votes["row"].is_in(winners["row"].implode())),
            },
        )
        kept = done.kept.drop(_N, strict=False)
        if "price" in frame.columns:
            asked = kept.select("item_id").join(
                _median_prices(votes), on="item_id", how="left", maintain_order="left"
            )
            kept = kept.with_columns(asked["price"])
        return Cleaned(kept, done.rejects)


def _or_else(column: str, frame: pl.DataFrame, default: int | None, dtype: pl.DataType) -> pl.Expr:
    present = column in frame.columns
    return (pl.col(column) if present else pl.lit(default)).cast(dtype).alias(column)


def _elect(votes: pl.DataFrame) -> pl.DataFrame:
    """Choose a row for each item: columns ``item_id``, ``title``, ``row``."""
    return (
        votes.group_by("item_id", "title")
        .agg(pl.col(_N).sum(), pl.col("row").min())
        # An empty title wins only where there is no other.
        .sort(
            pl.col("title").is_null(),
            -pl.col(_N),
            -pl.col("title").str.len_chars().cast(pl.Int64),
            "row",
        )
        .unique("item_id", keep="first", maintain_order=True)
        .select("item_id", "title", "row")
    )


def _median_prices(lines: pl.DataFrame) -> pl.DataFrame:
    """Take each item's lower median price over its lines: a price that was really asked."""
    return (
        lines.drop_nulls("price")
        .sort("item_id", "price")
        .with_columns(
            pl.col(_N).cum_sum().over("item_id").alias("up_to"),
            pl.col(_N).sum().over("item_id").alias("total"),
        )
        .filter(2 * pl.col("up_to") >= pl.col("total"))
        .unique("item_id", keep="first", maintain_order=True)
        .select("item_id", "price")
    )
