"""Histories as integer arrays: events in, events out.

In: a :class:`PrivateView`. Out: arrays with one entry an event and offsets with one a user, and
from edited or sampled arrays a :class:`SyntheticDataset` whose users are all new.
"""

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from shopsynth.generate._calendar import Launches
from shopsynth.generate._companions import Companions
from shopsynth.generate._draws import Integers
from shopsynth.privacy import PrivateView
from shopsynth.schema import (
    TIMESTAMP,
    Dataset,
    EmptyDataError,
    InputError,
    Settings,
    SyntheticDataset,
    order_column,
    sha256_of,
)

_CARRIED = ("event_type", "quantity", "price")
_ID_DIGITS = 6


@dataclass(frozen=True)
class Histories:
    """Users' events, user after user, each user's in order.

    Attributes:
        item: ``(n_events,)`` item_index: place in :attr:`EventForm.item_ids`.
        time: ``(n_events,)`` microseconds since 1970, or positions; never falls within a user.
        opens: ``(n_events,)`` whether the event is the first of its session. Without session ids
            a session is a run of events at one time; without times a user has one session.
        row: ``(n_events,)`` the real event whose type, quantity and price this one carries.
        offsets: ``(n_users + 1,)``; user ``u`` has the events ``offsets[u]:offsets[u + 1]``.
    """

    item: NDArray[np.int32]
    time: NDArray[np.int64]
    opens: NDArray[np.bool_]
    row: NDArray[np.int64]
    offsets: NDArray[np.int64]

    @property
    def n_users(self) -> int:
        """Number of users."""
        return self.offsets.size - 1

    @property
    def lengths(self) -> NDArray[np.int64]:
        """Each user's number of events, ``(n_users,)``."""
        return np.diff(self.offsets)

    @property
    def user(self) -> NDArray[np.int64]:
        """Each event's user number, ``(n_events,)``."""
        return np.repeat(np.arange(self.n_users), self.lengths)

    @property
    def index(self) -> NDArray[np.int64]:
        """Each event's place in its history, from 0, ``(n_events,)``."""
        return np.arange(self.item.size) - np.repeat(self.offsets[:-1], self.lengths)


@dataclass(frozen=True)
class EventForm:
    """What the real events look like besides who, what and when.

    Attributes:
        items: The catalogue, as the view gives it.
        item_ids: All catalogue ids, sorted; item_index is a place in it.
        carried: Event type, quantity and price of the real events, as far as the shop has them.
        carried_item: ``(n_real_events,)`` item_index of each row of ``carried``.
        columns: Columns of the real events.
        by_item: Real rows sorted by item, and ``(n_items + 1,)`` pointers into them.
        source_sha256: Fingerprint of the view.
        companions: What is learned of users and searches; ``None`` in mode dp.
        launches: Since when items can be had; ``None`` where the catalogue does not tell or
            events have no times.
    """

    items: pl.DataFrame
    item_ids: pl.Series
    carried: pl.DataFrame
    carried_item: NDArray[np.int32]
    columns: tuple[str, ...]
    by_item: tuple[NDArray[np.int64], NDArray[np.int64]]
    source_sha256: str
    companions: Companions | None = None
    launches: Launches | None = None

    @property
    def n_items(self) -> int:
        """Size of the catalogue."""
        return self.item_ids.len()

    def item_counts(self) -> NDArray[np.int64]:
        """Return each item's number of real events, ``(n_items,)``."""
        return np.diff(self.by_item[1])

    def rows_of(self, items: Integers, random: np.random.Generator) -> NDArray[np.int64]:
        """Draw for each item, ``(n,)``, one of its real events; each must have some."""
        rows, pointers = self.by_item
        low, high = pointers[items], pointers[items + 1]
        return rows[low + (random.random(items.size) * (high - low)).astype(np.int64)]

    def indices_of(self, item_ids: tuple[str, ...], method: str) -> NDArray[np.int64]:
        """Return the distinct item_index of wanted items, rising by id.

        Args:
            item_ids: Of ``Conditions``.
            method: The method's name, for the message.

        Raises:
            InputError: If the catalogue lacks some of them.
        """
        wanted = pl.Series(item_ids, dtype=pl.String).unique().sort()
        known = wanted.filter(wanted.is_in(self.item_ids.implode()))
        if known.len() < wanted.len():
            raise InputError(
                f"generate.{method}: expected conditions.item_ids in the catalogue, got "
                f"{wanted.len() - known.len()} of {wanted.len()} that are not; add them to the "
                "items"
            )
        return self.item_ids.search_sorted(known).to_numpy().astype(np.int64)


