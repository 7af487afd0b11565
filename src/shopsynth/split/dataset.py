"""Splitting a whole shop in memory.

In: a clean shop. Out: a :class:`~shopsynth.schema.Split`: shops over one catalogue.
"""

import polars as pl

from shopsynth.schema import Dataset, Split
from shopsynth.split.base import CUT_TABLE, TRAIN, TimeCuts, assign_parts, check_parts
from shopsynth.split.counts import count_items, count_times, count_users
from shopsynth.split.followers import follow_events, follow_queries
from shopsynth.split.low_data import group_users, part_by_group, part_names, without_reserve
from shopsynth.split.query import assign_texts, hold_labels_back
from shopsynth.split.settings import SplitSettings
from shopsynth.split.slices import fix_slices
from shopsynth.split.time import find_cuts

_CATALOGUE = ("items", "images")
"""Known before any event, therefore whole in every part."""


def split_dataset(dataset: Dataset, settings: SplitSettings) -> Split:
    """Set the real holdout aside.

    Every part has the whole catalogue (``items``, ``images``). Split by time or leave-one-out,
    ``events`` are cut and ``reviews`` follow; split by query, ``queries`` are cut and ``judgments``
    and ``events`` follow; split by review, ``reviews`` are cut. ``users`` are those who act in a
    part; train also has those who never act. All other tables stay with train. With
    ``train_users`` below 1 there are two more parts, ``asked`` and ``reserve``, and every user's
    rows lie on one side (``low_data.py``); with ``train_labels`` below 1 there is a ``reserve`` of
    judgments, or reviews.

    Args:
        dataset: The clean shop.
        settings: The recipe's ``[split]`` block.

    Raises:
        EmptyDataError: If a part would be empty.
        SchemaError: If the shop lacks the table or the column the split needs.

    Example:
        >>> items = pl.DataFrame({"item_id": ["a"]})
        >>> visits = {"user_id": ["u"] * 3, "item_id": ["a"] * 3, "position": [1, 2, 3]}
        >>> shop = Dataset(items, events=pl.DataFrame(visits))
        >>> split = split_dataset(shop, SplitSettings(by="leave_one_out"))
        >>> split.train.counts(), split.test.counts()
        ({'items': 1, 'events': 1}, {'items': 1, 'events': 1})
    """
    if settings.by == "query":
        in_time = assigned = _cut_queries(dataset, settings)
    elif settings.by == "review":
        reviews = assign_texts(dataset.need("reviews"), settings)
        in_time = assigned = {"reviews": hold_labels_back(reviews, settings)}
    else:
        in_time = _cut_events(dataset, settings)
        assigned = {table: part_by_group(rows, settings) for table, rows in in_time.items()}
    check_parts(_n_by_part(assigned[CUT_TABLE[settings.by]]), settings)
    parts = {name: _part(dataset, assigned, name, settings) for name in part_names(settings)}
    return Split(
        **parts, slices=_slices(parts[TRAIN], in_time.get("events"), settings), by=settings.by
    )


def _cut_events(dataset: Dataset, settings: SplitSettings) -> dict[str, pl.DataFrame]:
    events = dataset.need("events")
    cuts: TimeCuts | None = None
    if settings.by == "time":
        cuts = find_cuts(count_times(events), settings)
    assigned = {"events": assign_parts(events, settings, cuts)}
    if dataset.reviews is not None:
        assigned["reviews"] = follow_events(dataset.reviews, assigned["events"], cuts)
    return assigned


def _cut_queries(dataset: Dataset, settings: SplitSettings) -> dict[str, pl.DataFrame]:
    queries = assign_texts(dataset.need("queries"), settings)
    assigned = {"queries": queries}
    if dataset.judgments is not None:
        judged = hold_labels_back(queries, settings)
        assigned["judgments"] = follow_queries(dataset.judgments, judged)
    if dataset.events is not None:
        assigned["events"] = follow_queries(dataset.events, queries)
    return assigned


def _part(
    dataset: Dataset, assigned: dict[str, pl.DataFrame], part: str, settings: SplitSettings
) -> Dataset:
    tables = {
        table: rows.filter(pl.col("part") == part).drop("part") for table, rows in assigned.items()
    }
    for table, rows in dataset.tables().items():
        if table in tables:
            continue
        if table == "users" and "events" in assigned:
            tables[table] = _users_of(rows, assigned["events"], part, settings)
        elif table in _CATALOGUE or part == TRAIN:
            tables[table] = rows
    return Dataset(**tables)


def _users_of(
    users: pl.DataFrame, events: pl.DataFrame, part: str, settings: SplitSettings
) -> pl.DataFrame:
    acts_here = pl.col("user_id").is_in(
        events.filter(pl.col("part") == part)["user_id"].unique().implode()
    )
    if part != TRAIN:
        return users.filter(acts_here)
    acts = pl.col("user_id").is_in(events["user_id"].unique().implode())
    known = pl.lit(group_users(users["user_id"], settings)) == TRAIN
    return users.filter(acts_here | (~acts & known))


def _slices(train: Dataset, in_time: pl.DataFrame | None, settings: SplitSettings) -> pl.DataFrame:
    """Fix the slices; in a shop without events, judged or reviewed items stand for seen ones.

    Args:
        train: All that is learned from.
        in_time: Events with their ``part`` by time alone, or ``None`` in a shop without events.
        settings: The recipe's ``[split]`` block.
    """
    tables = (train.events, train.judgments, train.reviews)
    seen = next((table for table in tables if table is not None), None)
    item_counts = count_items(seen) if seen is not None else None
    user_counts = None if in_time is None else count_users(without_reserve(in_time, settings))
    return fix_slices(train.items["item_id"], item_counts, user_counts, settings)


def _n_by_part(rows: pl.DataFrame) -> dict[str, int]:
    return dict(rows["part"].value_counts().iter_rows())
