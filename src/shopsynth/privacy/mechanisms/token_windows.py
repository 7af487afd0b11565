"""token_windows: histories as windows of item numbers, over a catalogue that is public.

In: protected events and item ids. Out: one block of windows a user.
"""

import numpy as np
import polars as pl
from numpy.typing import NDArray

from shopsynth.schema import Dataset

PAD, START, END, OTHER, FIRST_ITEM = range(5)
"""Token numbers: nothing, before the first and after the last event, an item that the catalogue
lacks; the catalogue's first item. Its item i is ``FIRST_ITEM + i``, or, where items are told by
groups, ``FIRST_ITEM`` and its group."""


def encode_windows(
    rows: Dataset,
    items: pl.Series,
    length: int,
    windows: int,
    groups: NDArray[np.integer] | None = None,
) -> NDArray[np.int64]:
    """Cut each user's most recent tokens into windows to predict the next token in.

    Windows overlap by one token, so that every token but the first is predicted once. Users with
    fewer windows have padding in their last ones.

    Args:
        rows: The events are read.
        items: The public catalogue's distinct item ids; their order numbers the tokens.
        length: Tokens to predict a window.
        windows: Windows a user at most; older tokens are left out.
        groups: ``(n_items,)`` public group of each item, from 0; without, each is its own.

    Returns:
        ``(n_users, windows, length + 1)``, users by id.

    Example:
        >>> shop = Dataset(
        ...     items=pl.DataFrame({"item_id": ["a", "b"]}),
        ...     events=pl.DataFrame(
        ...         {"user_id": ["u"] * 3, "item_id": ["b", "a", "?"], "position": [0, 1, 2]}
        ...     ),
        ... )
        >>> encode_windows(shop, shop.items["item_id"], length=2, windows=2).tolist()
        [[[1, 5, 4], [4, 3, 2]]]
    """
    events = rows.ordered_events()
    number = np.arange(len(items)) if groups is None else groups
    numbers = pl.Series(number.astype(np.int64) + FIRST_ITEM)
    token = events["item_id"].replace_strict(items, numbers, default=OTHER, return_dtype=pl.Int64)
    size = length * windows + 1
    held = (
        pl.DataFrame({"user_id": events["user_id"], "token": token})
        .group_by("user_id", maintain_order=True)
        .agg("token")
        .select(pl.concat_list(pl.lit(START, pl.Int64), "token", pl.lit(END, pl.Int64)))
        .to_series()
        .list.tail(size)
    )
    user = np.repeat(np.arange(len(held)), held.list.len().to_numpy())
    place = held.to_frame("t").select(pl.int_ranges(0, pl.col("t").list.len()).explode())
    flat = np.full((len(held), size), PAD, dtype=np.int64)
    flat[user, place.to_series().to_numpy()] = held.explode().to_numpy()
    starts = np.arange(windows) * length
    return flat[:, starts[:, None] + np.arange(length + 1)]
