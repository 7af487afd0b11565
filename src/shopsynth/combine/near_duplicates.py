"""Near duplicates: synthetic histories that hold what only the future knows are dropped.

In: synthetic rows, real train events, real held-out events. Out: the rows kept, and the rejects.
"""

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from shopsynth.schema import SyntheticDataset, make_rejects, order_column

if TYPE_CHECKING:
    from scipy.sparse import csr_array

EXACT = "exact_duplicate_of_test"
NEAR = "near_duplicate_of_test"

_MIN_SEQUENCE = 2
"""One item alone is a copy of nobody."""

_MIN_PART = 3
"""Held-out parts of fewer distinct items are met by chance."""

_BLOCK_CELLS = 1 << 24
"""Pairs compared at once: at most 16 M overlaps, some 200 MB."""


def drop_near_duplicates(
    synthetic: SyntheticDataset, heldout: pl.DataFrame, train: pl.DataFrame, threshold: float
) -> tuple[SyntheticDataset, pl.DataFrame]:
    """Drop synthetic users whose history gives a held-out user's future away.

    Dropped are:

    - ``exact_duplicate_of_test``: the item sequence equals some held-out user's full history (train
      and held-out events) or the held-out part alone, of at least two events;
    - ``near_duplicate_of_test``: the item set's Jaccard similarity to a held-out user's full
      history reaches the threshold *and* it holds an item of the held-out part that this user's
      train part lacks; or its similarity to a held-out part of at least three items reaches it.

    A variant of a train history alone is no leak: augmenters make such variants by design, from
    rows that every model may learn from, and they tell nothing about what comes after the cut.
    Dropping them would only remove the users that are going to be tested from the synthetic data,
    and so bend the comparison.

    Args:
        synthetic: The rows to check, with events.
        heldout: Real events of validation and test: ``user_id``, ``item_id`` and ``timestamp`` or
            ``position``.
        train: Real train events, same columns.
        threshold: Jaccard similarity in (0, 1] from which item sets count as nearly the same.

    Returns:
        The data set without dropped users, and the rejects with ``REJECT_COLUMNS``: one record a
        dropped user, its id and number of events.
    """
    events = synthetic.data.ordered_events()
    parts = heldout.select("user_id").unique()
    past = train.join(parts, on="user_id", how="semi", maintain_order="left")
    exact = _exact_copies(events, past, heldout)
    near = _near_copies(events, past, heldout, threshold).filter(
        ~pl.col("user_id").is_in(exact["user_id"].implode())
    )
    lengths = events.group_by("user_id").agg(pl.len().alias("n_events"))
    rejects = pl.concat(
        make_rejects("events", reason, users.join(lengths, on="user_id").sort("user_id"))
        for reason, users in ((EXACT, exact), (NEAR, near))
    )
    return _without_users(synthetic, pl.concat([exact, near])), rejects


def _without_users(synthetic: SyntheticDataset, dropped: pl.DataFrame) -> SyntheticDataset:
    """Take users out of every table that names them, and their searches; rows keep their order."""
    kept = {
        name: frame.join(dropped, on="user_id", how="anti", maintain_order="left")
        for name, frame in synthetic.data.tables().items()
        if "user_id" in frame.columns
    }
    queries = synthetic.data.queries
    if queries is not None and "query_id" in kept["events"].columns:
        asked = kept["events"].select("query_id")
        kept["queries"] = queries.join(asked, on="query_id", how="semi", maintain_order="left")
    return replace(synthetic, data=synthetic.data.with_tables(**kept))


def _exact_copies(events: pl.DataFrame, past: pl.DataFrame, heldout: pl.DataFrame) -> pl.DataFrame:
    """Return the ids of synthetic users whose sequence a held-out user has; ``user_id``."""
    known = pl.concat([_sequences(_full(past, heldout)), _sequences(heldout)])
    return _sequences(events).join(known, on="items", how="semi").select("user_id").sort("user_id")


def _full(past: pl.DataFrame, heldout: pl.DataFrame) -> pl.DataFrame:
    """Stack past and held-out events; the past comes first where times are equal."""
    columns = ["user_id", "item_id", order_column(heldout)]
    return pl.concat([past.select(columns), heldout.select(columns)])


def _sequences(events: pl.DataFrame) -> pl.DataFrame:
    """Return ``user_id`` and ``items``, the history in order as one key, for two events or more."""
    return (
        events.sort("user_id", order_column(events), maintain_order=True)
        .group_by("user_id", maintain_order=True)
        .agg(pl.col("item_id").str.join("\x1f").alias("items"), pl.len().alias("n_events"))
        .filter(pl.col("n_events") >= _MIN_SEQUENCE)
        .select("user_id", "items")
    )


