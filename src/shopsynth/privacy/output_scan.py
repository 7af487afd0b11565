"""Scan a release for what must not be in it: the input's identifiers, and personal data in texts.

In: released tables and the real ones. Out: how many released rows hold what; never the values.
"""

from collections.abc import Iterator, Mapping

import polars as pl

from shopsynth.privacy.opening import CODED_COLUMNS, PUBLIC_IDS
from shopsynth.privacy.pii import find_pii

INPUT_IDENTIFIER = "input_identifier"
"""Kind of a released id that stands in the real table."""

_FINDINGS = {"table": pl.String, "column": pl.String, "kind": pl.String, "rows": pl.Int64}


def scan_release(
    released: Mapping[str, pl.DataFrame], real: Mapping[str, pl.DataFrame]
) -> pl.DataFrame:
    """Count released rows that name somebody.

    Args:
        released: Synthetic tables by name; the catalogue is public and is left out.
        real: The tables they were learned from, before pseudonyms; extra ones do no harm.

    Returns:
        Columns ``table``, ``column``, ``kind``, ``rows``, sorted: a row for what was found. Names
        of people are left out, for only models find them with few errors; an id counts where it
        equals one of the same column of the real table.

    Example:
        >>> made = {"events": pl.DataFrame({"user_id": ["ann", "x1"], "note": ["", "a@b.example"]})}
        >>> scan_release(made, {"events": pl.DataFrame({"user_id": ["ann"]})}).rows()
        [('events', 'note', 'EMAIL', 1), ('events', 'user_id', 'input_identifier', 1)]
    """
    rows = [
        (table, column, kind, n)
        for table, frame in released.items()
        for column, kind, n in _found(frame, real.get(table, pl.DataFrame()))
    ]
    return pl.DataFrame(rows, schema=_FINDINGS, orient="row").sort("table", "column", "kind")


def _found(frame: pl.DataFrame, real: pl.DataFrame) -> Iterator[tuple[str, str, int]]:
    for column in frame.get_columns():
        if column.dtype != pl.String or column.name in PUBLIC_IDS | CODED_COLUMNS:
            continue
        if not column.name.endswith("_id"):
            yield from _found_in_texts(column)
        elif column.name in real.columns:
            known = real[column.name].cast(pl.String).unique().drop_nulls()
            if n := int(column.is_in(known.implode()).sum()):
                yield column.name, INPUT_IDENTIFIER, n


def _found_in_texts(column: pl.Series) -> Iterator[tuple[str, str, int]]:
    """Count rows by kind; equal texts are read once."""
    texts = column.drop_nulls().value_counts(name="n").sort(column.name)
    hits = find_pii(texts[column.name], names="off").select("text_index", "kind").unique()
    counted = hits.with_columns(n=texts["n"].gather(hits["text_index"]).cast(pl.Int64))
    for kind, n in counted.group_by("kind").agg(pl.col("n").sum()).sort("kind").iter_rows():
        yield column.name, kind, n
