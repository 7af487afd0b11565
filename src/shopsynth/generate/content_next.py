"""content_next: real histories that go on with the cold item that the catalogue says suits them.

In: a private view's events and catalogue. Out: events of new users: the newest events of a real
history before some moment, and then a cold or tail item.

Teaches a network what content-KNN knows of new items, so that one model ranks old and new ones
without a second one beside it. Not for catalogues without text or attributes.
"""

from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field
from scipy import sparse

from shopsynth.generate._affinity import draw_next
from shopsynth.generate._content import content_vectors
from shopsynth.generate._continuations import LAST, Moments, continued
from shopsynth.generate._draws import DrawTable
from shopsynth.generate._edits import draw_in_rounds, joined, take_users
from shopsynth.generate._episodes import Episodes
from shopsynth.generate._histories import EventForm, Histories, read_histories, write_synthetic
from shopsynth.generate._neighbours import nearest_rows
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

_UNFOLLOWED = 1e-3
"""Weight of an event that nobody came back after, where one to be continued is drawn."""


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

    pairs: float = Field(default=0.5, ge=0, le=1)
    """Share of histories of two events: a new item after one of those nearest to it, every new item
    as often."""

    neighbours: int = Field(default=3, ge=1)
    """Of these nearest ones."""


@dataclass(frozen=True)
class _Model:
    """What fit learned.

    ``vectors`` has one row an item; ``tail`` are the items that come next; ``first_end`` tells
    where the continued moments of each user with any begin; ``events_of`` has one row an item and
    its real events as choices.
    """

    form: EventForm
    histories: Histories
    moments: Moments
    vectors: sparse.csr_matrix
    tail: NDArray[np.int64]
    first_end: NDArray[np.int64]
    events_of: DrawTable
    episodes: Episodes


@register("content_next")
class ContentNext:
    """The knowledge of content-KNN about new items, as rows.

    Half of the histories are pairs: a new item after one of the items nearest to it by content.
    For the others users take turns. Of each a moment is drawn that another one followed, and of
    the events up to it the newest few. Then comes a new item, drawn by the cosine of its content
    and the history's, newer moments weighing more. It takes the place of the user's next moment.

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
        moments = Moments.of(histories)
        self._model = _Model(
            form=form,
            histories=histories,
            moments=moments,
            vectors=vectors,
            tail=np.flatnonzero(form.item_counts() <= self.options.tail_max_events),
            first_end=np.flatnonzero(np.diff(histories.user[moments.ends], prepend=-1)),
            events_of=DrawTable.of(
                histories.item,
                np.arange(histories.item.size),
                np.where(moments.following == LAST, _UNFOLLOWED, 1.0),
                form.n_items,
            ),
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
        sold = np.flatnonzero(model.form.item_counts())
        kin = nearest_rows(model.vectors, told, sold, k=self.options.neighbours, progress=progress)
        size = max(1, _BLOCK_SCORES // told.size)
        progress.start(f"{_METHOD}: histories", n)
        blocks = []
        for first in range(0, n, size):
            blocks.append(self._block(min(size, n - first), told, kin, model, random))
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
        self,
        n: int,
        targets: NDArray[np.int64],
        kin: DrawTable,
        model: _Model,
        random: np.random.Generator,
    ) -> Histories:
        """Cut ``n`` histories and let each go on with a target."""
        with_kin = np.flatnonzero(kin.sizes())
        n_pairs = round(self.options.pairs * n) if with_kin.size else 0
        place = np.zeros(0, dtype=np.int64)
        if n_pairs:
            place = with_kin[draw_in_rounds(with_kin.size, n_pairs, random)]
        near = kin.draw(place, random.random(n_pairs))
        event = model.events_of.draw(near, random.random(n_pairs)).astype(np.int64)
        starts, ends, chosen = self._by_history(n - n_pairs, targets, model, random)
        ends = np.concatenate((event, ends))
        made = continued(
            model.histories,
            np.concatenate((event, starts)),
            ends,
            targets[np.concatenate((place, chosen))],
            model.moments.following[ends],
            model.episodes,
            random,
        )
        return take_users(made, random.permutation(n))

    def _by_history(
        self, n: int, targets: NDArray[np.int64], model: _Model, random: np.random.Generator
    ) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
        """Cut histories and choose a target for each; first events, last ones, places."""
        if n == 0:
            none = np.zeros(0, dtype=np.int64)
            return none, none, none
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
        return starts, ends, chosen

    def _cuts(
        self, n: int, model: _Model, random: np.random.Generator
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Draw the last event of a history's piece and its first one, ``(n,)`` each."""
        all_ends = model.moments.ends
        sizes = np.diff(np.append(model.first_end, all_ends.size))
        user = draw_in_rounds(sizes.size, n, random)
        ends = all_ends[model.first_end[user] + (random.random(n) * sizes[user]).astype(np.int64)]
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
        moment = model.moments.number
        back = np.repeat(moment[ends], sizes) - moment[event]
        profile = sparse.csr_matrix(
            (self.options.decay**back, (row, model.histories.item[event])),
            shape=(sizes.size, model.form.n_items),
        )
        scores = (profile @ model.vectors @ model.vectors[targets].T).tocsr()
        return draw_next(scores, self.options.sharpness, random)