def read_histories(view: PrivateView, method: str) -> tuple[EventForm, Histories]:
    """Turn a view's events into arrays.

    Events of items that the catalogue lacks are left out: no synthetic row may refer to them.

    Args:
        view: The protected rows.
        method: The method's name, for messages and for the ids of its synthetic users.

    Raises:
        EmptyDataError: If no event is left.
        InputError: If real users have ids that only this method gives.
    """
    item_ids = view.items["item_id"].unique().sort()
    numbered = pl.DataFrame({"item_id": item_ids}).with_row_index("item_index")
    events = view.events().join(numbered, on="item_id", how="inner", maintain_order="left")
    if events.is_empty():
        raise EmptyDataError(
            f"generate.{method}: expected training events of catalogue items, got none; every "
            "item is cold. Check [split] and the mapping of item_id"
        )
    if events["user_id"].str.starts_with(id_prefix(method)).any():
        raise InputError(
            f"generate.{method}: expected real users, got ids that begin with "
            f"{id_prefix(method)!r}; leave synthetic rows out of the shop's own data"
        )
    item = events["item_index"].to_numpy().astype(np.int32)
    new_user = _changes(events["user_id"])
    opens = new_user | _session_changes(events)
    time = events[order_column(events)].to_physical().to_numpy().astype(np.int64)
    launches = None
    if "timestamp" in events.columns:
        declared = Launches.of(view.items, item_ids, int(time.max()))
        launches = declared and declared.until_sold(item, time)
    form = EventForm(
        items=view.items,
        item_ids=item_ids,
        carried=events.select(name for name in _CARRIED if name in events.columns),
        carried_item=item,
        columns=tuple(name for name in events.columns if name != "item_index"),
        by_item=(
            np.argsort(item, kind="stable"),
            np.concatenate(([0], np.cumsum(np.bincount(item, minlength=item_ids.len())))),
        ),
        source_sha256=view.fingerprint,
        companions=Companions.fit(view, events, opens),
        launches=launches,
    )
    histories = Histories(
        item=item,
        time=time,
        opens=opens,
        row=np.arange(events.height),
        offsets=np.append(np.flatnonzero(new_user), events.height),
    )
    return form, histories


def _changes(column: pl.Series) -> NDArray[np.bool_]:
    differs = column.ne_missing(column.shift(1)).to_numpy().copy()
    differs[0] = True
    return differs


def _session_changes(events: pl.DataFrame) -> NDArray[np.bool_]:
    for name in ("session_id", "timestamp"):
        if name in events.columns:
            return _changes(events[name])
    return np.zeros(events.height, dtype=np.bool_)


def write_synthetic(
    histories: Histories,
    form: EventForm,
    *,
    method: str,
    options: Settings,
    seed: int,
    first_user: int = 0,
) -> SyntheticDataset:
    """Turn arrays into events of new users, ``synthetic-<method>-000001`` and on.

    Columns are those of the real events that can be made: the order, ``session_id``,
    ``event_type``, ``quantity`` and ``price``. What would come before its item's launch is moved to
    a later day. An event that carries the row of another item (a
    cold item has none of its own) takes its price from the catalogue. Where the shop has users or
    queries, synthetic ones come with the events, and ``query_id`` points to them.

    Args:
        histories: What to write.
        form: What real events look like.
        method: The method's name.
        options: Its options.
        seed: Seed of the sample.
        first_user: Users that were written before, where a sample is written in blocks.
    """
    events = pl.DataFrame(
        {
            "user_id": id_prefix(method) + user_numbers(histories.user + first_user),
            "item_id": form.item_ids.gather(histories.item),
        }
    )
    made: dict[str, pl.Series] = {}
    if "timestamp" in form.columns:
        time = histories.time
        if form.launches is not None:
            time = form.launches.waited_for(histories.item, time, histories.opens, histories.user)
        made["timestamp"] = pl.Series(time).cast(TIMESTAMP)
    if "position" in form.columns:
        made["position"] = pl.Series(histories.index)
    if "session_id" in form.columns:
        before = np.cumsum(histories.opens) - 1
        session = before - np.repeat(before[histories.offsets[:-1]], histories.lengths) + 1
        made["session_id"] = events["user_id"] + "-" + pl.Series(session).cast(pl.String)
    for column in form.carried.get_columns():
        made[column.name] = column.gather(histories.row)
    events = events.with_columns(**made)
    if "price" in form.carried.columns:
        events = _with_catalogue_prices(events, form, histories)
    tables = {"events": events}
    if form.companions is not None:
        tables = form.companions.join(
            events,
            histories.item,
            histories.opens,
            prefix=id_prefix(method),
            seed=seed,
            first_user=first_user,
        )
    return SyntheticDataset(
        data=Dataset(form.items, **tables),
        synthesizer=method,
        config_sha256=sha256_of(options.model_dump(mode="json")),
        seed=seed,
        source_sha256=form.source_sha256,
    )


def _with_catalogue_prices(
    events: pl.DataFrame, form: EventForm, histories: Histories
) -> pl.DataFrame:
    borrowed = pl.Series(form.carried_item[histories.row] != histories.item)
    price = pl.lit(None, dtype=pl.Float64)
    if "price" in form.items.columns:
        prices = form.items.unique("item_id", keep="first").select("item_id", listed="price")
        events = events.join(prices, on="item_id", how="left", maintain_order="left")
        price = pl.col("listed")
    return events.with_columns(price=pl.when(borrowed).then(price).otherwise(pl.col("price"))).drop(
        "listed", strict=False
    )


def id_prefix(method: str) -> str:
    """Return what the ids of a method's synthetic users and searches begin with."""
    return f"synthetic-{method}-"


def user_numbers(places: NDArray[np.int64]) -> pl.Series:
    """Return what ids of synthetic users end with, from 000001 on for place 0."""
    return pl.Series(places + 1).cast(pl.String).str.zfill(_ID_DIGITS)
