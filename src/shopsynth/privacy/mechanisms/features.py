"""Features: what may be counted of a user's history, over domains that are fixed beforehand.

In: protected events and public facts (a grouping of the catalogue, bins, words). Out: for every
thing that a user did, the user's number and a cell of the domain.

The set is closed, and a feature holds data, never functions. A domain must not come from people's
rows: a category that only one user has would show by its mere presence. So every feature knows its
cells before it reads, and what it meets outside of them falls into the cell ``other``.
"""

from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

import numpy as np
import polars as pl

from shopsynth.privacy.mechanisms.walks import (
    Integers,
    PublicGroups,
    Walk,
    binned,
    places_in,
    seen_before,
)
from shopsynth.schema import Dataset

Pairs = tuple[Integers, Integers]
"""User numbers and cells, both ``(n,)``."""

FEATURES: set[type[Any]] = set()
"""All classes that a histogram may count; identity counts, a subclass is not one of them."""

Registered = TypeVar("Registered", bound=type[Any])


def feature(cls: Registered) -> Registered:
    """Add a feature of this room."""
    FEATURES.add(cls)
    return cls


class Feature(Protocol):
    """What is counted of a user."""

    @property
    def name(self) -> str:
        """What it counts, for the receipt."""

    @property
    def n_cells(self) -> int:
        """Size of the public domain."""

    def pairs(self, rows: Dataset) -> Pairs:
        """Read the events, user by user in time order."""


@feature
@dataclass(frozen=True)
class HistoryLength:
    """How many events a user has: one cell a user.

    Attributes:
        bounds: First length of each bin, rising, from 1.
    """

    bounds: tuple[int, ...]
    name: str = "history length"

    @property
    def n_cells(self) -> int:
        """One a bin."""
        return len(self.bounds)

    def pairs(self, rows: Dataset) -> Pairs:
        """Give each user's bin."""
        walk = Walk.of(rows)
        return np.arange(walk.lengths.size), binned(walk.lengths, self.bounds)


@feature
@dataclass(frozen=True)
class FirstGroup:
    """The group of a user's first item: one cell a user."""

    groups: PublicGroups
    name: str = "group at the start"

    @property
    def n_cells(self) -> int:
        """One a group."""
        return self.groups.n_groups

    def pairs(self, rows: Dataset) -> Pairs:
        """Give each user's first group."""
        walk = Walk.of(rows)
        return np.arange(walk.lengths.size), walk.group(self.groups)[walk.first]


@feature
@dataclass(frozen=True)
class GroupBigram:
    """Each step from one event's group to the next one's: ``before * n_groups + after``."""

    groups: PublicGroups
    name: str = "group bigram"

    @property
    def n_cells(self) -> int:
        """Groups squared."""
        return self.groups.n_groups**2

    def pairs(self, rows: Dataset) -> Pairs:
        """Give each event but a user's first."""
        walk = Walk.of(rows)
        group, later = walk.group(self.groups), np.flatnonzero(~walk.first)
        return walk.user[later], group[later - 1] * self.groups.n_groups + group[later]


@feature
@dataclass(frozen=True)
class Item:
    """Which items a user has events of; the last cell is ``other``: not in the catalogue."""

    groups: PublicGroups
    name: str = "item"

    @property
    def n_cells(self) -> int:
        """Items and ``other``."""
        return self.groups.n_items + 1

    def pairs(self, rows: Dataset) -> Pairs:
        """Give each event."""
        walk = Walk.of(rows)
        return walk.user, walk.item(self.groups)


@feature
@dataclass(frozen=True)
class Rebuy:
    """Who comes back to a group: to an item they had (cell odd) or to a new one (even).

    Attributes:
        groups: The catalogue.
        bounds: Bins of the number of events before, rising, from 1; two cells each.
    """

    groups: PublicGroups
    bounds: tuple[int, ...]
    name: str = "coming back to an item"

    @property
    def n_cells(self) -> int:
        """Two a bin."""
        return 2 * len(self.bounds)

    def pairs(self, rows: Dataset) -> Pairs:
        """Give each event whose group the user had before."""
        walk = Walk.of(rows)
        known = seen_before(walk.user, walk.group(self.groups))
        again = seen_before(walk.user, walk.item(self.groups))
        cell = 2 * binned(walk.index, self.bounds) + again
        return walk.user[known], cell[known]


@feature
@dataclass(frozen=True)
class WordBigram:
    """Each step between a column's words, ``before * n_words + after``.

    ``n_words`` counts the public words and ``other``; one more row, the last, is before the start.

    Attributes:
        column: A column of events with a closed vocabulary, such as ``event_type``.
        words: The public words.
    """

    column: str
    words: tuple[str, ...]

    @property
    def name(self) -> str:
        """Names the column."""
        return f"{self.column} bigram"

    @property
    def n_cells(self) -> int:
        """Words and ``other``, after these and the start."""
        return (len(self.words) + 1) * (len(self.words) + 2)

    def pairs(self, rows: Dataset) -> Pairs:
        """Give each event."""
        walk = Walk.of(rows, self.column)
        word = places_in(pl.Series(self.words, dtype=pl.String), walk.frame[self.column])
        start = len(self.words) + 1
        before = np.where(walk.first, start, np.concatenate(([start], word[:-1])))
        return walk.user, before * start + word


@feature
@dataclass(frozen=True)
class Amount:
    """A number of each event, in public bins; the last cell holds what is below them or missing.

    Attributes:
        column: A numeric column of events, such as ``quantity``.
        bounds: First amount of each bin, rising.
    """

    column: str
    bounds: tuple[float, ...]

    @property
    def name(self) -> str:
        """Names the column."""
        return self.column

    @property
    def n_cells(self) -> int:
        """Bins and ``other``."""
        return len(self.bounds) + 1

    def pairs(self, rows: Dataset) -> Pairs:
        """Give each event."""
        walk = Walk.of(rows, self.column)
        amount = walk.frame[self.column].fill_nan(None).fill_null(-np.inf).to_numpy()
        cell = binned(amount, self.bounds)
        return walk.user, np.where(cell < 0, len(self.bounds), cell)
