"""crop: pieces of real histories, each without a gap.

In: a private view's events. Out: events of new users, each a part of one real history.

Shows a model the same steps from other beginnings and to other ends, so that it learns not to lean
on what is far away. Not for items or steps that nobody took, and no protection of its own beyond
what the view gives. The control ``noise`` crops too, but a third of its histories, and spoils
others by masks, shuffles and popular items; here nothing but the length changes.
"""

from typing import ClassVar, Self

import numpy as np
from pydantic import Field

from shopsynth.generate._augmentation import Sources, augment, users_or_all
from shopsynth.generate._edits import keep_events, pieces
from shopsynth.generate._histories import Histories, read_histories
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

_METHOD = "crop"
_SHORTEST = 2
"""Events of a piece: a single one teaches no step."""


class CropOptions(Settings):
    """Options of ``crop``. Every step is a real one, so there is no confidence to ask for."""

    keep: float = Field(default=0.6, gt=0, le=1)
    """Share of a history that is kept, in one piece of at least two events; at least one event
    goes."""


@register("crop")
class Crop:
    """Contiguous pieces of histories, at random places.

    Histories of less than three events are taken only if there are no longer ones. Times and
    sessions stay as they were; a session cut in two begins where the piece does.

    Source:
        Xie et al., Contrastive Learning for Sequential Recommendation (CL4SRec),
        arXiv 2010.14395, section 3.3.1, "item crop", with its share on Beauty.
    """

    Options: ClassVar[type[Settings]] = CropOptions
    modes: ClassVar[frozenset[str]] = WITHOUT_GUARANTEE
    table: ClassVar[str] = "events"

    def __init__(self, options: CropOptions) -> None:
        self.options = options
        self._sources: Sources | None = None

    def fit(self, view: PrivateView, *, seed: int, progress: Progress = SILENT) -> Self:
        """Find the histories that can be cut; nothing in it is random.

        Raises:
            PrivacyError: If ``view`` is not a view of a mode without guarantee.
            EmptyDataError: If no catalogue item was ever bought.
        """
        check_view(view, _METHOD, self.modes)
        progress.start("crop: histories to cut", 1)
        form, histories = read_histories(view, _METHOD)
        users = users_or_all(histories.lengths > _SHORTEST)
        self._sources = Sources(form, histories, users, None)
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
        """Cut ``n`` real histories; beyond the real number, each is cut again anew.

        Raises:
            InputError: If ``fit`` has not run, ``n`` is not positive, or conditions are given.
        """
        check_request(n, conditions, _METHOD)
        return augment(
            n,
            fitted(self._sources, _METHOD),
            self._cropped,
            method=_METHOD,
            options=self.options,
            seed=seed,
            progress=progress,
        )

    def _cropped(self, histories: Histories, random: np.random.Generator) -> Histories:
        lengths = histories.lengths
        sizes = np.round(self.options.keep * lengths).astype(np.int64)
        # One event goes, unless two are left or there is only one.
        sizes = np.minimum(np.clip(sizes, _SHORTEST, np.maximum(lengths - 1, _SHORTEST)), lengths)
        return keep_events(histories, pieces(histories, sizes, random))
