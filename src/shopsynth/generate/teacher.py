"""teacher: whole histories rolled out from the best untrained recommender, for a network to learn.

In: a private view's events and catalogue. Out: events of new users who walk the catalogue as that
recommender would lead them.

The teacher is ItemKNN with recency plus the likeness of items by text or attributes. Its
histories start all over the catalogue, so that a network meets what few or no people bought in the
company it belongs to. Models that count pairs gain too, at a small row weight: many steps of a walk
join items that no pair does. Not for shops of single events without text or attributes, where a
teacher knows nothing. It gives no differential privacy, but copies no real history either.
"""

from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field
from scipy import sparse

from shopsynth.generate._affinity import (
    Affinity,
    best_content_weight,
    draw_next,
    likeness,
    next_scores,
)
from shopsynth.generate._content import content_vectors, described
from shopsynth.generate._draws import Integers, empirical_draws
from shopsynth.generate._edits import draw_in_rounds, joined, take_users
from shopsynth.generate._episodes import Episodes
from shopsynth.generate._histories import EventForm, Histories, read_histories, write_synthetic
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

_METHOD = "teacher"
_BLOCK_USERS = 8192
"""Histories grown at a time: some 600 scores each are at most a few hundred MB."""

_TRIES = 8
"""Draws of an item to go on with where the teacher proposes none, before one is searched for."""


class TeacherOptions(Settings):
    """Options of ``teacher``."""

    content: Annotated[float, Field(ge=0, le=1)] | Literal["auto"] = "auto"
    """Weight of the likeness by text or attributes beside who bought what together; auto chooses
    on the newest items of the view's own histories."""

    sharpness: float = Field(default=16.0, gt=0)
    """Power to which scores are raised before the next item is drawn by them. With 10 % of Amazon
    Beauty's users, NDCG@10 of a hybrid fitted on ten times as many histories besides is .0275 at 8,
    .0287 at 16, .0286 at 32, and .0236 without them (5,590 other users, one seed)."""

    spread: float = Field(default=1.0, ge=0, le=1)
    """Share of histories that start anywhere in the catalogue; the others start as real ones."""

    decay: float = Field(default=0.6, gt=0, le=1)
    """Weight of an event relative to the next newer one."""

    context: int = Field(default=6, ge=1)
    """Newest events that decide what comes next."""

    neighbours: int = Field(default=50, ge=1)
    """Items that each event may lead to, in each of both ways."""


@dataclass(frozen=True)
class _Model:
    """What fit learned.

    ``mixed`` is the teacher; ``startable`` are the items that lead anywhere, ``firsts`` the first
    items of real histories.
    """

    form: EventForm
    mixed: sparse.csr_matrix
    startable: NDArray[np.int64]
    firsts: NDArray[np.int32]
    lengths: NDArray[np.int64]
    repeats: Repeats
    episodes: Episodes
    timing: Timing


