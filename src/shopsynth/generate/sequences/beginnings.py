"""Beginnings of histories that are to be continued, read as a shop's own events are.

In: a frame of events. Out: tokens and times, one row of a plan a user.
"""

import numpy as np
import polars as pl
from numpy.typing import NDArray

from shopsynth.generate._histories import EventForm, Histories
from shopsynth.generate.sequences.event_tokens import EventTokens, Tokens
from shopsynth.schema import TIMESTAMP, InputError, collect


def read_beginnings(
    events: pl.DataFrame, form: EventForm, tokens: EventTokens, end: int, where: str
) -> tuple[Tokens, NDArray[np.int64]]:
    """Turn the events of begun histories into tokens.

    Args:
        events: ``user_id`` and ``item_id``; ``timestamp`` where the shop has times, else their
            order is that of ``position`` or of the rows; ``event_type`` where the shop has types.
        form: What real events look like.
        tokens: The vocabulary of events.
        end: Last moment that a history may reach; microseconds since 1970.
        where: Of whose conditions, for messages.

    Returns:
        Tokens, users in the order of their first rows, and ``(n_events,)`` times.

    Raises:
        InputError: If columns are missing, or items, types or times are not the shop's.
    """
    needed = ["user_id", "item_id"] + ["timestamp"] * tokens.timed
    typed = "event_type" in form.carried.columns
    needed += ["event_type"] * typed
    missing = [name for name in needed if name not in events.columns]
    if missing or events.is_empty():
        got = f"no column {' or '.join(missing)}" if missing else "no rows"
        raise InputError(
            f"{where}: expected events with columns {', '.join(needed)}, got {got}; add them"
        )
    rows = _ordered(events, timed=tokens.timed)
    item = rows.join(
        pl.DataFrame({"item_id": form.item_ids}).with_row_index("item_index"),
        on="item_id",
        how="left",
        maintain_order="left",
    )["item_index"]
    time = np.zeros(rows.height, dtype=np.int64)
    if tokens.timed:
        time = rows["timestamp"].cast(TIMESTAMP).to_physical().to_numpy().astype(np.int64)
    carried, strange = _rows_of_types(rows, form, tokens) if typed else (np.zeros_like(time), 0)
    faults = [
        (item.null_count(), "items of the catalogue"),
        (strange, "event types of the shop"),
        (int((time > end).sum()), "times no later than the end of the period"),
    ]
    told = [f"expected {what}, got others in {n} of {rows.height} rows" for n, what in faults if n]
    collect(where, told, InputError)
    new_user = rows["user_id"].ne_missing(rows["user_id"].shift(1)).to_numpy().copy()
    new_user[0] = True
    session = next((name for name in ("session_id", "timestamp") if name in rows.columns), None)
    opens = new_user.copy()
    if session is not None:
        opens |= rows[session].ne_missing(rows[session].shift(1)).to_numpy()
    histories = Histories(
        item=item.to_numpy().astype(np.int32),
        time=time,
        opens=opens,
        row=carried,
        offsets=np.append(np.flatnonzero(new_user), rows.height),
    )
    return tokens.encode(histories), time


def _ordered(events: pl.DataFrame, *, timed: bool) -> pl.DataFrame:
    """Put users in the order of their first rows, and each user's events in theirs."""
    order = ["timestamp"] if timed else [name for name in ("position",) if name in events.columns]
    numbered = events.with_row_index("row")
    by_user = pl.col("row").min().over("user_id")
    return numbered.sort(by_user, *order, "row", nulls_last=True).drop("row")


def _rows_of_types(
    rows: pl.DataFrame, form: EventForm, tokens: EventTokens
) -> tuple[NDArray[np.int64], int]:
    """Find a real row of each event's type, and count the events whose type nobody has."""
    known = form.carried.select("event_type").with_row_index("real")
    known = known.unique("event_type", keep="first", maintain_order=True)
    found = rows.join(known, on="event_type", how="left", nulls_equal=True, maintain_order="left")[
        "real"
    ]
    return found.fill_null(0).to_numpy().astype(np.int64), found.null_count()
