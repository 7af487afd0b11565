"""content_next: real histories that go on with the cold item that the catalogue says suits them.

In: a private view's events and catalogue. Out: events of new users: the newest events of a real
history before some moment, and then a cold or tail item.

Teaches a network what content-KNN knows of new items, so that one model ranks old and new ones
without a second one beside it. Not for catalogues without text or attributes.
"""

from dataclasses import dataclass, replace
from typing import ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field
from scipy import sparse

from shopsynth.generate._affinity import draw_next
from shopsynth.generate._content import content_vectors
from shopsynth.generate._edits import draw_in_rounds, joined, keep_events, take_users
from shopsynth.generate._episodes import Episodes, begun_anew
from shopsynth.generate._histories import EventForm, Histories, read_histories, write_synthetic
from shopsynth.generate.base import (
    WITHOUT_GUARANTEE,
    Conditions,
    check_request,
    check_view,
    fitted,
    register,
)
from shopsynth.privacy import PrivateView
from shopsynth.schema import (
    SILENT,
    EmptyDataError,
    InputError,
    Progress,
    Settings,
    SyntheticDataset,
)

_METHOD = "content_next"
_BLOCK_SCORES = 1 << 24
"""Of histories with new items, held at a time: a few hundred MB."""

_TRIES = 8
"""Histories that are tried for one that has anything in common with a new item."""


class ContentNextOptions(Settings):
    """Options of ``content_next``."""

    tail_max_events: int = Field(default=0, ge=0)
    """Items with at most this many training events come next; 0: only those never bought."""

    window: int = Field(default=10, ge=1)
    """Newest events that are kept of a history, at most: each number up to it is as likely, so that
    short histories teach what goes with an item, and long ones what goes with a person."""

    sharpness: float = Field(default=8.0, gt=0)
    """Power to which the likeness of a history and an item is raised before one is drawn by it."""

    decay: float = Field(default=0.6, gt=0, le=1)
    """Weight of a history's moment relative to the next newer one, as in ``content_knn``."""


@dataclass(frozen=True)
class _Model:
    """What fit learned.

    ``vectors`` has one row an item; ``tail`` are the items that come next; ``ends`` the last events
    of the moments that others follow, ``first_end`` where those of each user with any begin.
    """

    form: EventForm
    histories: Histories
    moment: NDArray[np.int64]
    vectors: sparse.csr_matrix
    tail: NDArray[np.int64]
    ends: NDArray[np.int64]
    first_end: NDArray[np.int64]
    episodes: Episodes


