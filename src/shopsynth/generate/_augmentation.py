"""The way of all augmenters that edit real histories: take, edit, keep the most confident, write.

In: what an augmenter learned, and its edit. Out: a :class:`SyntheticDataset`, made block by block.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from shopsynth.generate._draws import DrawTable
from shopsynth.generate._edits import draw_in_rounds, joined, take_users
from shopsynth.generate._histories import EventForm, Histories, write_synthetic
from shopsynth.generate._likelihood import Likelihood, most_confident
from shopsynth.generate._neighbours import bought_together
from shopsynth.schema import Progress, Settings, SyntheticDataset

BLOCK_USERS = 32_768
"""Histories made at a time: bounds memory; a block of a hundred events each is some 200 MB."""

NEIGHBOURS = 50
"""Of each item, by which a step is told to be likely; as many as the teacher's."""

Edit = Callable[[Histories, np.random.Generator], Histories]
"""Changes copies of real histories; users keep their places."""


@dataclass(frozen=True)
class Sources:
    """What an augmenter works on.

    Attributes:
        form: What real events look like.
        histories: All real histories.
        users: ``(n_sources,)`` users whose histories are taken.
        likelihood: Scores what is made, or ``None`` where nothing is made up.
    """

    form: EventForm
    histories: Histories
    users: NDArray[np.int64]
    likelihood: Likelihood | None


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


def augment(
    n: int,
    sources: Sources,
    edit: Edit,
    *,
    confidence: float = 1.0,
    method: str,
    options: Settings,
    seed: int,
    progress: Progress,
) -> SyntheticDataset:
    """Make ``n`` histories, each an edited copy of a real one.

    Every source is taken once before any is taken again. Of each block more are made than are
    wanted, and those that go worst with what people did are dropped, as many of the short as of
    the long ones.

    Args:
        n: Wanted users.
        sources: What to work on.
        edit: What to do with it.
        confidence: Share of the made histories that is kept.
        method: The method's name.
        options: Its options.
        seed: Of all that is random.
        progress: Listener.
    """
    random = np.random.Generator(np.random.PCG64(seed))
    wanted = [min(BLOCK_USERS, n - first) for first in range(0, n, BLOCK_USERS)]
    tried = [int(np.ceil(size / confidence)) for size in wanted]
    order = sources.users[draw_in_rounds(sources.users.size, sum(tried), random)]
    progress.start(f"{method}: histories", n)
    blocks = []
    for size, users in zip(wanted, np.split(order, np.cumsum(tried)[:-1]), strict=True):
        taken = take_users(sources.histories, users)
        made = edit(taken, random)
        if sources.likelihood is not None and users.size > size:
            scores = sources.likelihood.of_new_steps(made, taken)
            made = take_users(made, most_confident(scores, made.lengths, size))
        blocks.append(made)
        progress.advance(size)
    return write_synthetic(joined(blocks), sources.form, method=method, options=options, seed=seed)
