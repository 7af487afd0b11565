"""A population's sketch: enough to know the same people's rows again, under whatever name.

In: protected events. Out: a few hundred hashes that two tables share if they share rows.

A budget belongs to people, not to the name of a source or to the bytes of a file: rows that were
renamed, refreshed or changed here and there are the same people's. The hashes are of rows under
pseudonyms, so they are keyed; they stay in the ledger, which is the controller's alone.
"""

import hashlib
from collections.abc import Collection

import polars as pl

from shopsynth.schema import Dataset, order_column

SKETCH_SIZE = 256
"""Hashes of a sketch: two populations that share a tenth of their rows share about 25 of them."""

SAME_PEOPLE = 0.05
"""Estimated share of common rows from which two sources are the same people's. Keyed 60-bit hashes
of different rows do not meet by chance."""

_USERS = 1_024
"""Users whose rows are hashed, those of the lowest pseudonyms: the same ones after a refresh."""

_HASH_BYTES = 7


def sketch_population(data: Dataset) -> tuple[int, ...]:
    """Sketch who is in protected events by what they did.

    Args:
        data: Tables whose user ids are pseudonyms. Without events the sketch is empty.

    Returns:
        The lowest :data:`SKETCH_SIZE` hashes of events, rising. The order of rows does not matter.

    Source: Broder, "On the Resemblance and Containment of Documents", 1997 (bottom-k sketches).
    """
    if data.events is None or data.events.is_empty():
        return ()
    users = data.events["user_id"].unique().sort().head(_USERS)
    columns = ["user_id", "item_id", order_column(data.events)]
    rows = data.events.filter(pl.col("user_id").is_in(users.implode())).select(columns)
    if rows.schema[columns[-1]].is_temporal():
        rows = rows.with_columns(pl.col(columns[-1]).dt.epoch("us"))
    texts = rows.select(pl.concat_str(pl.all().cast(pl.String), separator="\0")).to_series()
    hashes = {
        int.from_bytes(hashlib.sha256(text.encode()).digest()[:_HASH_BYTES])
        for text in texts.unique().to_list()
    }
    return tuple(sorted(hashes)[:SKETCH_SIZE])


def share_in_common(one: Collection[int], other: Collection[int]) -> float:
    """Estimate which share of two tables' rows is in both, from their sketches.

    Example:
        >>> share_in_common(range(100), range(50, 150)), share_in_common((), (1,))
        (0.5, 0.0)
    """
    smaller = min(len(one), len(other))
    lowest = sorted({*one, *other})[:smaller]
    both = set(one) & set(other)
    return sum(value in both for value in lowest) / smaller if smaller else 0.0
