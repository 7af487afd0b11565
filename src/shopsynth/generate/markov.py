"""markov: whole histories from a variable-order Markov chain with back-off.

In: a private view's events. Out: events of new users with items, sessions and times.

Learns which items start a history, what follows what, how long histories are, how often a user
comes back to an item, and the rhythm of sessions. Not for cold items: it knows only what was
bought. It gives no differential privacy; contexts of two items that fewer than ``min_users`` users
share are not replayed.
"""

from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from shopsynth.generate._chain import Chain
from shopsynth.generate._draws import Integers, empirical_draws
from shopsynth.generate._edits import joined, take_users
from shopsynth.generate._histories import EventForm, Histories, read_histories, write_synthetic
from shopsynth.generate._neighbours import bought_together
from shopsynth.generate._repeats import Repeats
from shopsynth.generate._timing import Timing
from shopsynth.generate.base import (
    WITHOUT_GUARANTEE,
    Conditions,
    check_request,
    check_view,
    fitted,
    register,
)
from shopsynth.privacy import PrivateView
from shopsynth.schema import SILENT, Progress, Settings, SyntheticDataset

_METHOD = "markov"
_BLOCK_USERS = 65_536
"""Histories grown at a time: bounds memory, and is large enough for evenly spread draws."""

_TRIES = 6
"""Draws from the chain, then as many by popularity, before an unseen item is searched for."""


class MarkovOptions(Settings):
    """Options of ``markov``."""

    order: int = Field(default=2, ge=1, le=4)
    """Longest context, in items."""

    back_off: float = Field(default=0.2, ge=0)
    """How readily a shorter context is used: 1 is Witten-Bell smoothing, 0 only replays."""

    min_users: int = Field(default=3, ge=1)
    """Contexts of two and more items need at least so many users. On 4,000 Amazon Beauty users 3
    copied half as many whole histories as 2 (.23 % against .44 %), at the same utility."""

    neighbours: int = Field(default=20, ge=1)
    """Similar items that may follow where the chain backs off."""


@dataclass(frozen=True)
class _Model:
    form: EventForm
    lengths: NDArray[np.int64]
    chain: Chain
    repeats: Repeats
    timing: Timing


@register("markov")
class Markov:
    """Variable-order Markov synthesizer.

    Source:
        Back-off after Witten and Bell (1991); the idea of variable orders for private sequences
        after PrivTrace (arXiv 2210.00581), here without its noise.
    """

    Options: ClassVar[type[Settings]] = MarkovOptions
    modes: ClassVar[frozenset[str]] = WITHOUT_GUARANTEE
    table: ClassVar[str] = "events"

    def __init__(self, options: MarkovOptions) -> None:
        self.options = options
        self._model: _Model | None = None

    def fit(self, view: PrivateView, *, seed: int, progress: Progress = SILENT) -> Self:
        """Count transitions, lengths, repeats and times; nothing in it is random.

        Raises:
            PrivacyError: If ``view`` is not a view of a mode without guarantee.
            EmptyDataError: If no catalogue item was ever bought.
        """
        check_view(view, _METHOD, self.modes)
        form, histories = read_histories(view, _METHOD)
        repeats = Repeats.fit(histories, form.n_items)
        neighbours = bought_together(
            histories, form.n_items, k=self.options.neighbours, progress=progress
        )
        chain = Chain.fit(
            histories,
            neighbours.with_empty_row(),
            ~repeats.is_repeat,
            n_items=form.n_items,
            order=self.options.order,
            back_off=self.options.back_off,
            min_users=self.options.min_users,
        )
        self._model = _Model(form, histories.lengths, chain, repeats, Timing.fit(histories))
        return self

    def sample(
        self,
        n: int,
        *,
        conditions: Conditions | None = None,
        seed: int,
        progress: Progress = SILENT,
    ) -> SyntheticDataset:
        """Grow ``n`` histories, all of a block at once, item by item.

        Raises:
            InputError: If ``fit`` has not run, ``n`` is not positive, or conditions are given.
        """
        check_request(n, conditions, _METHOD)
        model = fitted(self._model, _METHOD)
        random = np.random.Generator(np.random.PCG64(seed))
        lengths = random.permutation(empirical_draws(model.lengths, n, random))
        progress.start("markov: histories", n)
        blocks = []
        for start in range(0, n, _BLOCK_USERS):
            block = self._grow(lengths[start : start + _BLOCK_USERS], model, random)
            blocks.append(block)
            progress.advance(block.n_users)
        return write_synthetic(
            joined(blocks), model.form, method=_METHOD, options=self.options, seed=seed
        )

    def _grow(self, lengths: Integers, model: _Model, random: np.random.Generator) -> Histories:
        """Sample one block. Longest histories first, so that those still growing are a prefix."""
        longest_first = np.argsort(-lengths, kind="stable")
        offsets = np.concatenate(([0], np.cumsum(lengths[longest_first])))
        items = np.zeros(offsets[-1], dtype=np.int32)
        for length in range(int(lengths.max())):
            places = offsets[: np.count_nonzero(lengths > length)] + length
            items[places] = self._next_items(items, places, length, model, random)
        histories = Histories(
            item=items,
            time=np.zeros(items.size, dtype=np.int64),
            opens=np.zeros(items.size, dtype=np.bool_),
            row=model.form.rows_of(items, random),
            offsets=offsets,
        )
        timed = "timestamp" in model.form.columns
        histories = model.timing.sample(histories, random, timed=timed)
        return take_users(histories, np.argsort(longest_first))

    def _next_items(
        self,
        items: NDArray[np.int32],
        places: NDArray[np.int64],
        length: int,
        model: _Model,
        random: np.random.Generator,
    ) -> NDArray[np.int32]:
        start = np.full(places.size, model.form.n_items)
        recent: list[Integers] = [
            items[places - back] if back <= length else start
            for back in range(1, self.options.order + 1)
        ]
        drawn = model.chain.draw(recent, random)
        if length == 0:
            return drawn
        seen = items[places[:, None] - np.arange(1, length + 1)]
        again, lag = model.repeats.draw(places.size, length, random)
        drawn[again] = seen[again, lag - 1]
        open_ = np.flatnonzero(~again)
        for attempt in range(2 * _TRIES):
            open_ = open_[(seen[open_] == drawn[open_, None]).any(axis=1)]
            if attempt < _TRIES:
                drawn[open_] = model.chain.draw([items_[open_] for items_ in recent], random)
            else:
                drawn[open_] = model.chain.draw_popular(open_.size, random)
        for place in open_[(seen[open_] == drawn[open_, None]).any(axis=1)]:
            unseen = np.setdiff1d(model.chain.popularity.choices, seen[place])
            # Who has everything can only buy again.
            drawn[place] = random.choice(unseen) if unseen.size else drawn[place]
        return drawn
