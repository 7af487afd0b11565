"""mask: real histories from which some items are gone, each with all of its events.

In: a private view's events. Out: events of new users who have a part of one real user's items.

Joins what had something between it, so that a model learns to look further back than one step.
Not for items that nobody bought, and no protection of its own beyond what the view gives. The
control ``noise`` masks single events of a third of its histories and adds popular items; here an
item goes as a whole, so that nobody buys what they never saw, and tears that people's behaviour
speaks against are dropped.
"""

from functools import partial

import numpy as np
from pydantic import Field

from shopsynth.generate._augmentation import (
    Edited,
    augmenter,
    fit_likelihood,
    n_distinct_items,
    users_or_all,
)
from shopsynth.generate._edits import keep_events
from shopsynth.generate._histories import EventForm, Histories
from shopsynth.generate._likelihood import Confidence
from shopsynth.schema import Progress, Settings

_FEWEST = 2
"""Items that stay: a single one teaches no step."""


class MaskOptions(Settings):
    """Options of ``mask``."""

    rate: float = Field(default=0.3, gt=0, lt=1)
    """Share of a history's items that are dropped; at least one, while two stay."""

    confidence: Confidence = 0.7
    """Share of the made histories that is kept, those whose new steps go best with what other
    people did."""


@augmenter("mask", MaskOptions)
def mask(form: EventForm, histories: Histories, options: MaskOptions, progress: Progress) -> Edited:
    """Random items dropped from histories.

    Histories of less than three items are taken only if there are no longer ones.

    Source:
        Xie et al., Contrastive Learning for Sequential Recommendation (CL4SRec),
        arXiv 2010.14395, section 3.3.2, "item mask", with its share on Beauty; a masked item is
        left out, because rows have no mask token.
    """
    _, likelihood = fit_likelihood(form, histories, progress)
    users = users_or_all(n_distinct_items(histories) > _FEWEST)
    edit = partial(_masked, rate=options.rate)
    return Edited(histories, users, edit, likelihood, options.confidence)


def _masked(histories: Histories, random: np.random.Generator, *, rate: float) -> Histories:
    width = int(histories.item.max()) + 1
    pairs, pair_of = np.unique(histories.user * width + histories.item, return_inverse=True)
    user = pairs // width
    sizes = np.bincount(user, minlength=histories.n_users)
    firsts = np.cumsum(sizes) - sizes
    order = np.lexsort((random.random(pairs.size), user))
    rank = np.empty(pairs.size, dtype=np.int64)
    rank[order] = np.arange(pairs.size) - firsts[user]
    quota = np.floor(rate * sizes + random.random(histories.n_users))
    quota = np.minimum(np.maximum(quota, 1), np.maximum(sizes - _FEWEST, 0))
    return keep_events(histories, (rank >= quota[user])[pair_of])
