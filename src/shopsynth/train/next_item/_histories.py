"""Histories as flat arrays: the one form in which every model of this room reads events.

In: an ``events`` table and a catalogue. Out: item indices by user, in time order, with moments.
"""

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy import sparse

from shopsynth.schema import Dataset, order_column

Ints = NDArray[np.int64]
Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Histories:
    """Histories of all users, one after the other.

    Attributes:
        unit_ids: ``(user,)`` the users, sorted; one without a known item keeps an empty history.
        starts: ``(user + 1,)`` where each history starts; the last entry is the total.
        items: ``(event,)`` catalogue indices, each history in time order.
        moments: ``(event,)`` rises by one with each later timestamp of a user, from 0. Events of
            one moment (a basket) have no order among themselves.
        weights: ``(event,)`` row weights; 1 where the table has none.
    """

    unit_ids: pl.Series
    starts: Ints
    items: Ints
    moments: Ints
    weights: Floats

    @property
    def users(self) -> Ints:
        """``(event,)`` the user index of each event."""
        return np.repeat(np.arange(len(self.unit_ids)), np.diff(self.starts))

    def newest(self, n: int) -> "Histories":
        """Keep the newest ``n`` events of every user."""
        from_end = np.repeat(self.starts[1:], np.diff(self.starts)) - np.arange(len(self.items))
        keep = from_end <= n
        kept = np.bincount(self.users[keep], minlength=len(self.unit_ids))
        return Histories(
            self.unit_ids,
            np.concatenate([[0], np.cumsum(kept)]),
            self.items[keep],
            self.moments[keep],
            self.weights[keep],
        )

    def interactions(self, n_items: int) -> sparse.csr_matrix:
        """Build the ``(user, item)`` matrix whose entry is the largest weight of the pair."""
        pairs = self.users * n_items + self.items
        order = np.lexsort((-self.weights, pairs))
        first = np.unique(pairs[order], return_index=True)[1]
        chosen = order[first]
        return sparse.csr_matrix(
            (self.weights[chosen], (self.users[chosen], self.items[chosen])),
            shape=(len(self.unit_ids), n_items),
        )

    def profiles(self, n_items: int, decay: float) -> sparse.csr_matrix:
        """Build the ``(user, item)`` matrix of recency: ``decay`` to the number of later moments.

        Args:
            n_items: Catalogue size.
            decay: In (0, 1]; the newest moment counts 1. An item of several moments sums up.
        """
        filled = self.starts[1:] > self.starts[:-1]
        newest = np.zeros(len(self.unit_ids), dtype=np.int64)
        newest[filled] = self.moments[self.starts[1:][filled] - 1]
        users = self.users
        recency = np.float32(decay) ** (newest[users] - self.moments)
        return sparse.csr_matrix(
            (recency.astype(np.float32), (users, self.items)), shape=(len(self.unit_ids), n_items)
        )


def read_histories(data: Dataset, item_ids: pl.Series) -> Histories:
    """Turn events into flat arrays; events of items outside the catalogue are left out.

    Args:
        data: With ``events``: columns ``user_id``, ``item_id``, ``timestamp`` or ``position``,
            and ``weight`` where rows are weighted.
        item_ids: The catalogue; an item's place in it is its index.
    """
    events = data.ordered_events()
    order = order_column(events)
    weight = pl.col("weight") if "weight" in events.columns else pl.lit(1.0)
    catalogue = pl.DataFrame(
        {"item_id": item_ids, "item": pl.arange(0, len(item_ids), eager=True, dtype=pl.Int64)}
    )
    unit_ids = events["user_id"].unique().sort().alias("unit_id")
    units = pl.DataFrame(
        {"user_id": unit_ids, "user": pl.arange(0, len(unit_ids), eager=True, dtype=pl.Int64)}
    )
    rows = (
        events.select("user_id", "item_id", pl.col(order).alias("when"), weight.alias("weight"))
        .join(catalogue, on="item_id", how="inner", maintain_order="left")
        .join(units, on="user_id", how="inner", maintain_order="left")
        .with_columns(pl.col("when").rle_id().over("user").cast(pl.Int64).alias("moment"))
    )
    counts = np.bincount(rows["user"].to_numpy(), minlength=len(unit_ids))
    return Histories(
        unit_ids,
        np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
        rows["item"].to_numpy(),
        rows["moment"].to_numpy(),
        rows["weight"].cast(pl.Float32).to_numpy(),
    )
