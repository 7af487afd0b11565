"""substitute: real histories with some items swapped for similar ones, and similar ones inserted.

In: a private view's events. Out: as many events, a little more, of new users.

An augmenter: each history starts as a copy of a real one, and what is not touched stays as it
was. Not for cold items, and no protection of its own beyond what the view gives.
"""

from dataclasses import dataclass, replace
from typing import ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from shopsynth.generate._content import categories
from shopsynth.generate._draws import DrawTable
from shopsynth.generate._edits import (
    draw_in_rounds,
    insert_after,
    new_pairs,
    take_users,
    unowned_neighbours,
)
from shopsynth.generate._histories import EventForm, Histories, read_histories, write_synthetic
from shopsynth.generate._neighbours import bought_together
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

_METHOD = "substitute"


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


@dataclass(frozen=True)
class _Model:
    form: EventForm
    histories: Histories
    neighbours: DrawTable


@register("substitute")
class Substitute:
    """Similar-item substitution and insertion, similarity by ItemKNN.

    An item new to a history takes the place of another at all of its occurrences, so habits of
    buying again are kept, and no item is repeated that was not repeated before.

    Source:
        Liu et al., Contrastive Self-supervised Sequential Recommendation with Robust Augmentation
        (CoSeRec), arXiv 2108.06479: operators "substitute" and "insert".
    """

    Options: ClassVar[type[Settings]] = SubstituteOptions
    modes: ClassVar[frozenset[str]] = WITHOUT_GUARANTEE
    table: ClassVar[str] = "events"

    def __init__(self, options: SubstituteOptions) -> None:
        self.options = options
        self._model: _Model | None = None

    def fit(self, view: PrivateView, *, seed: int, progress: Progress = SILENT) -> Self:
        """Find each item's neighbours; nothing in it is random.

        Raises:
            PrivacyError: If ``view`` is not a view of a mode without guarantee.
            EmptyDataError: If no catalogue item was ever bought.
        """
        check_view(view, _METHOD, self.modes)
        form, histories = read_histories(view, _METHOD)
        category = categories(form.items, form.item_ids) if self.options.same_category else None
        neighbours = bought_together(
            histories,
            form.n_items,
            k=self.options.neighbours,
            category=category,
            progress=progress,
        )
        self._model = _Model(form, histories, neighbours)
        return self

    def sample(
        self,
        n: int,
        *,
        conditions: Conditions | None = None,
        seed: int,
        progress: Progress = SILENT,
    ) -> SyntheticDataset:
        """Change ``n`` real histories; beyond the real number, each is changed again anew.

        Raises:
            InputError: If ``fit`` has not run, ``n`` is not positive, or conditions are given.
        """
        check_request(n, conditions, _METHOD)
        model = fitted(self._model, _METHOD)
        random = np.random.Generator(np.random.PCG64(seed))
        progress.start("substitute: histories", 2)
        users = draw_in_rounds(model.histories.n_users, n, random)
        histories = self._substituted(take_users(model.histories, users), model, random)
        progress.advance()
        histories = self._inserted(histories, model, random)
        progress.advance()
        return write_synthetic(
            histories, model.form, method=_METHOD, options=self.options, seed=seed
        )

    def _substituted(
        self, histories: Histories, model: _Model, random: np.random.Generator
    ) -> Histories:
        n_items = model.form.n_items
        known, pair_of = np.unique(histories.user * n_items + histories.item, return_inverse=True)
        user, item = known // n_items, known % n_items
        proposed = unowned_neighbours(user, item, known, model.neighbours, n_items, random)
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
        row[changed] = model.form.rows_of(new_item[changed], random)
        return replace(histories, item=new_item, row=row)

    def _inserted(
        self, histories: Histories, model: _Model, random: np.random.Generator
    ) -> Histories:
        n_items = model.form.n_items
        anchors = np.flatnonzero(random.random(histories.item.size) < self.options.insert_rate)
        user: NDArray[np.int64] = histories.user
        known = np.unique(user * n_items + histories.item)
        items = unowned_neighbours(
            user[anchors], histories.item[anchors], known, model.neighbours, n_items, random
        )
        usable = new_pairs(user[anchors], items, known, n_items)
        anchors, items = anchors[usable], items[usable]
        return insert_after(histories, anchors, items, model.form.rows_of(items, random))
