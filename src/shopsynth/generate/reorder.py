"""reorder: real histories in which the items of one short window change places.

In: a private view's events. Out: as many events of new users, each with a real user's items.

Teaches a model that the order within a short while is often chance. Not for shops where order is
the point, as with episodes or refills, and no protection of its own beyond what the view gives.
The control ``noise`` shuffles up to half of a history and more, and adds popular items; here the
window is a few events, at least two of them change places, an item's own events keep their order,
and orders that people's behaviour speaks against are dropped.
"""

from dataclasses import replace
from functools import partial

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from shopsynth.generate._augmentation import (
    Edited,
    augmenter,
    fit_likelihood,
    n_distinct_items,
    users_or_all,
)
from shopsynth.generate._edits import shuffled
from shopsynth.generate._histories import EventForm, Histories
from shopsynth.generate._likelihood import Confidence
from shopsynth.schema import Progress, Settings


class ReorderOptions(Settings):
    """Options of ``reorder``."""

    window: int = Field(default=4, ge=2)
    """Events that may change places, side by side."""

    confidence: Confidence = 0.7
    """Share of the made histories that is kept, those whose new steps go best with what other
    people did."""


@augmenter("reorder", ReorderOptions)
def reorder(
    form: EventForm, histories: Histories, options: ReorderOptions, progress: Progress
) -> Edited:
    """One short window of each history shuffled.

    The window lies where different items stand beside each other. Times and sessions stay in
    place; an item takes its type, quantity and price along, and of several events of one item the
    earlier ones stay earlier. Histories of one item are taken only if there are no others.

    Source:
        Xie et al., Contrastive Learning for Sequential Recommendation (CL4SRec),
        arXiv 2010.14395, section 3.3.3, "item reorder": flexible order.
    """
    _, likelihood = fit_likelihood(form, histories, progress)
    users = users_or_all(n_distinct_items(histories) > 1)
    edit = partial(_reordered, window=options.window)
    return Edited(histories, users, edit, likelihood, options.confidence)


def _reordered(histories: Histories, random: np.random.Generator, *, window: int) -> Histories:
    border = _borders(histories, random)
    chosen = np.flatnonzero(border > 0)
    first = _window_starts(border, histories.lengths, window, random)
    within = histories.index - first[histories.user]
    inside = (within >= 0) & (within < window) & (border > 0)[histories.user]
    order = shuffled(histories, inside, random)
    same = histories.item[order] == histories.item
    unchanged = chosen[np.logical_and.reduceat(same, histories.offsets[:-1])[chosen]]
    places = histories.offsets[unchanged] + border[unchanged]
    order[places], order[places - 1] = places - 1, places
    order = _own_order_kept(histories, order)
    return replace(histories, item=histories.item[order], row=histories.row[order])


def _window_starts(
    border: NDArray[np.int64],
    lengths: NDArray[np.int64],
    window: int,
    random: np.random.Generator,
) -> NDArray[np.int64]:
    """Place each window at random where it holds both sides of the border."""
    low = np.maximum(border - window + 1, 0)
    high = np.maximum(np.minimum(border - 1, lengths - window), low)
    drawn = (random.random(border.size) * (high - low + 1)).astype(np.int64)
    first: NDArray[np.int64] = low + drawn
    return first


def _borders(histories: Histories, random: np.random.Generator) -> NDArray[np.int64]:
    """Draw in each history an event that has another item than the one before, 0 if none has."""
    differs = (histories.index > 0) & (histories.item != np.roll(histories.item, 1))
    chance = np.where(differs, random.random(differs.size), -1.0)
    best = np.maximum.reduceat(chance, histories.offsets[:-1])[histories.user]
    border = np.where(differs & (chance == best), histories.index, 0)
    return np.maximum.reduceat(border, histories.offsets[:-1])


def _own_order_kept(histories: Histories, order: NDArray[np.int64]) -> NDArray[np.int64]:
    """Give the events of one user's item to the item's new places in their own order."""
    width = int(histories.item.max()) + 1
    key = histories.user * width + histories.item
    kept = np.empty_like(order)
    kept[np.argsort(key[order], kind="stable")] = np.argsort(key, kind="stable")
    return kept
