"""The form of all filters of made rows, and what they share.

In: rows of one table, and why some of them go. Out: the rows kept, in order, and the rejects with
the reason. A record of a reject holds identifiers, never a text: whoever may read why a row went
need not be allowed to read the row.
"""

from collections.abc import Callable
from dataclasses import replace

import polars as pl

from shopsynth.schema import InputError, SyntheticDataset, make_rejects, no_rejects

RowFilter = Callable[[pl.DataFrame], tuple[pl.DataFrame, pl.DataFrame]]
"""Rows of one table to the rows kept and the rejects."""


def filter_table(
    synthetic: SyntheticDataset, table: str, row_filter: RowFilter
) -> tuple[SyntheticDataset, pl.DataFrame]:
    """Filter one table of a synthetic data set; searches take their judgments with them.

    Args:
        synthetic: With the table.
        table: Its name.
        row_filter: Any filter of this room, its other arguments filled in.

    Returns:
        The data set with the rows kept, and the rejects.

    Raises:
        SchemaError: If the table is missing.
    """
    kept, rejects = row_filter(synthetic.data.need(table))
    tables = {table: kept}
    if table == "queries" and "judgments" in synthetic.data.tables():
        judgments = synthetic.data.need("judgments")
        ids = kept.select("query_id")
        tables["judgments"] = judgments.join(ids, on="query_id", how="semi", maintain_order="left")
    return replace(synthetic, data=synthetic.data.with_tables(**tables)), rejects


def reject_counts(rejects: pl.DataFrame) -> pl.DataFrame:
    """Count rejects: columns ``table``, ``reason``, ``n``, sorted.

    Args:
        rejects: With ``REJECT_COLUMNS``, of as many filters as you like.

    Example:
        >>> rejects = pl.DataFrame({"table": ["queries"] * 2, "reason": ["toxic"] * 2})
        >>> reject_counts(rejects).rows()
        [('queries', 'toxic', 2)]
    """
    counts = rejects.group_by("table", "reason").agg(n=pl.len())
    return counts.sort("table", "reason")


def parted(rows: pl.DataFrame, table: str, reasons: pl.Series) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Part rows into those without a reason to go and the rejects.

    Args:
        rows: Rows of one table.
        table: Its name.
        reasons: ``(n_rows,)`` why each goes; empty for one that stays.

    Returns:
        The rows kept, in order, and the rejects by reason; a record holds the row's identifiers,
        or its number where it has none.
    """
    stays = reasons == ""
    names = [name for name in rows.columns if name.endswith("_id")]
    told = rows.select(names) if names else pl.DataFrame({"row": range(rows.height)})
    rejects = [
        make_rejects(table, reason, told.filter(reasons == reason))
        for reason in reasons.filter(~stays).unique().sort()
    ]
    return rows.filter(stays), pl.concat([no_rejects(), *rejects])


def need_columns(where: str, rows: pl.DataFrame, *columns: str) -> None:
    """Refuse rows that lack a column.

    Raises:
        InputError: Naming what is missing and what is there.
    """
    missing = [name for name in columns if name not in rows.columns]
    if missing:
        raise InputError(
            f"{where}: expected columns {', '.join(columns)}, got {', '.join(rows.columns)}; "
            f"join or name {', '.join(missing)}"
        )


def reasons_of(n_rows: int, *found: tuple[str, pl.Series]) -> pl.Series:
    """Give each row the first reason that holds.

    Args:
        n_rows: Number of rows.
        found: Reasons, each with ``(n_rows,)`` whether it holds; a null does not.
    """
    reasons = pl.select(pl.repeat("", n_rows, dtype=pl.String).alias("reason")).to_series()
    for reason, holds in reversed(found):
        frame = pl.DataFrame({"reason": reasons, "holds": holds.cast(pl.Boolean)})
        reasons = frame.select(
            pl.when(pl.col("holds").fill_null(False)).then(pl.lit(reason)).otherwise("reason")
        ).to_series()
    return reasons
