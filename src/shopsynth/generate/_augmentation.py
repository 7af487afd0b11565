"""The body of all augmenters: read a view, learn, take, edit, keep the most confident, write.

In: a function that learns from real histories. Out: a registered method, whose samples are
:class:`SyntheticDataset`. An augmenter's own file holds its options, what it learns, its edit and
its paper.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import update_wrapper
from typing import ClassVar, Protocol, Self, TypeVar

import numpy as np
from numpy.typing import NDArray

from shopsynth.generate._draws import DrawTable
from shopsynth.generate._edits import draw_in_rounds, joined, take_users
from shopsynth.generate._histories import EventForm, Histories, read_histories, write_synthetic
from shopsynth.generate._likelihood import Likelihood, most_confident
from shopsynth.generate._neighbours import bought_together
from shopsynth.generate.base import (
    WITHOUT_GUARANTEE,
    Conditions,
    Synthesizer,
    check_request,
    check_view,
    fitted,
    register,
)
from shopsynth.privacy import PrivateView
from shopsynth.schema import SILENT, Progress, Settings, SyntheticDataset

BLOCK_USERS = 32_768
"""Histories made at a time: bounds memory; a block of a hundred events each is some 200 MB."""

NEIGHBOURS = 50
"""Of each item, by which a step is told to be likely; as many as the teacher's."""

Edit = Callable[[Histories, np.random.Generator], Histories]
"""Changes copies of real histories; users keep their places."""

Chosen = TypeVar("Chosen", bound=Settings)


class Sampler(Protocol):
    """What an augmenter learned."""

    def sample(self, n: int, random: np.random.Generator, progress: Progress) -> Histories:
        """Make the histories of ``n`` users, and tell ``progress`` of as many."""


Learn = Callable[[EventForm, Histories, Chosen, Progress], Sampler]
"""Learns from real histories, with the options; nothing in it is random."""


def augmenter(name: str, options: type[Chosen]) -> Callable[[Learn[Chosen]], type[Synthesizer]]:
    """Make a registered method of a function that learns.

    The class takes the function's name and docstring. It meets no conditions and runs in the modes
    without guarantee: histories that are edits of real ones have no differential privacy.

    Args:
        name: The method's name, that of its file.
        options: Settings of the recipe's ``options`` table.
    """

    def wrap(learn: Learn[Chosen]) -> type[Synthesizer]:
        class Augmenter:
            Options: ClassVar[type[Settings]] = options
            modes: ClassVar[frozenset[str]] = WITHOUT_GUARANTEE
            table: ClassVar[str] = "events"

            def __init__(self, options: Chosen) -> None:
                self.options = options
                self._model: tuple[EventForm, Sampler] | None = None

            def fit(self, view: PrivateView, *, seed: int, progress: Progress = SILENT) -> Self:
                """Learn; nothing in it is random.

                Raises:
                    PrivacyError: If ``view`` is not a view of a mode without guarantee.
                    EmptyDataError: If no catalogue item was ever bought.
                """
                check_view(view, name, self.modes)
                progress.start(f"{name}: real histories", 1)
                form, histories = read_histories(view, name)
                progress.advance()
                self._model = form, learn(form, histories, self.options, progress)
                return self

            def sample(
                self,
                n: int,
                *,
                conditions: Conditions | None = None,
                seed: int,
                progress: Progress = SILENT,
            ) -> SyntheticDataset:
                """Make ``n`` histories; beyond the real number, real ones are edited again anew.

                Raises:
                    InputError: If ``fit`` has not run, ``n`` is not positive, or conditions are
                        given.
                """
                check_request(n, conditions, name)
                form, sampler = fitted(self._model, name)
                random = np.random.Generator(np.random.PCG64(seed))
                progress.start(f"{name}: histories", n)
                made = sampler.sample(n, random, progress)
                return write_synthetic(made, form, method=name, options=self.options, seed=seed)

        # Told, hashed and pickled as what the author wrote.
        told = ("__module__", "__name__", "__qualname__", "__doc__")
        update_wrapper(Augmenter, learn, assigned=told, updated=())
        return register(name)(Augmenter)

    return wrap


@dataclass(frozen=True)
class Edited:
    """Edited copies of real histories, the most confident of them.

    Every source is taken once before any is taken again. Of each block more are made than are
    wanted, and those that go worst with what people did are dropped, as many of the short as of
    the long ones.

    Attributes:
        histories: All real histories.
        users: ``(n_sources,)`` users whose histories are taken.
        edit: What to do with them.
        likelihood: Scores what is made, or ``None`` where nothing is made up.
        confidence: Share of the made histories that is kept.
    """

    histories: Histories
    users: NDArray[np.int64]
    edit: Edit
    likelihood: Likelihood | None = None
    confidence: float = 1.0

    def sample(self, n: int, random: np.random.Generator, progress: Progress) -> Histories:
        """Make ``n`` histories, block by block."""
        wanted = [min(BLOCK_USERS, n - first) for first in range(0, n, BLOCK_USERS)]
        tried = [int(np.ceil(size / self.confidence)) for size in wanted]
        order = self.users[draw_in_rounds(self.users.size, sum(tried), random)]
        blocks = []
        for size, users in zip(wanted, np.split(order, np.cumsum(tried)[:-1]), strict=True):
            taken = take_users(self.histories, users)
            made = self.edit(taken, random)
            if self.likelihood is not None and users.size > size:
                scores = self.likelihood.of_new_steps(made, taken)
                made = take_users(made, most_confident(scores, made.lengths, size))
            blocks.append(made)
            progress.advance(size)
        return joined(blocks)


def users_or_all(wanted: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Return the users that an edit can change, or all where there are none."""
    users = np.flatnonzero(wanted)
    return users if users.size else np.arange(wanted.size)


def fit_likelihood(
    form: EventForm, histories: Histories, progress: Progress
) -> tuple[DrawTable, Likelihood]:
    """Find what goes with what by who bought it, and count steps; nothing in it is random."""
    neighbours = bought_together(histories, form.n_items, k=NEIGHBOURS, progress=progress)
    return neighbours, Likelihood.fit(histories, neighbours, form.n_items)


def n_distinct_items(histories: Histories) -> NDArray[np.int64]:
    """Count each user's different items, ``(n_users,)``."""
    width = int(histories.item.max()) + 1
    pairs = np.unique(histories.user * width + histories.item)
    return np.bincount(pairs // width, minlength=histories.n_users)
