"""substitute: real histories with some items swapped for similar ones, and similar ones inserted.

In: a private view's events. Out: as many events, a little more, of new users.

An augmenter: each history starts as a copy of a real one, and what is not touched stays as it
was. Not for cold items, and no protection of its own beyond what the view gives.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from shopsynth.generate._augmentation import Edited, augmenter
from shopsynth.generate._content import categories
from shopsynth.generate._draws import DrawTable
from shopsynth.generate._edits import (
    insert_after,
    new_pairs,
    unowned_neighbours,
)
from shopsynth.generate._episodes import Episodes
from shopsynth.generate._histories import EventForm, Histories
from shopsynth.generate._neighbours import bought_together
from shopsynth.schema import Progress, Settings


class SubstituteOptions(Settings):
    """Options of ``substitute``."""

    substitute_rate: float = Field(default=0.2, ge=0, le=1)
    """Share of a history's items that are swapped; at least one, where any can be."""

    insert_rate: float = Field(default=0.1, ge=0, le=1)
    """Chance that a similar item follows an event."""

    neighbours: int = Field(default=10, ge=1)
    """Similar items to choose from, for each item."""

    same_category: bool = True
    """Only items of one category are similar, if the catalogue has categories."""


@augmenter("substitute", SubstituteOptions)
def substitute(
    form: EventForm, histories: Histories, options: SubstituteOptions, progress: Progress
) -> Edited:
    """Similar-item substitution and insertion, similarity by ItemKNN.

    An item new to a history takes the place of another at all of its occurrences, so habits of
    buying again are kept, and no item is repeated that was not repeated before. It carries what
    somebody did with it, in the order in which they did.

    Source:
        Liu et al., Contrastive Self-supervised Sequential Recommendation with Robust Augmentation
        (CoSeRec), arXiv 2108.06479: operators "substitute" and "insert".
    """
    category = categories(form.items, form.item_ids) if options.same_category else None
    neighbours = bought_together(
        histories, form.n_items, k=options.neighbours, category=category, progress=progress
    )
    episodes = Episodes.fit(histories, form.n_items)
    exchange = _Exchange(form.n_items, neighbours, episodes, options)
    return Edited(histories, np.arange(histories.n_users), exchange.edit)


@dataclass(frozen=True)
class _Exchange:
    n_items: int
    neighbours: DrawTable
    episodes: Episodes
    options: SubstituteOptions

    def edit(self, histories: Histories, random: np.random.Generator) -> Histories:
        """Swap items, then insert some."""
        return self._inserted(self._substituted(histories, random), random)

    def _substituted(self, histories: Histories, random: np.random.Generator) -> Histories:
        n_items = self.n_items
        known, pair_of = np.unique(histories.user * n_items + histories.item, return_inverse=True)
        user, item = known // n_items, known % n_items
        proposed = unowned_neighbours(user, item, known, self.neighbours, n_items, random)
        usable = new_pairs(user, proposed, known, n_items)
        # Unusable pairs come last; of the others each history swaps the first ones of its quota.
        chance = np.where(usable, random.random(known.size), np.inf)
        order = np.lexsort((chance, user))
        first = np.searchsorted(user, np.arange(histories.n_users))
        rank = np.empty(known.size, dtype=np.int64)
        rank[order] = np.arange(known.size) - first[user]
        sizes = np.diff(np.append(first, known.size))
        rate = self.options.substitute_rate
        quota = np.floor(rate * sizes + random.random(histories.n_users))
        quota = np.maximum(quota, 1 if rate > 0 else 0)
        swapped = usable & (rank < quota[user])
        changed = swapped[pair_of]
        new_item = histories.item.copy()
        new_item[changed] = proposed[pair_of[changed]]
        row = histories.row.copy()
        row[changed] = self.episodes.draw(histories.user[changed], new_item[changed], random)
        return replace(histories, item=new_item, row=row)

    def _inserted(self, histories: Histories, random: np.random.Generator) -> Histories:
        n_items = self.n_items
        anchors = np.flatnonzero(random.random(histories.item.size) < self.options.insert_rate)
        user: NDArray[np.int64] = histories.user
        known = np.unique(user * n_items + histories.item)
        items = unowned_neighbours(
            user[anchors], histories.item[anchors], known, self.neighbours, n_items, random
        )
        usable = new_pairs(user[anchors], items, known, n_items)
        anchors, items = anchors[usable], items[usable]
        rows = self.episodes.draw(user[anchors], items, random)
        return insert_after(histories, anchors, items, rows)