@register("teacher")
class Teacher:
    """Roll-outs of ItemKNN with recency and content.

    A history starts with an item; each next one is drawn by the teacher's scores given the newest
    events, raised to ``sharpness``. Where real people buy again, as many synthetic ones do, else
    nobody does. Lengths, sessions and times are as people's.

    Attributes:
        content_: Weight of content that was used.

    Source:
        The idea of a student that learns from a teacher's outputs: Hinton, Vinyals and Dean,
        Distilling the Knowledge in a Neural Network, arXiv 1503.02531; here through rows, so that
        any model can be the student.
    """

    Options: ClassVar[type[Settings]] = TeacherOptions
    modes: ClassVar[frozenset[str]] = WITHOUT_GUARANTEE
    table: ClassVar[str] = "events"
    content_: float

    def __init__(self, options: TeacherOptions) -> None:
        self.options = options
        self._model: _Model | None = None

    def fit(self, view: PrivateView, *, seed: int, progress: Progress = SILENT) -> Self:
        """Find what goes with what; ``seed`` chooses whom to ask for the weight of content.

        Raises:
            PrivacyError: If ``view`` is not a view of a mode without guarantee.
            EmptyDataError: If no catalogue item was ever bought.
            InputError: If ``content`` is a number above 0 and the catalogue has neither text nor
                attributes.
        """
        check_view(view, _METHOD, self.modes)
        options = self.options
        form, histories = read_histories(view, _METHOD)
        alike = self._likeness(form, progress)
        self.content_ = self._content_weight(histories, alike, form.n_items, seed)
        affinity = Affinity.fit(
            histories, alike, form.n_items, k=options.neighbours, progress=progress
        )
        mixed = affinity.mixed(self.content_)
        startable = np.flatnonzero(np.diff(mixed.indptr) > 1)  # One entry is its own diagonal.
        firsts = histories.item[histories.offsets[:-1]]
        several = histories.lengths[histories.lengths > 1]  # A single event teaches nothing.
        self._model = _Model(
            form=form,
            mixed=mixed,
            startable=startable if startable.size else np.unique(firsts).astype(np.int64),
            firsts=firsts,
            lengths=several if several.size else histories.lengths,
            repeats=Repeats.fit(histories, form.n_items),
            episodes=Episodes.fit(histories, form.n_items),
            timing=Timing.fit(histories, form.n_items),
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
        """Roll out ``n`` histories, all of a block at once, item by item.

        With ``conditions.item_ids`` every history starts with one of these items.

        Raises:
            InputError: If ``fit`` has not run, ``n`` is not positive, or the conditions name users
                or items outside the catalogue.
        """
        check_request(n, conditions, _METHOD, meets=frozenset({"item_ids"}))
        model = fitted(self._model, _METHOD)
        random = np.random.Generator(np.random.PCG64(seed))
        wanted = conditions.item_ids if conditions is not None else ()
        starts = self._starts(n, model, random)
        if wanted:
            choices = model.form.indices_of(wanted, _METHOD)
            starts = choices[draw_in_rounds(choices.size, n, random)]
        lengths = random.permutation(empirical_draws(model.lengths, n, random))
        progress.start("teacher: histories", n)
        blocks = []
        for first in range(0, n, _BLOCK_USERS):
            part = slice(first, first + _BLOCK_USERS)
            blocks.append(self._grow(starts[part], lengths[part], model, random))
            progress.advance(blocks[-1].n_users)
        histories = joined(blocks)
        timed = "timestamp" in model.form.columns
        return write_synthetic(
            model.timing.sample(histories, random, timed=timed),
            model.form,
            method=_METHOD,
            options=self.options,
            seed=seed,
        )

    def _likeness(self, form: EventForm, progress: Progress) -> sparse.csr_matrix | None:
        content = self.options.content
        if content == 0:
            return None
        if content == "auto":
            vectors = described(form.items, form.item_ids)
        else:
            vectors = content_vectors(form.items, form.item_ids, _METHOD)
        if vectors is None:
            return None
        return likeness(vectors, k=self.options.neighbours, progress=progress)

    def _content_weight(
        self, histories: Histories, alike: sparse.csr_matrix | None, n_items: int, seed: int
    ) -> float:
        if alike is None:
            return 0.0
        if self.options.content != "auto":
            return self.options.content
        return best_content_weight(
            histories,
            alike,
            n_items,
            k=self.options.neighbours,
            decay=self.options.decay,
            context=self.options.context,
            random=np.random.Generator(np.random.PCG64(seed)),
        )

    def _starts(self, n: int, model: _Model, random: np.random.Generator) -> NDArray[np.int64]:
        """Draw first items: anywhere in the catalogue, each about equally often, or real ones."""
        starts = model.startable[draw_in_rounds(model.startable.size, n, random)]
        as_people = random.random(n) >= self.options.spread
        starts[as_people] = random.choice(model.firsts, int(as_people.sum()))
        return starts

    def _grow(
        self, starts: Integers, lengths: Integers, model: _Model, random: np.random.Generator
    ) -> Histories:
        """Roll out one block. Longest first, so that histories still growing are a prefix."""
        longest_first = np.argsort(-lengths, kind="stable")
        offsets = np.concatenate(([0], np.cumsum(lengths[longest_first])))
        items = np.zeros(offsets[-1], dtype=np.int32)
        items[offsets[:-1]] = starts[longest_first]
        for length in range(1, int(lengths.max())):
            places = offsets[: np.count_nonzero(lengths > length)] + length
            seen = items[places[:, None] - np.arange(1, length + 1)]
            items[places] = self._next_items(seen, model, random)
        histories = Histories(
            item=items,
            time=np.zeros(items.size, dtype=np.int64),
            opens=np.zeros(items.size, dtype=np.bool_),
            row=model.episodes.draw(
                np.repeat(np.arange(lengths.size), np.diff(offsets)), items, random
            ),
            offsets=offsets,
        )
        return take_users(histories, np.argsort(longest_first))

    def _next_items(
        self, seen: NDArray[np.int32], model: _Model, random: np.random.Generator
    ) -> NDArray[np.int64]:
        """Draw the next item of histories, ``(n, length)``, the newest item first."""
        n, length = seen.shape
        again, old = model.repeats.draw_items(seen, length, random)
        drawn = np.full(n, -1, dtype=np.int64)
        drawn[again] = old
        scores = next_scores(
            model.mixed, seen[~again], decay=self.options.decay, context=self.options.context
        )
        drawn[~again] = draw_next(scores, self.options.sharpness, random)
        open_ = np.flatnonzero(drawn < 0)
        for _ in range(_TRIES):
            drawn[open_] = random.choice(model.startable, open_.size)
            open_ = open_[(seen[open_] == drawn[open_, None]).any(axis=1)]
        for place in open_:
            unseen = np.setdiff1d(model.startable, seen[place])
            # Who has everything can only buy again.
            drawn[place] = random.choice(unseen) if unseen.size else drawn[place]
        return drawn
