"""insert: real histories into which items move that go with those that are there.

In: a private view's events and catalogue. Out: events of new users, some more than people had.

Fills short and thin histories with what belongs there, by who bought it and by what the catalogue
says. Not for cold items, which ``pseudo_session`` places, and no protection of its own beyond what
the view gives. ``substitute`` swaps items as well; the control ``noise`` inserts by popularity.
"""

from dataclasses import dataclass

import numpy as np
from pydantic import Field
from scipy import sparse

from shopsynth.generate._affinity import Affinity, likeness
from shopsynth.generate._augmentation import Edited, augmenter, users_or_all
from shopsynth.generate._content import described
from shopsynth.generate._draws import DrawTable
from shopsynth.generate._edits import insert_after, new_pairs, unowned_neighbours
from shopsynth.generate._episodes import Episodes
from shopsynth.generate._histories import EventForm, Histories
from shopsynth.generate._likelihood import Confidence, Likelihood
from shopsynth.schema import Progress, Settings


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


@augmenter("insert", InsertOptions)
def insert(
    form: EventForm, histories: Histories, options: InsertOptions, progress: Progress
) -> Edited:
    """Informative insertion: correlated items beside random anchors.

    An inserted item is new to its history and stands in the session of its anchor, midway in time
    to the next event. It carries the row with which somebody's way with it began.

    Source:
        Liu et al., Contrastive Self-supervised Sequential Recommendation with Robust Augmentation
        (CoSeRec), arXiv 2108.06479: operator "insert".
    """
    neighbours = _neighbours(form, histories, options, progress)
    reachable = neighbours.sizes()[histories.item] > 0
    users = users_or_all(np.logical_or.reduceat(reachable, histories.offsets[:-1]))
    likelihood = Likelihood.fit(histories, neighbours, form.n_items)
    insertion = _Insertion(
        n_items=form.n_items,
        neighbours=neighbours,
        episodes=Episodes.fit(histories, form.n_items),
        rate=options.rate,
    )
    return Edited(histories, users, insertion.edit, likelihood, options.confidence)


def _neighbours(
    form: EventForm, histories: Histories, options: InsertOptions, progress: Progress
) -> DrawTable:
    alike = None
    vectors = described(form.items, form.item_ids) if options.content > 0 else None
    if vectors is not None:
        # What was never bought is not inserted: it would carry somebody's row of another item.
        bought = sparse.diags_array((form.item_counts() > 0).astype(np.float32))
        alike = likeness((bought @ vectors).tocsr(), k=options.neighbours, progress=progress)
    affinity = Affinity.fit(histories, alike, form.n_items, k=options.neighbours, progress=progress)
    mixed = affinity.mixed(options.content)
    row = np.repeat(np.arange(form.n_items), np.diff(mixed.indptr))
    goes = mixed.data > 0  # The diagonal does not.
    return DrawTable.of(row[goes], mixed.indices[goes], mixed.data[goes], form.n_items)


@dataclass(frozen=True)
class _Insertion:
    n_items: int
    neighbours: DrawTable
    episodes: Episodes
    rate: float

    def edit(self, histories: Histories, random: np.random.Generator) -> Histories:
        """Put items behind random events of each history that they go with."""
        n_items, user = self.n_items, histories.user
        known = np.unique(user * n_items + histories.item)
        items = unowned_neighbours(user, histories.item, known, self.neighbours, n_items, random)
        usable = new_pairs(user, items, known, n_items)
        # Unusable anchors come last; of the others each history takes the first of its quota.
        chance = np.where(usable, random.random(user.size), np.inf)
        rank = np.empty(user.size, dtype=np.int64)
        rank[np.lexsort((chance, user))] = histories.index
        quota = np.floor(self.rate * histories.lengths + random.random(histories.n_users))
        anchors = np.flatnonzero(usable & (rank < np.maximum(quota, 1)[user]))
        rows = self.episodes.draw(user[anchors], items[anchors], random)
        return insert_after(histories, anchors, items[anchors], rows)
