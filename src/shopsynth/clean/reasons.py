"""What the reasons of rejected rows mean, and what to do when too many are rejected.

In: rejects of any stage. Out: counts by reason, or one error with advice when nothing is left.
"""

from collections.abc import Mapping

import polars as pl

from shopsynth.schema import EmptyDataError

COUNT_COLUMNS = {"table": pl.String(), "reason": pl.String(), "n": pl.Int64()}

ADVICE = {
    "not_a_product": "loosen item_id_pattern under [clean]",
    "return": "set drop_returns = false under [clean], or check the sign of quantity",
    "zero_quantity": "check which column is mapped to quantity",
    "negative_price": "check which column is mapped to price",
    "invalid_price": "check which column is mapped to price",
    "near_duplicate_title": "raise near_duplicate_titles under [clean], or leave it out",
    "repeat": "set drop_repeats = false under [clean], or map a column with exact times",
    "unknown_item": "check that events and items use the same item ids",
    "unknown_query": "check that judgments and queries use the same query ids",
    "few_events": "lower min_events_per_user under [clean]",
}
"""What to change, by reason."""

_MISSING = "missing_"


def count_rejects(rejects: pl.DataFrame) -> pl.DataFrame:
    """Count rejected rows.

    Args:
        rejects: Columns ``table``, ``reason``, ``record``.

    Returns:
        Columns ``table``, ``reason``, ``n``, sorted by table, then the most frequent reason first.
        Counts of parts can be concatenated and summed.
    """
    return (
        rejects.group_by("table", "reason")
        .agg(pl.len().cast(pl.Int64).alias("n"))
        .sort("table", -pl.col("n"), "reason")
    )


def check_left(table: str, n_read: int, n_kept: int, n_by_reason: Mapping[str, int]) -> None:
    """Refuse to go on with an empty table.

    Args:
        table: The table that was cleaned, over all its parts.
        n_read: Rows before cleaning.
        n_kept: Rows after cleaning.
        n_by_reason: Rejected rows by reason.

    Raises:
        EmptyDataError: If ``n_kept`` is 0; with the counts and what to change.

    Example:
        >>> check_left("events", 3, 1, {"return": 2})
    """
    if n_kept:
        return
    if not n_read:
        raise EmptyDataError(
            f"clean, table {table}: expected at least one row, got none; "
            f"check the path and the filter of the source under [shop.{table}]"
        )
    ranked = sorted(n_by_reason.items(), key=lambda pair: (-pair[1], pair[0]))
    counts = ", ".join(f"{reason} {n}" for reason, n in ranked) or "none"
    advice = "; ".join(dict.fromkeys(_advice(table, reason) for reason, _ in ranked[:3]))
    raise EmptyDataError(
        f"clean, table {table}: expected at least one row to stay; {n_read} read, 0 kept. "
        f"Rejected by reason: {counts}. What to do: {advice or f'check [shop.{table}]'}."
    )


def _advice(table: str, reason: str) -> str:
    if reason.startswith(_MISSING):
        column = reason.removeprefix(_MISSING)
        return f"check which column is mapped to {column} under [shop.{table}]"
    return ADVICE.get(reason, f"look at the records rejected as {reason}")
