"""How rows leave a table: named rules become reasons.

In: a table and one condition a reason. Out: the rows that stay, and the others as records.
"""

from collections.abc import Mapping

import polars as pl

from shopsynth.schema import Cleaned, make_rejects, no_rejects


def take_out(table: str, frame: pl.DataFrame, rules: Mapping[str, pl.Expr]) -> Cleaned:
    """Reject every row for which a rule holds.

    Args:
        table: Name of the table, for the records.
        frame: Any rows.
        rules: Reason to condition; a condition that is null does not hold. Where several hold,
            the first one is the reason.

    Returns:
        The other rows in their order; the rejects by reason, each in row order.

    Example:
        >>> rows = pl.DataFrame({"price": [1.0, -1.0, None]})
        >>> done = take_out("items", rows, {"negative_price": pl.col("price") < 0})
        >>> done.kept["price"].to_list(), done.rejects["reason"].to_list()
        ([1.0, None], ['negative_price'])
    """
    if not rules:
        return Cleaned(frame, no_rejects())
    holds = frame.select(
        condition.fill_null(False).alias(name) for name, condition in rules.items()
    )
    stays = ~holds.select(pl.any_horizontal(pl.all()).alias("out"))["out"]
    if stays.all():
        # Most parts have nothing to reject; do not copy a million rows to find that out.
        return Cleaned(frame, no_rejects())
    rejects, earlier = [no_rejects()], pl.repeat(False, frame.height, eager=True)
    for name in rules:
        rejects.append(make_rejects(table, name, frame.filter(holds[name] & ~earlier)))
        earlier = earlier | holds[name]
    return Cleaned(frame.filter(stays), pl.concat(rejects))