@register("content_next")
class ContentNext:
    """The knowledge of content-KNN about new items, as rows.

    Users take turns. Of each a moment is drawn that another one followed, and of the events up to
    it the newest few. Then comes, in the place of the next moment, a new item, drawn by the cosine
    of its content and the history's, newer moments weighing more.

    Source:
        A student learns from a teacher's answers: Hinton, Vinyals and Dean, Distilling the
        Knowledge in a Neural Network, arXiv 1503.02531; here through rows, so that any model can
        be the student.
    """

    Options: ClassVar[type[Settings]] = ContentNextOptions
    modes: ClassVar[frozenset[str]] = WITHOUT_GUARANTEE
    table: ClassVar[str] = "events"
    meets: ClassVar[frozenset[str]] = frozenset({"item_ids"})

    def __init__(self, options: ContentNextOptions) -> None:
        self.options = options
        self._model: _Model | None = None

    def fit(self, view: PrivateView, *, seed: int, progress: Progress = SILENT) -> Self:
        """Describe the catalogue and find where histories can be cut; nothing in it is random.

        Raises:
            PrivacyError: If ``view`` is not a view of a mode without guarantee.
            EmptyDataError: If no catalogue item was ever bought.
            InputError: If the catalogue has neither text nor attributes.
        """
        check_view(view, _METHOD, self.modes)
        form, histories = read_histories(view, _METHOD)
        vectors = content_vectors(form.items, form.item_ids, _METHOD)
        opens = np.diff(histories.time, prepend=-1) != 0
        opens[histories.offsets[:-1]] = True
        closes = np.append(opens[1:], True)
        followed = closes.copy()
        followed[histories.offsets[1:] - 1] = False
        # Where nobody came twice, histories are whole and the item comes in the same moment.
        ends = np.flatnonzero(followed if followed.any() else closes)
        self._model = _Model(
            form=form,
            histories=histories,
            moment=np.cumsum(opens),
            vectors=vectors,
            tail=np.flatnonzero(form.item_counts() <= self.options.tail_max_events),
            ends=ends,
            first_end=np.flatnonzero(np.diff(histories.user[ends], prepend=-1)),
            episodes=Episodes.fit(histories, form.n_items),
        )
        return self

    def sample(
        self,
        n: int,
        *,
        conditions: Conditions | None = None,
        seed: int,
        progress: Progress = SILENT,
    ) -> SyntheticDataset:
        """Let ``n`` histories go on with a cold or tail item.

        With ``conditions.item_ids`` it is one of these, whatever their sales.

        Raises:
            InputError: If ``fit`` has not run, ``n`` is not positive, or the conditions name users
                items outside the catalogue, or items of which it says nothing.
            EmptyDataError: If the catalogue says nothing of any cold or tail item.
        """
        check_request(n, conditions, _METHOD, meets=self.meets)
        model = fitted(self._model, _METHOD)
        told = self._told(model, conditions.item_ids if conditions is not None else ())
        random = np.random.Generator(np.random.PCG64(seed))
        size = max(1, _BLOCK_SCORES // told.size)
        progress.start(f"{_METHOD}: histories", n)
        blocks = []
        for first in range(0, n, size):
            blocks.append(self._block(min(size, n - first), told, model, random))
            progress.advance(blocks[-1].n_users)
        return write_synthetic(
            joined(blocks), model.form, method=_METHOD, options=self.options, seed=seed
        )

    def _told(self, model: _Model, wanted: tuple[str, ...]) -> NDArray[np.int64]:
        """Return the wanted items, or else the tail without those that the catalogue is silent on.

        Raises:
            InputError: If it is silent on wanted ones.
            EmptyDataError: If it is silent on the whole tail.
        """
        targets = model.form.indices_of(wanted, _METHOD) if wanted else model.tail
        told: NDArray[np.int64] = targets[np.diff(model.vectors.indptr)[targets] > 0]
        if wanted and told.size < targets.size:
            raise InputError(
                f"generate.{_METHOD}: expected conditions.item_ids of which the catalogue says "
                f"something, got {targets.size - told.size} of {targets.size} of which it says "
                "nothing; give them a title, a category or attributes, or leave them out"
            )
        if not told.size:
            raise EmptyDataError(
                f"generate.{_METHOD}: expected items with at most {self.options.tail_max_events} "
                f"events of which the catalogue says something, got none of {targets.size}; raise "
                "tail_max_events, give them text or attributes, or leave this method out"
            )
        return told

    def _block(
        self, n: int, targets: NDArray[np.int64], model: _Model, random: np.random.Generator
    ) -> Histories:
        """Cut ``n`` histories and let each go on with a target."""
        ends, starts = self._cuts(n, model, random)
        chosen = self._choice(starts, ends, targets, model, random)
        for _ in range(_TRIES):
            open_ = np.flatnonzero(chosen < 0)
            if not open_.size:
                break
            ends[open_], starts[open_] = self._cuts(open_.size, model, random)
            chosen[open_] = self._choice(starts[open_], ends[open_], targets, model, random)
        lost = chosen < 0
        chosen[lost] = random.integers(0, targets.size, int(lost.sum()))
        return _continued(starts, ends, targets[chosen], model, random)

    def _cuts(
        self, n: int, model: _Model, random: np.random.Generator
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Draw the last event of a history's piece and its first one, ``(n,)`` each."""
        sizes = np.diff(np.append(model.first_end, model.ends.size))
        user = draw_in_rounds(sizes.size, n, random)
        ends = model.ends[model.first_end[user] + (random.random(n) * sizes[user]).astype(np.int64)]
        before = model.histories.offsets[model.histories.user[ends]]
        kept = random.integers(1, self.options.window + 1, n)
        return ends, np.maximum(before, ends + 1 - kept)

    def _choice(
        self,
        starts: NDArray[np.int64],
        ends: NDArray[np.int64],
        targets: NDArray[np.int64],
        model: _Model,
        random: np.random.Generator,
    ) -> NDArray[np.int64]:
        """Draw a place among the targets for each piece, -1 where nothing is alike."""
        sizes = ends - starts + 1
        row = np.repeat(np.arange(sizes.size), sizes)
        event = np.arange(row.size) + np.repeat(starts - np.cumsum(sizes) + sizes, sizes)
        back = np.repeat(model.moment[ends], sizes) - model.moment[event]
        profile = sparse.csr_matrix(
            (self.options.decay**back, (row, model.histories.item[event])),
            shape=(sizes.size, model.form.n_items),
        )
        scores = (profile @ model.vectors @ model.vectors[targets].T).tocsr()
        return draw_next(scores, self.options.sharpness, random)


def _continued(
    starts: NDArray[np.int64],
    ends: NDArray[np.int64],
    targets: NDArray[np.int64],
    model: _Model,
    random: np.random.Generator,
) -> Histories:
    """Keep each piece and one event after it, which becomes its target's."""
    real = model.histories
    user = real.user[ends]
    taken = take_users(real, user)
    place = np.arange(taken.item.size)
    first = taken.offsets[:-1] + starts - real.offsets[user]
    last = first + ends - starts
    whole = last == taken.offsets[1:] - 1
    # A whole history has no event after it: its last one is doubled.
    doubled = np.sort(np.append(place, last[whole]))
    lengths = taken.lengths + whole
    offsets = np.concatenate(([0], np.cumsum(lengths)))
    shift = offsets[:-1] - taken.offsets[:-1]
    longer = Histories(
        item=taken.item[doubled].copy(),
        time=taken.time[doubled],
        opens=taken.opens[doubled].copy(),
        row=taken.row[doubled],
        offsets=offsets,
    )
    new = last + shift + 1
    within = np.arange(longer.item.size)
    kept = (within >= (first + shift)[longer.user]) & (within <= new[longer.user])
    # A target the user had anyway must not turn into a repeat.
    kept &= longer.item != targets[longer.user]
    kept[new] = True
    row = begun_anew(longer, kept)
    longer.item[new] = targets
    longer.opens[new] = ~whole
    row[new] = model.episodes.draw(np.arange(new.size), targets, random)
    return keep_events(replace(longer, row=row), kept)
