"""pseudo_session: real histories in which one item gives way to a cold or tail item like it.

In: a private view's events and catalogue. Out: events of new users, each with one such item.

Teaches a model where items belong that nobody, or almost nobody, has bought yet, by what the
catalogue says about them. Items that are asked for come as often as past launches took off.
Not for catalogues without text or attributes.
"""

from dataclasses import dataclass, replace
from typing import ClassVar, Literal, Self

import numpy as np
import polars as pl
from numpy.typing import NDArray
from pydantic import Field
from scipy import sparse

from shopsynth.generate._content import content_vectors
from shopsynth.generate._draws import DrawTable, Integers
from shopsynth.generate._edits import draw_in_rounds, keep_events, take_users
from shopsynth.generate._episodes import Episodes
from shopsynth.generate._histories import EventForm, Histories, read_histories, write_synthetic
from shopsynth.generate._launches import LaunchRate
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

_METHOD = "pseudo_session"
_LONELY_WEIGHT = 1e-3
"""Of a history of one event: placed alone, an item says nothing about what it goes with."""


class PseudoSessionOptions(Settings):
    """Options of ``pseudo_session``."""

    tail_max_events: int = Field(default=5, ge=0)
    """Items with at most this many training events are placed; 0: only those never bought."""

    neighbours: int = Field(default=10, ge=1)
    """Warm items that such an item may stand in for."""

    min_similarity: float = Field(default=0.1, ge=0, lt=1)
    """Cosine of the texts that a warm item must exceed to be replaced."""

    shares: Literal["equal", "launch"] = "equal"
    """equal: every cold and tail item gets as many histories; launch: as many as people would take
    it if it took off like past launches. Items that are asked for always get the latter."""


@dataclass(frozen=True)
class _Model:
    """What fit learned.

    ``vectors`` has one row an item; ``warm`` are the items that may be replaced; ``tail`` those
    that replace them; ``events_of`` has one row an item and its real events as choices.
    """

    form: EventForm
    histories: Histories
    vectors: sparse.csr_matrix
    warm: NDArray[np.int64]
    tail: NDArray[np.int64]
    tail_neighbours: DrawTable
    events_of: DrawTable
    episodes: Episodes


