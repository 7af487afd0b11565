"""noise: real histories cropped, masked, reordered and mixed with popular items. The control.

In: a private view's events. Out: events of new users that carry nothing new.

If a method helps no more than this does, its gain is not due to what it generates (PROOF, §2 C3).
Not for use as training data for its own sake.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from shopsynth.generate._augmentation import augmenter
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
from shopsynth.generate._histories import EventForm, Histories
from shopsynth.schema import Progress, Settings

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


@augmenter("noise", NoiseOptions)
def noise(
    form: EventForm, histories: Histories, options: NoiseOptions, progress: Progress
) -> "_Disturbed":
    """Random crop, mask or reorder of each history, and popularity-drawn inserts.

    Source:
        Xie et al., Contrastive Learning for Sequential Recommendation (CL4SRec),
        arXiv 2010.14395: the three operators and their shares on Beauty.
    """
    counts = form.item_counts()
    items = np.flatnonzero(counts)
    popularity = DrawTable.of(np.zeros_like(items), items, counts[items], 1)
    return _Disturbed(form, histories, popularity, options)


@dataclass(frozen=True)
class _Disturbed:
    form: EventForm
    histories: Histories
    popularity: DrawTable
    options: NoiseOptions

    def sample(self, n: int, random: np.random.Generator, progress: Progress) -> Histories:
        """Disturb ``n`` histories, all at once."""
        users = draw_in_rounds(self.histories.n_users, n, random)
        histories = take_users(self.histories, users)
        operator = random.integers(0, 3, n)[histories.user]
        histories = self._reordered(histories, operator == _REORDER, random)
        histories = self._shortened(histories, operator, random)
        histories = self._inserted(histories, random)
        progress.advance(n)
        return histories

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

    def _inserted(self, histories: Histories, random: np.random.Generator) -> Histories:
        anchors = np.flatnonzero(random.random(histories.item.size) < self.options.insert_rate)
        items = self.popularity.draw(np.zeros_like(anchors), random.random(anchors.size))
        known = np.unique(histories.user * self.form.n_items + histories.item)
        usable = new_pairs(histories.user[anchors], items, known, self.form.n_items)
        anchors, items = anchors[usable], items[usable]
        return insert_after(histories, anchors, items, self.form.rows_of(items, random))


def _window(histories: Histories, share: float, random: np.random.Generator) -> NDArray[np.bool_]:
    """Mark a piece of ``share`` of each history, at least one event, at a random place."""
    sizes = np.maximum(1, np.round(share * histories.lengths).astype(np.int64))
    return pieces(histories, sizes, random)
