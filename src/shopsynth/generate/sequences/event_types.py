"""Event types as numbers, and which of them may come next between one user and one item.

In: real events. Out: a number for each type, the types that may follow what a user did with an item
so far, and real rows of an item and a type.

A funnel (view, cart, purchase, refund) is not declared but learned: what nobody ever did with an
item after the same earlier deeds is never made.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np
import polars as pl
from numpy.typing import NDArray

from shopsynth.generate._draws import Integers, Pool
from shopsynth.generate._histories import EventForm, Histories

_MOST_BITS = 62
"""Types told apart in a past: those of an int64. Rarer ones share the last bit."""


@dataclass(frozen=True)
class EventTypes:
    """The types of a shop's events; a shop without types has one.

    Attributes:
        number: ``(n_real_events,)`` type of each real row; frequent types have small numbers.
        n_types: Number of types.
        pasts: ``(n_pasts,)`` rising: sets of types as bits, each a past that somebody had with an
            item; 0 is none.
        may: ``(n_pasts, n_types)`` whether somebody with this past did this next.
        rows: Real rows sorted by item and type.
        keys: ``(n_real_events,)`` item times ``n_types`` plus type of ``rows``.
        of_type: Real rows by type.
    """

    number: NDArray[np.int64]
    n_types: int
    pasts: NDArray[np.int64]
    may: NDArray[np.bool_]
    rows: NDArray[np.int64]
    keys: NDArray[np.int64]
    of_type: Pool

    @classmethod
    def fit(cls, form: EventForm, histories: Histories) -> Self:
        """Number the types and list what followed what."""
        number = _numbers(form)
        n_types = int(number.max()) + 1
        done = number[histories.row]
        past = pasts_of(histories, done, form.n_items)
        pasts = np.unique(past)
        may = np.zeros((pasts.size, n_types), dtype=np.bool_)
        may[np.searchsorted(pasts, past), done] = True
        keys = form.carried_item.astype(np.int64) * n_types + number
        rows = np.argsort(keys, kind="stable")
        of_type = Pool.of(number, np.arange(number.size), n_types)
        return cls(number, n_types, pasts, may, rows, keys[rows], of_type)

    def allowed(self, past: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Return the types that may follow pasts ``(n,)``: ``(n, n_types)``, perhaps none."""
        place = np.minimum(np.searchsorted(self.pasts, past), self.pasts.size - 1)
        known = self.pasts[place] == past
        allowed: NDArray[np.bool_] = self.may[place] & known[:, None]
        return allowed

    def rows_of(
        self, items: Integers, types: Integers, random: np.random.Generator
    ) -> NDArray[np.int64]:
        """Draw for each event, ``(n,)``, a real one to carry: of its item and type.

        Where the item has no such event, one of its type alone.
        """
        wanted = items.astype(np.int64) * self.n_types + types
        low = np.searchsorted(self.keys, wanted)
        high = np.searchsorted(self.keys, wanted, side="right")
        drawn = self.of_type.draw(types, random)
        own = high > low
        place = low + (random.random(items.size) * (high - low)).astype(np.int64)
        drawn[own] = self.rows[place[own]]
        return drawn


def bits_of(types: Integers) -> NDArray[np.int64]:
    """Return each type's bit in a past."""
    return np.left_shift(np.int64(1), np.minimum(types, _MOST_BITS - 1).astype(np.int64))


def _numbers(form: EventForm) -> NDArray[np.int64]:
    if "event_type" not in form.carried.columns:
        return np.zeros(form.carried_item.size, dtype=np.int64)
    words = form.carried["event_type"].cast(pl.String)
    counts = (
        pl.DataFrame({"word": words})
        .group_by("word")
        .len()
        .sort(["len", "word"], descending=[True, False], nulls_last=True)
        .with_row_index("number")
    )
    numbered = pl.DataFrame({"word": words}).join(
        counts, on="word", how="left", nulls_equal=True, maintain_order="left"
    )
    return numbered["number"].to_numpy().astype(np.int64)


def pasts_of(histories: Histories, done: NDArray[np.int64], n_items: int) -> NDArray[np.int64]:
    """Collect for each event the types that its user did with its item before, as bits."""
    key = histories.user * n_items + histories.item
    order = np.argsort(key, kind="stable")
    first = np.diff(key[order], prepend=-1) != 0
    since = np.flatnonzero(first)[np.cumsum(first) - 1]
    past = np.zeros(key.size, dtype=np.int64)
    for bit in np.unique(bits_of(done)):
        # Counted up to the event before, less what was counted before the pair's first event.
        has = bits_of(done[order]) == bit
        before = np.cumsum(has) - has
        past[order] |= np.where(before > before[since], bit, 0)
    return past
