"""Cleaning a table, a part of one, or a whole shop.

In: tables as the sources told them. Out: tables that later stages may trust, and every rejected
row with its reason. No row gets lost: what was read is kept or rejected.
"""

import polars as pl

from shopsynth.clean.base import CLEANERS, CleanContext
from shopsynth.clean.reasons import check_left
from shopsynth.clean.settings import CleanSettings
from shopsynth.schema import Cleaned, Dataset, no_rejects

_CLEANED_FIRST = ("items", "queries")


def clean_items(items: pl.DataFrame, settings: CleanSettings) -> Cleaned:
    """Clean the whole catalogue.

    Args:
        items: The table ``items``; several rows an item are allowed, and then a column ``n_rows``
            with the number of source lines behind each.
        settings: The recipe's ``[clean]`` block.

    Returns:
        One row an item, in row order; the other rows with their reasons.

    Raises:
        EmptyDataError: If no item is left.
    """
    cleaned = _walk("items", items, CleanContext(settings))
    _check_left("items", items, cleaned)
    return cleaned


def clean_events(events: pl.DataFrame, item_ids: pl.Series, settings: CleanSettings) -> Cleaned:
    """Clean one part of the events.

    Args:
        events: All events of some users, in source order.
        item_ids: Ids of the cleaned catalogue.
        settings: The recipe's ``[clean]`` block.

    Returns:
        The events that stay, in order. A part may come out empty; whether all parts did is for
        :func:`~shopsynth.clean.check_left` to say.
    """
    return clean_table("events", events, item_ids, settings)


def clean_table(
    table: str,
    frame: pl.DataFrame,
    item_ids: pl.Series,
    settings: CleanSettings,
    query_ids: pl.Series | None = None,
) -> Cleaned:
    """Clean a table other than ``items``.

    Args:
        table: Its name.
        frame: Its rows.
        item_ids: Ids of the cleaned catalogue.
        settings: The recipe's ``[clean]`` block.
        query_ids: Ids of the cleaned queries; with them, judgments of other queries are rejected.
    """
    return _walk(table, frame, CleanContext(settings, item_ids, query_ids))


def clean_dataset(dataset: Dataset, settings: CleanSettings) -> tuple[Dataset, pl.DataFrame]:
    """Clean a whole shop in memory.

    Args:
        dataset: The shop as read.
        settings: The recipe's ``[clean]`` block.

    Returns:
        The clean shop, and the rejects of all tables (columns ``table``, ``reason``, ``record``).

    Raises:
        EmptyDataError: If no item or, in a shop with events, no event is left.

    Example:
        >>> items = pl.DataFrame({"item_id": ["a", None]})
        >>> shop, rejects = clean_dataset(Dataset(items), CleanSettings())
        >>> shop.counts(), rejects["reason"].to_list()
        ({'items': 1}, ['missing_item_id'])
    """
    items = clean_items(dataset.items, settings)
    item_ids = items.kept["item_id"]
    done = {"items": items}
    if dataset.queries is not None:
        done["queries"] = clean_table("queries", dataset.queries, item_ids, settings)
    query_ids = done["queries"].kept["query_id"] if "queries" in done else None
    for table, frame in dataset.tables().items():
        if table not in _CLEANED_FIRST:
            done[table] = clean_table(table, frame, item_ids, settings, query_ids)
    if dataset.events is not None:
        _check_left("events", dataset.events, done["events"])
    shop = Dataset(**{table: cleaned.kept for table, cleaned in done.items()})
    shop.check_filled("clean")
    return shop, pl.concat([cleaned.rejects for cleaned in done.values()])


def _walk(table: str, frame: pl.DataFrame, context: CleanContext) -> Cleaned:
    """Send a table through every chosen cleaner that is for it."""
    kept, rejects = frame, [no_rejects()]
    for name in context.settings.cleaners:
        cleaner = CLEANERS.get(name)()
        if table in cleaner.tables:
            step = cleaner.clean(table, kept, context)
            kept = step.kept
            rejects.append(step.rejects)
    return Cleaned(kept, pl.concat(rejects))


def _check_left(table: str, frame: pl.DataFrame, cleaned: Cleaned) -> None:
    reasons = cleaned.rejects["reason"].value_counts(name="n")
    check_left(table, frame.height, cleaned.kept.height, dict(reasons.iter_rows()))
