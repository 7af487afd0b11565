"""Canary users from public facts alone, for releases that carry a guarantee.

In: the declared catalogue, the events' columns, a public period. Out: canaries and their coins.
"""

from datetime import datetime

import numpy as np
import polars as pl

from shopsynth.evaluate.attacks.canaries import LONGEST, SHORTEST, Canaries, tossed
from shopsynth.schema import TIMESTAMP, InputError


def public_canaries(
    items: pl.DataFrame,
    columns: pl.Schema,
    n: int,
    seed: int,
    period: tuple[datetime, datetime] | None,
) -> Canaries:
    """Make canary users from public facts alone, for releases with a guarantee.

    What ``plant_canaries`` makes depends on everybody's rows, so that one real user more would
    change all canaries, and with them the release by far more than one user may. These do not.

    Args:
        items: The declared catalogue; canaries draw from it evenly.
        columns: Names and types of the events' columns.
        n: Canaries, of which a coin puts about half in.
        seed: Of the canaries and the coins, from the system's entropy: whoever knows it knows them.
        period: First and last moment of a public period, for events with ``timestamp``.

    Raises:
        InputError: If ``n`` is below 1, there are no items, or times are needed and no period is
            given.
    """
    order = "timestamp" if "timestamp" in columns else "position"
    if n < 1 or not items.height or (order == "timestamp" and period is None):
        raise InputError(
            f"public_canaries: expected at least 1 canary, items, and a public period for times, "
            f"got n = {n}, {items.height} items and {'a' if period else 'no'} period; name "
            "split.validation_from, or period_start and period_end of a method"
        )
    generator = np.random.Generator(np.random.PCG64(seed))
    lengths = generator.integers(SHORTEST, LONGEST + 1, n)
    user = np.repeat(np.arange(n), lengths)
    ids = pl.Series([f"canary-{number:06d}" for number in range(n)])
    catalogue = items.sort("item_id")
    drawn = catalogue[generator.integers(catalogue.height, size=user.size)]
    known: dict[str, pl.Series | pl.Expr] = {
        "user_id": ids[user],
        "item_id": drawn["item_id"],
        "session_id": ids[user],
        "event_type": pl.lit("purchase"),
        "quantity": pl.lit(1.0),
        order: _public_times(period, user, lengths, generator),
    }
    if "price" in drawn.columns:
        known["price"] = drawn["price"]
    cells = [
        known.get(name, pl.lit(None)).cast(dtype).alias(name) for name, dtype in columns.items()
    ]
    made = pl.select(pl.int_range(user.size).alias("row")).select(cells)
    return tossed(made.sort("user_id", order, maintain_order=True), ids, generator)


def _public_times(
    period: tuple[datetime, datetime] | None,
    user: np.ndarray,
    lengths: np.ndarray,
    generator: np.random.Generator,
) -> pl.Series:
    """Spread each canary's events evenly over the period; without one they are numbered."""
    first = np.cumsum(lengths) - lengths
    if period is None:
        return pl.Series(np.arange(user.size) - first[user])
    start, end = (round(moment.timestamp()) * 1_000_000 for moment in period)
    times = generator.integers(start, end, user.size)
    return pl.Series(times[np.lexsort((times, user))]).cast(TIMESTAMP)
