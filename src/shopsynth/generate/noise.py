"""noise: real histories cropped, masked, reordered and mixed with popular items. The control.

In: a private view's events. Out: events of new users that carry nothing new.

If a method helps no more than this does, its gain is not due to what it generates (PROOF, §2 C3).
Not for use as training data for its own sake.
"""

from dataclasses import dataclass, replace
from typing import ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from shopsynth.generate._draws import DrawTable
from shopsynth.generate._edits import (
    draw_in_rounds,
    insert_after,
    keep_events,
    new_pairs,
    pieces,
    shuffled,
    take_users,
)
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
from shopsynth.schema import SILENT, Progress, Settings, SyntheticDataset

_METHOD = "noise"
_CROP, _MASK, _REORDER = range(3)


class NoiseOptions(Settings):
    """Options of ``noise``."""

    crop_keep: float = Field(default=0.6, gt=0, le=1)
    """Share of a cropped history that is kept, in one piece."""

    mask_rate: float = Field(default=0.3, ge=0, lt=1)
    """Share of a masked history's events that are dropped."""

    reorder_share: float = Field(default=0.6, ge=0, le=1)
    """Share of a reordered history whose items change places, in one piece."""

    insert_rate: float = Field(default=0.1, ge=0, le=1)
    """Chance that a random item, by popularity, follows an event."""


@dataclass(frozen=True)
class _Model:
    form: EventForm
    histories: Histories
    popularity: DrawTable


@register("noise")
class Noise:
    """Random crop, mask or reorder of each history, and popularity-drawn inserts.

    Source:
        Xie et al., Contrastive Learning for Sequential Recommendation (CL4SRec),
        arXiv 2010.14395: the three operators and their shares on Beauty.
    """

    Options: ClassVar[type[Settings]] = NoiseOptions
    modes: ClassVar[frozenset[str]] = WITHOUT_GUARANTEE
    table: ClassVar[str] = "events"

    def __init__(self, options: NoiseOptions) -> None:
        self.options = options
        self._model: _Model | None = None

    def fit(self, view: PrivateView, *, seed: int, progress: Progress = SILENT) -> Self:
        """Count items; nothing in it is random.

        Raises:
            PrivacyError: If ``view`` is not a view of a mode without guarantee.
            EmptyDataError: If no catalogue item was ever bought.
        """
        check_view(view, _METHOD, self.modes)
        progress.start("noise: popularity", 1)
        form, histories = read_histories(view, _METHOD)
        counts = form.item_counts()
        items = np.flatnonzero(counts)
        popularity = DrawTable.of(np.zeros_like(items), items, counts[items], 1)
        self._model = _Model(form, histories, popularity)
        progress.advance()
        return self

    def sample(
        self,
        n: int,
        *,
        conditions: Conditions | None = None,
        seed: int,
        progress: Progress = SILENT,
    ) -> SyntheticDataset:
        """Disturb ``n`` real histories; beyond the real number, each is disturbed again anew.

        Raises:
            InputError: If ``fit`` has not run, ``n`` is not positive, or conditions are given.
        """
        check_request(n, conditions, _METHOD)
        model = fitted(self._model, _METHOD)
        random = np.random.Generator(np.random.PCG64(seed))
        progress.start("noise: histories", 3)
        users = draw_in_rounds(model.histories.n_users, n, random)
        histories = take_users(model.histories, users)
        operator = random.integers(0, 3, n)[histories.user]
        histories = self._reordered(histories, operator == _REORDER, random)
        progress.advance()
        histories = self._shortened(histories, operator, random)
        progress.advance()
        histories = self._inserted(histories, model, random)
        progress.advance()
        return write_synthetic(
            histories, model.form, method=_METHOD, options=self.options, seed=seed
        )

    def _reordered(
        self, histories: Histories, chosen: NDArray[np.bool_], random: np.random.Generator
    ) -> Histories:
        """Shuffle items and what they carry inside a window; times and sessions stay in place."""
        inside = chosen & _window(histories, self.options.reorder_share, random)
        order = shuffled(histories, inside, random)
        return replace(histories, item=histories.item[order], row=histories.row[order])

    def _shortened(
        self, histories: Histories, operator: NDArray[np.int64], random: np.random.Generator
    ) -> Histories:
        kept = np.ones(histories.item.size, dtype=np.bool_)
        cropped, masked = operator == _CROP, operator == _MASK
        kept[cropped] = _window(histories, self.options.crop_keep, random)[cropped]
        chance = random.random(kept.size)
        kept[masked] = chance[masked] >= self.options.mask_rate
        # The luckiest event of every history stays, so none is emptied.
        most = np.maximum.reduceat(chance, histories.offsets[:-1])[histories.user]
        return keep_events(histories, kept | (masked & (chance == most)))

    def _inserted(
        self, histories: Histories, model: _Model, random: np.random.Generator
    ) -> Histories:
        anchors = np.flatnonzero(random.random(histories.item.size) < self.options.insert_rate)
        items = model.popularity.draw(np.zeros_like(anchors), random.random(anchors.size))
        known = np.unique(histories.user * model.form.n_items + histories.item)
        usable = new_pairs(histories.user[anchors], items, known, model.form.n_items)
        anchors, items = anchors[usable], items[usable]
        return insert_after(histories, anchors, items, model.form.rows_of(items, random))


def _window(histories: Histories, share: float, random: np.random.Generator) -> NDArray[np.bool_]:
    """Mark a piece of ``share`` of each history, at least one event, at a random place."""
    sizes = np.maximum(1, np.round(share * histories.lengths).astype(np.int64))
    return pieces(histories, sizes, random)
