"""``missing_values``: no row without the cells that make it one.

In: any table. Out: the rows whose required cells are filled; the others with the reason
``missing_<column>`` of the first empty one, for example ``missing_user_id``.
"""

from typing import ClassVar

import polars as pl

from shopsynth.clean.base import CleanContext, register
from shopsynth.clean.taking_out import take_out
from shopsynth.schema import TABLES, Cleaned, filled_columns


@register("missing_values")
class MissingValues:
    """Reject rows with an empty required cell: null, NaN or a blank string."""

    tables: ClassVar[frozenset[str]] = frozenset(TABLES)

    def clean(self, table: str, frame: pl.DataFrame, context: CleanContext) -> Cleaned:
        """Apply one rule a required column, in the specification's order."""
        return take_out(
            table,
            frame,
            {f"missing_{c}": _is_empty(c, frame.schema[c]) for c in filled_columns(table, frame)},
        )


def _is_empty(column: str, dtype: pl.DataType) -> pl.Expr:
    cell = pl.col(column)
    if dtype == pl.String:
        return cell.is_null() | (cell.str.strip_chars() == "")
    if dtype.is_float():
        return cell.is_null() | cell.is_nan()
    return cell.is_null()