def _near_copies(
    events: pl.DataFrame, past: pl.DataFrame, heldout: pl.DataFrame, threshold: float
) -> pl.DataFrame:
    """Return the ids of synthetic users whose item set is near a future; ``user_id``."""
    items = (
        pl.concat([frame.select("item_id") for frame in (events, past, heldout)])
        .unique()
        .sort("item_id")
    )["item_id"]
    users = heldout["user_id"].unique().sort()
    made_users = events["user_id"].unique().sort()
    made = _item_sets(events, made_users, items)
    future = _item_sets(heldout, users, items)
    before = _item_sets(past, users, items)
    full = (future + before).sign()
    novel = (future - future.multiply(before)).tocsr()
    leaks = np.zeros(made_users.len(), dtype=bool)
    for row, column in similar_pairs(made, full, threshold):
        holds_novel = made[row].multiply(novel[column]).sum(axis=1) > 0
        leaks[row[holds_novel]] = True
    large = np.flatnonzero(np.diff(future.indptr) >= _MIN_PART)
    for row, _ in similar_pairs(made, future[large], threshold):
        leaks[row] = True
    return pl.DataFrame({"user_id": made_users.filter(pl.Series(leaks))})


def _item_sets(events: pl.DataFrame, users: pl.Series, items: pl.Series) -> "csr_array":
    """Return item sets as a matrix of 0 and 1, shape ``(users, items)``."""
    from scipy.sparse import csr_array

    place = {
        name: events[name].replace_strict(
            ids, pl.int_range(ids.len(), dtype=pl.Int64, eager=True), return_dtype=pl.Int64
        )
        for name, ids in (("user_id", users), ("item_id", items))
    }
    pairs = np.unique(place["user_id"].to_numpy() * items.len() + place["item_id"].to_numpy())
    user, item = np.divmod(pairs, max(1, items.len()))
    ones = np.ones(pairs.size, dtype=np.float32)
    return csr_array((ones, (user, item)), shape=(users.len(), items.len()))


def similar_pairs(
    made: "csr_array", known: "csr_array", threshold: float
) -> "list[tuple[np.ndarray, np.ndarray]]":
    """Find all pairs of sets whose Jaccard similarity reaches the threshold.

    Both sides are sorted by size: a set of ``n`` items can only be that similar to sets of
    ``threshold * n`` to ``n / threshold`` items, so a block of rows meets a narrow band of columns.
    Within it only pairs that share one of their rarest items are looked at (:func:`_rarest`).

    Args:
        made: Sets, shape ``(made, items)``.
        known: Sets, shape ``(known, items)``.
        threshold: In (0, 1].

    Returns:
        Row and column numbers of the pairs, one entry a block.

    Source:
        Bayardo, Ma and Srikant, Scaling Up All Pairs Similarity Search, WWW 2007; prefixes as in
        Xiao, Wang, Lin and Yu, Efficient Similarity Joins for Near Duplicate Detection, WWW 2008.
    """
    frequency = np.bincount(np.concatenate([made.indices, known.indices]), minlength=made.shape[1])
    made_rare, known_rare = (_rarest(sets, frequency, threshold) for sets in (made, known))
    made_sizes, known_sizes = np.diff(made.indptr), np.diff(known.indptr)
    rows, columns = (np.argsort(sizes, kind="stable") for sizes in (made_sizes, known_sizes))
    sorted_sizes = known_sizes[columns]
    found = []
    start = 0
    while start < rows.size:
        first = np.searchsorted(sorted_sizes, threshold * made_sizes[rows[start]] - 1e-9)
        n_rows = max(1, _BLOCK_CELLS // max(1, columns.size - int(first)))
        block = rows[start : start + n_rows]
        start += n_rows
        last = np.searchsorted(sorted_sizes, made_sizes[block[-1]] / threshold + 1e-9, "right")
        band = columns[first:last]
        candidates = (made_rare[block] @ known_rare[band].T).tocoo()
        row, column = block[candidates.row], band[candidates.col]
        overlap = made[row].multiply(known[column]).sum(axis=1)
        union = made_sizes[row] + known_sizes[column] - overlap
        near = overlap >= threshold * union - 1e-6
        found.append((row[near], column[near]))
    return found


def _rarest(
    sets: "csr_array", frequency: "np.ndarray[tuple[int], np.dtype[np.int64]]", threshold: float
) -> "csr_array":
    """Keep so many of each set's rarest items that two similar sets must share one of them.

    Sets of Jaccard similarity ``t`` share at least ``t * n`` items of either, so they cannot both
    leave out of sight the ``n - ceil(t * n) + 1`` items that come first in one common order.
    """
    from scipy.sparse import csr_array

    sizes = np.diff(sets.indptr)
    owner = np.repeat(np.arange(sets.shape[0]), sizes)
    order = np.lexsort((sets.indices, frequency[sets.indices], owner))
    place = np.arange(order.size) - np.repeat(sets.indptr[:-1], sizes)
    n_kept = sizes - np.ceil(threshold * sizes - 1e-9).astype(np.int64) + 1
    first = order[place < n_kept[owner]]
    ones = np.ones(first.size, dtype=np.float32)
    return csr_array((ones, (owner[first], sets.indices[first])), shape=sets.shape)
