"""Rejects: rows that were taken out, kept with the reason.

In: the rows of any table. Out: one uniform table of rejected records.
"""

from dataclasses import dataclass

import polars as pl

REJECT_COLUMNS = {"table": pl.String(), "reason": pl.String(), "record": pl.String()}


@dataclass(frozen=True)
class Cleaned:
    """What a step kept and what it took out.

    Attributes:
        kept: The table without the rejected rows.
        rejects: Columns ``table``, ``reason``, ``record`` (the row as a JSON object).
    """

    kept: pl.DataFrame
    rejects: pl.DataFrame


def make_rejects(table: str, reason: str, rows: pl.DataFrame) -> pl.DataFrame:
    """Turn rows of any table into rejected records.

    Args:
        table: Name of the table the rows come from.
        reason: One lower-case word with underscores, for example ``"return"``.
        rows: The rejected rows, with all their columns.

    Returns:
        A frame with :data:`REJECT_COLUMNS`.

    Example:
        >>> make_rejects("events", "return", pl.DataFrame({"item_id": ["a"]})).row(0)
        ('events', 'return', '{"item_id":"a"}')
    """
    if rows.height == 0 or rows.width == 0:
        return no_rejects()
    return rows.select(
        pl.lit(table).alias("table"),
        pl.lit(reason).alias("reason"),
        pl.struct(pl.all()).struct.json_encode().alias("record"),
    )


def no_rejects() -> pl.DataFrame:
    """Make an empty table of rejects."""
    return pl.DataFrame(schema=REJECT_COLUMNS)
