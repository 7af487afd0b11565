"""crop: pieces of real histories, each without a gap.

In: a private view's events. Out: events of new users, each a part of one real history.

Shows a model the same steps from other beginnings and to other ends, so that it learns not to lean
on what is far away. Not for items or steps that nobody took, and no protection of its own beyond
what the view gives. The control ``noise`` crops too, but a third of its histories, and spoils
others by masks, shuffles and popular items; here nothing but the length changes.
"""

from dataclasses import replace
from functools import partial

import numpy as np
from pydantic import Field

from shopsynth.generate._augmentation import Edited, augmenter, users_or_all
from shopsynth.generate._edits import keep_events, pieces
from shopsynth.generate._episodes import begun_anew
from shopsynth.generate._histories import EventForm, Histories
from shopsynth.schema import Progress, Settings

_SHORTEST = 2
"""Events of a piece: a single one teaches no step."""


class CropOptions(Settings):
    """Options of ``crop``. Every step is a real one, so there is no confidence to ask for."""

    keep: float = Field(default=0.6, gt=0, le=1)
    """Share of a history that is kept, in one piece of at least two events; at least one event
    goes."""


@augmenter("crop", CropOptions)
def crop(form: EventForm, histories: Histories, options: CropOptions, progress: Progress) -> Edited:
    """Contiguous pieces of histories, at random places.

    Histories of less than three events are taken only if there are no longer ones. Times and
    sessions stay as they were; a session cut in two begins where the piece does. Where the shop has
    several types of events, an item that is cut in two is first seen, and not first bought: its
    events carry the first ones of their user's with it.

    Source:
        Xie et al., Contrastive Learning for Sequential Recommendation (CL4SRec),
        arXiv 2010.14395, section 3.3.1, "item crop", with its share on Beauty.
    """
    users = users_or_all(histories.lengths > _SHORTEST)
    types = form.carried.get_column("event_type", default=None)
    staged = types is not None and types.n_unique() > 1
    return Edited(histories, users, partial(_cropped, keep=options.keep, staged=staged))


def _cropped(
    histories: Histories, random: np.random.Generator, *, keep: float, staged: bool
) -> Histories:
    lengths = histories.lengths
    sizes = np.round(keep * lengths).astype(np.int64)
    # One event goes, unless two are left or there is only one.
    sizes = np.minimum(np.clip(sizes, _SHORTEST, np.maximum(lengths - 1, _SHORTEST)), lengths)
    kept = pieces(histories, sizes, random)
    if staged:
        histories = replace(histories, row=begun_anew(histories, kept))
    return keep_events(histories, kept)
