"""insert: real histories into which items move that go with those that are there.

In: a private view's events and catalogue. Out: events of new users, some more than people had.

Fills short and thin histories with what belongs there, by who bought it and by what the catalogue
says. Not for cold items, which ``pseudo_session`` places, and no protection of its own beyond what
the view gives. ``substitute`` swaps items as well; the control ``noise`` inserts by popularity.
"""

from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np
from pydantic import Field
from scipy import sparse

from shopsynth.generate._affinity import Affinity, likeness
from shopsynth.generate._augmentation import Sources, augment, users_or_all
from shopsynth.generate._content import described
from shopsynth.generate._draws import DrawTable
from shopsynth.generate._edits import insert_after, new_pairs, unowned_neighbours
from shopsynth.generate._episodes import Episodes
from shopsynth.generate._histories import EventForm, Histories, read_histories
from shopsynth.generate._likelihood import Confidence, Likelihood
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

_METHOD = "insert"


class InsertOptions(Settings):
    """Options of ``insert``."""

    rate: float = Field(default=0.2, gt=0, le=1)
    """Inserted items as a share of a history's events; at least one, where any goes with it."""

    neighbours: int = Field(default=20, ge=1)
    """Items to choose from beside each item, by who bought both and by content each."""

    content: float = Field(default=0.3, ge=0, le=1)
    """Weight of the likeness by text or attributes beside who bought what together; without text
    and attributes only the latter counts."""

    confidence: Confidence = 0.7
    """Share of the made histories that is kept, those whose new steps go best with what other
    people did and what the catalogue says."""


@dataclass(frozen=True)
class _Model:
    sources: Sources
    neighbours: DrawTable
    episodes: Episodes


@register("insert")
class Insert:
    """Informative insertion: correlated items beside random anchors.

    An inserted item is new to its history and stands in the session of its anchor, midway in time
    to the next event. It carries the row with which somebody's way with it began.

    Source:
        Liu et al., Contrastive Self-supervised Sequential Recommendation with Robust Augmentation
        (CoSeRec), arXiv 2108.06479: operator "insert".
    """

    Options: ClassVar[type[Settings]] = InsertOptions
    modes: ClassVar[frozenset[str]] = WITHOUT_GUARANTEE
    table: ClassVar[str] = "events"

    def __init__(self, options: InsertOptions) -> None:
        self.options = options
        self._model: _Model | None = None

    def fit(self, view: PrivateView, *, seed: int, progress: Progress = SILENT) -> Self:
        """Find what goes with what; nothing in it is random.

        Raises:
            PrivacyError: If ``view`` is not a view of a mode without guarantee.
            EmptyDataError: If no catalogue item was ever bought.
        """
        check_view(view, _METHOD, self.modes)
        form, histories = read_histories(view, _METHOD)
        neighbours = self._neighbours(form, histories, progress)
        reachable = neighbours.sizes()[histories.item] > 0
        users = users_or_all(np.logical_or.reduceat(reachable, histories.offsets[:-1]))
        likelihood = Likelihood.fit(histories, neighbours, form.n_items)
        sources = Sources(form, histories, users, likelihood)
        self._model = _Model(sources, neighbours, Episodes.fit(histories, form.n_items))
        return self

    def sample(
        self,
        n: int,
        *,
        conditions: Conditions | None = None,
        seed: int,
        progress: Progress = SILENT,
    ) -> SyntheticDataset:
        """Insert into ``n`` real histories; beyond the real number, into each again anew.

        Raises:
            InputError: If ``fit`` has not run, ``n`` is not positive, or conditions are given.
        """
        check_request(n, conditions, _METHOD)
        return augment(
            n,
            fitted(self._model, _METHOD).sources,
            self._inserted,
            confidence=self.options.confidence,
            method=_METHOD,
            options=self.options,
            seed=seed,
            progress=progress,
        )

    def _neighbours(self, form: EventForm, histories: Histories, progress: Progress) -> DrawTable:
        options, alike = self.options, None
        vectors = described(form.items, form.item_ids) if options.content > 0 else None
        if vectors is not None:
            # What was never bought is not inserted: it would carry somebody's row of another item.
            bought = sparse.diags_array((form.item_counts() > 0).astype(np.float32))
            alike = likeness((bought @ vectors).tocsr(), k=options.neighbours, progress=progress)
        affinity = Affinity.fit(
            histories, alike, form.n_items, k=options.neighbours, progress=progress
        )
        mixed = affinity.mixed(options.content)
        row = np.repeat(np.arange(form.n_items), np.diff(mixed.indptr))
        goes = mixed.data > 0  # The diagonal does not.
        return DrawTable.of(row[goes], mixed.indices[goes], mixed.data[goes], form.n_items)

    def _inserted(self, histories: Histories, random: np.random.Generator) -> Histories:
        model = fitted(self._model, _METHOD)
        n_items, user = model.sources.form.n_items, histories.user
        known = np.unique(user * n_items + histories.item)
        items = unowned_neighbours(user, histories.item, known, model.neighbours, n_items, random)
        usable = new_pairs(user, items, known, n_items)
        # Unusable anchors come last; of the others each history takes the first of its quota.
        chance = np.where(usable, random.random(user.size), np.inf)
        rank = np.empty(user.size, dtype=np.int64)
        rank[np.lexsort((chance, user))] = histories.index
        quota = np.floor(self.options.rate * histories.lengths + random.random(histories.n_users))
        anchors = np.flatnonzero(usable & (rank < np.maximum(quota, 1)[user]))
        rows = model.episodes.draw(user[anchors], items[anchors], random)
        return insert_after(histories, anchors, items[anchors], rows)
