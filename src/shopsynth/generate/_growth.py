"""Growing histories, all of a block at once, item by item.

In: a model of lengths, steps, rows and times. Out: :class:`Histories` of new users.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from shopsynth.generate._draws import Integers, empirical_draws
from shopsynth.generate._edits import take_users
from shopsynth.generate._histories import EventForm, Histories, write_synthetic
from shopsynth.generate._timing import Timing
from shopsynth.schema import Progress, Settings, SyntheticDataset

_BLOCK_USERS = 65_536
"""Histories grown at a time: bounds memory, and is large enough for evenly spread draws."""


class Growth(Protocol):
    """One sample on its way, with what it has used up."""

    def next_items(
        self,
        items: NDArray[np.int32],
        places: NDArray[np.int64],
        length: int,
        random: np.random.Generator,
    ) -> NDArray[np.int32]:
        """Draw the next item of each history of a block, longest first.

        Args:
            items: ``(n_events,)`` item_index of all histories, as far as they are grown.
            places: ``(n,)`` where the next items will stand.
            length: Items that each of these histories has; 0 begins a new block.
            random: Source of randomness.

        Returns:
            ``(n,)`` item_index.
        """

    def finish(
        self,
        items: NDArray[np.int32],
        offsets: NDArray[np.int64],
        random: np.random.Generator,
    ) -> None:
        """Change, in place, what a grown block of histories must not show.

        Args:
            items: ``(n_events,)`` item_index.
            offsets: ``(n_users + 1,)`` borders of the histories.
            random: Source of randomness.
        """


class Steps(Protocol):
    """What follows in a history, and what else an event carries."""

    def begin(self, random: np.random.Generator) -> Growth:
        """Begin a sample."""

    def rows_of(
        self, items: NDArray[np.int32], offsets: NDArray[np.int64], random: np.random.Generator
    ) -> NDArray[np.int64]:
        """Draw the rows of ``EventForm.carried`` whose cells the events carry.

        Args:
            items: ``(n_events,)`` item_index of grown histories.
            offsets: ``(n_users + 1,)`` their borders, longest history first.
            random: Source of randomness.

        Returns:
            ``(n_events,)`` row numbers.
        """


@dataclass(frozen=True)
class Model:
    """What a chain synthesizer learned.

    Attributes:
        form: What events look like besides who, what and when.
        lengths: A sample of history lengths.
        steps: How histories go on.
        timing: Their rhythm.
    """

    form: EventForm
    lengths: NDArray[np.int64]
    steps: Steps
    timing: Timing


def grow(lengths: Integers, model: Model, growth: Growth, random: np.random.Generator) -> Histories:
    """Sample one block of histories of given lengths, ``(n_users,)``."""
    # Longest first, so that those still growing are a prefix.
    longest_first = np.argsort(-lengths, kind="stable")
    offsets = np.concatenate(([0], np.cumsum(lengths[longest_first])))
    items = np.zeros(offsets[-1], dtype=np.int32)
    for length in range(int(lengths.max())):
        places = offsets[: np.count_nonzero(lengths > length)] + length
        items[places] = growth.next_items(items, places, length, random)
    growth.finish(items, offsets, random)
    histories = Histories(
        item=items,
        time=np.zeros(items.size, dtype=np.int64),
        opens=np.zeros(items.size, dtype=np.bool_),
        row=model.steps.rows_of(items, offsets, random),
        offsets=offsets,
    )
    timed = "timestamp" in model.form.columns
    histories = model.timing.sample(histories, random, timed=timed)
    return take_users(histories, np.argsort(longest_first))


def stream_grown(
    n: int, model: Model, *, method: str, options: Settings, seed: int, progress: Progress
) -> Iterator[SyntheticDataset]:
    """Grow ``n`` histories a block of users at a time, and write each block's rows.

    Args:
        n: Users.
        model: What a fit learned.
        method: Name of the synthesizer, for the rows' provenance.
        options: Its options, likewise.
        seed: Source of all randomness.
        progress: Told of each block.
    """
    random = np.random.Generator(np.random.PCG64(seed))
    lengths = random.permutation(empirical_draws(model.lengths, n, random))
    growth = model.steps.begin(random)
    progress.start(f"{method}: histories", n)
    for first in range(0, n, _BLOCK_USERS):
        block = grow(lengths[first : first + _BLOCK_USERS], model, growth, random)
        yield write_synthetic(
            block,
            model.form,
            method=method,
            options=options,
            seed=seed,
            first_user=first,
        )
        progress.advance(block.n_users)