@register("pseudo_session")
class PseudoSession:
    """Content-anchored pseudo-sessions.

    Every cold or tail item gets the same number of histories; items that are asked for by
    conditions get as many as a launch would bring them people. For each history, one of the warm
    items nearest to the item by content is drawn, then a real history with that one. Wherever that
    one was, the item moves in, with what somebody did with an item, in order; the rest stays.
    """

    Options: ClassVar[type[Settings]] = PseudoSessionOptions
    modes: ClassVar[frozenset[str]] = WITHOUT_GUARANTEE
    table: ClassVar[str] = "events"
    meets: ClassVar[frozenset[str]] = frozenset({"item_ids"})

    def __init__(self, options: PseudoSessionOptions) -> None:
        self.options = options
        self._model: _Model | None = None

    def fit(self, view: PrivateView, *, seed: int, progress: Progress = SILENT) -> Self:
        """Describe the catalogue and find the tail's warm neighbours; nothing in it is random.

        Raises:
            PrivacyError: If ``view`` is not a view of a mode without guarantee.
            EmptyDataError: If no catalogue item was ever bought.
            InputError: If the catalogue has neither text nor attributes.
        """
        check_view(view, _METHOD, self.modes)
        form, histories = read_histories(view, _METHOD)
        vectors = content_vectors(form.items, form.item_ids, _METHOD)
        counts = form.item_counts()
        warm = np.flatnonzero(counts > self.options.tail_max_events)
        if warm.size == 0:  # A small shop: everything is tail, so what was bought must do.
            warm = np.flatnonzero(counts)
        tail = np.flatnonzero(counts <= self.options.tail_max_events)
        # Every history that has the item gets the same chance, not every event.
        lengths = histories.lengths[histories.user]
        weight = np.where(lengths > 1, 1.0, _LONELY_WEIGHT) / lengths
        self._model = _Model(
            form=form,
            histories=histories,
            vectors=vectors,
            warm=warm,
            tail=tail,
            tail_neighbours=self._neighbours(vectors, tail, warm, progress),
            events_of=DrawTable.of(
                histories.item,
                np.arange(histories.item.size),
                weight,
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
        """Place cold and tail items in ``n`` histories.

        With ``conditions.item_ids`` these items are placed instead, whatever their sales, each in
        proportion to a draw of how many people its launch would bring. One that nothing resembles
        enough stands in for what is nearest.

        Raises:
            InputError: If ``fit`` has not run, ``n`` is not positive, or the conditions name users,
                items outside the catalogue, or items of which it says nothing.
            EmptyDataError: If no item to be placed resembles a warm one.
        """
        check_request(n, conditions, _METHOD, meets=self.meets)
        model = fitted(self._model, _METHOD)
        random = np.random.Generator(np.random.PCG64(seed))
        if conditions is not None and conditions.item_ids:
            targets = model.form.indices_of(conditions.item_ids, _METHOD)
            neighbours = self._neighbours_of_wanted(targets, model, progress)
            place = _launch_rate(targets, model, progress).share_out(n, random)
        else:
            targets, neighbours = model.tail, model.tail_neighbours
            place = self._shares_of_tail(n, model, random, progress)
        progress.start("pseudo_session: histories", 1)
        warm = neighbours.draw(place, random.random(n))
        histories = _placed(targets[place], warm, model, random)
        progress.advance()
        return write_synthetic(
            histories, model.form, method=_METHOD, options=self.options, seed=seed
        )

    def launch_rate(self, item_ids: tuple[str, ...], *, progress: Progress = SILENT) -> LaunchRate:
        """Tell how many people each item would get if it took off like past launches.

        Args:
            item_ids: Items of the catalogue; what is told is in the order of their ids.
            progress: Listener.

        Raises:
            InputError: If ``fit`` has not run or items are not in the catalogue.
        """
        model = fitted(self._model, _METHOD)
        return _launch_rate(model.form.indices_of(item_ids, _METHOD), model, progress)

    def placeable(self, item_ids: tuple[str, ...]) -> tuple[str, ...]:
        """Leave out items of which the catalogue says nothing that it says of a warm item.

        Raises:
            InputError: If ``fit`` has not run or items are not in the catalogue.
        """
        model = fitted(self._model, _METHOD)
        wanted = model.form.indices_of(item_ids, _METHOD)
        near = nearest_rows(model.vectors, wanted, model.warm, k=1)
        known: pl.Series = model.form.item_ids.gather(wanted[near.sizes() > 0])
        return tuple(known)

    def _shares_of_tail(
        self, n: int, model: _Model, random: np.random.Generator, progress: Progress
    ) -> NDArray[np.int64]:
        """Draw ``n`` places in the tail among items that resemble a warm one."""
        placeable = np.flatnonzero(model.tail_neighbours.sizes())
        if placeable.size == 0:
            raise EmptyDataError(
                f"generate.{_METHOD}: expected items with at most {self.options.tail_max_events} "
                f"events whose text resembles a warm item's, got none of {model.tail.size}; raise "
                "tail_max_events, lower min_similarity, or leave this method out"
            )
        if self.options.shares == "launch":
            rate = _launch_rate(model.tail[placeable], model, progress)
            return placeable[rate.share_out(n, random)]
        return placeable[draw_in_rounds(placeable.size, n, random)]

    def _neighbours_of_wanted(
        self, targets: NDArray[np.int64], model: _Model, progress: Progress
    ) -> DrawTable:
        """Find what each wanted item may stand in for: something, however little they share."""
        near = self._neighbours(model.vectors, targets, model.warm, progress)
        lonely = np.flatnonzero(near.sizes() == 0)
        if lonely.size == 0:
            return near
        k = self.options.neighbours
        far = nearest_rows(model.vectors, targets[lonely], model.warm, k=k, progress=progress)
        if (n_silent := int(np.count_nonzero(far.sizes() == 0))) > 0:
            raise InputError(
                f"generate.{_METHOD}: expected conditions.item_ids of which the catalogue says "
                f"something that it says of a warm item too, got {n_silent} of {targets.size} "
                "without; give them a title, a category or attributes, or leave them out"
            )
        rows = [np.arange(targets.size).repeat(near.sizes()), lonely.repeat(far.sizes())]
        return DrawTable.of(
            np.concatenate(rows),
            np.concatenate((near.choices, far.choices)),
            np.concatenate((np.diff(near.cumulative), np.diff(far.cumulative))),
            targets.size,
        )

    def _neighbours(
        self,
        vectors: sparse.csr_matrix,
        targets: NDArray[np.int64],
        warm: NDArray[np.int64],
        progress: Progress,
    ) -> DrawTable:
        return nearest_rows(
            vectors,
            targets,
            warm,
            k=self.options.neighbours,
            least=self.options.min_similarity,
            progress=progress,
        )


def _launch_rate(targets: NDArray[np.int64], model: _Model, progress: Progress) -> LaunchRate:
    return LaunchRate.fit(model.form, model.histories, model.vectors, targets, progress=progress)


def _placed(
    targets: NDArray[np.int64], warm: Integers, model: _Model, random: np.random.Generator
) -> Histories:
    """Copy one history a target and swap its warm item for the target."""
    events = model.events_of.draw(warm, random.random(warm.size))
    histories = take_users(model.histories, model.histories.user[events])
    user = histories.user
    swapped = histories.item == warm[user]
    # A target the user had anyway must not turn into a repeat.
    kept = swapped | (histories.item != targets[user])
    item, row = histories.item.copy(), histories.row.copy()
    item[swapped] = targets[user[swapped]]
    # What was never bought keeps what this person did with the item that it stands in for.
    sold = np.flatnonzero(swapped & (model.form.item_counts()[item] > 0))
    row[sold] = model.episodes.draw(user[sold], item[sold], random)
    return keep_events(replace(histories, item=item, row=row), kept)
