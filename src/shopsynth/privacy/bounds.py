"""Contribution bounds: how much of the data one person can be.

In: tables and a bound. Out: the tables with at most so many events a user, and one key a person.

Noise is scaled to one user's whole contribution, so what is not bounded here is not protected.
"""

import polars as pl

from shopsynth.schema import Dataset


def bound_contributions(data: Dataset, max_events_per_user: int) -> Dataset:
    """Keep each user's most recent events; a rule about one user that looks at no other.

    Args:
        data: Tables; only ``events`` change.
        max_events_per_user: At least 1.

    Example:
        >>> import polars as pl
        >>> shop = Dataset(
        ...     items=pl.DataFrame({"item_id": ["a"]}),
        ...     events=pl.DataFrame(
        ...         {"user_id": ["u"] * 3, "item_id": ["a"] * 3, "position": [0, 1, 2]}
        ...     ),
        ... )
        >>> bound_contributions(shop, 2).counts()["events"]
        2
    """
    if data.events is None:
        return data
    events = data.ordered_events()
    newest_first = pl.int_range(pl.len(), 0, -1).over("user_id")
    return data.with_tables(events=events.filter(newest_first <= max_events_per_user))


def one_key_a_person(ids: pl.Series) -> pl.Series:
    """Write ids that differ by case, width, accents' encoding or outer spaces as one.

    A person under two keys contributes twice what the noise is scaled to. Two people under one key
    lose some rows to the bound, and nothing else.

    Example:
        >>> one_key_a_person(pl.Series(["Ann@x", " ann@X", "ＡＮＮ@x"])).n_unique()
        1
    """
    return ids.cast(pl.String).str.normalize("NFKC").str.strip_chars().str.to_lowercase()
