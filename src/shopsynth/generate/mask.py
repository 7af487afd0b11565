"""mask: real histories from which some items are gone, each with all of its events.

In: a private view's events. Out: events of new users who have a part of one real user's items.

Joins what had something between it, so that a model learns to look further back than one step.
Not for items that nobody bought, and no protection of its own beyond what the view gives. The
control ``noise`` masks single events of a third of its histories and adds popular items; here an
item goes as a whole, so that nobody buys what they never saw, and tears that people's behaviour
speaks against are dropped.
"""

from typing import ClassVar, Self

import numpy as np
from pydantic import Field

from shopsynth.generate._augmentation import (
    Sources,
    augment,
    fit_likelihood,
    n_distinct_items,
    users_or_all,
)
from shopsynth.generate._edits import keep_events
from shopsynth.generate._histories import Histories, read_histories
from shopsynth.generate._likelihood import Confidence
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

_METHOD = "mask"
_FEWEST = 2
"""Items that stay: a single one teaches no step."""


class MaskOptions(Settings):
    """Options of ``mask``."""

    rate: float = Field(default=0.3, gt=0, lt=1)
    """Share of a history's items that are dropped; at least one, while two stay."""

    confidence: Confidence = 0.7
    """Share of the made histories that is kept, those whose new steps go best with what other
    people did."""


@register("mask")
class Mask:
    """Random items dropped from histories.

    Histories of less than three items are taken only if there are no longer ones.

    Source:
        Xie et al., Contrastive Learning for Sequential Recommendation (CL4SRec),
        arXiv 2010.14395, section 3.3.2, "item mask", with its share on Beauty; a masked item is
        left out, because rows have no mask token.
    """

    Options: ClassVar[type[Settings]] = MaskOptions
    modes: ClassVar[frozenset[str]] = WITHOUT_GUARANTEE
    table: ClassVar[str] = "events"

    def __init__(self, options: MaskOptions) -> None:
        self.options = options
        self._sources: Sources | None = None

    def fit(self, view: PrivateView, *, seed: int, progress: Progress = SILENT) -> Self:
        """Find the histories that have items to spare; nothing in it is random.

        Raises:
            PrivacyError: If ``view`` is not a view of a mode without guarantee.
            EmptyDataError: If no catalogue item was ever bought.
        """
        check_view(view, _METHOD, self.modes)
        form, histories = read_histories(view, _METHOD)
        _, likelihood = fit_likelihood(form, histories, progress)
        users = users_or_all(n_distinct_items(histories) > _FEWEST)
        self._sources = Sources(form, histories, users, likelihood)
        return self

    def sample(
        self,
        n: int,
        *,
        conditions: Conditions | None = None,
        seed: int,
        progress: Progress = SILENT,
    ) -> SyntheticDataset:
        """Mask ``n`` real histories; beyond the real number, each is masked again anew.

        Raises:
            InputError: If ``fit`` has not run, ``n`` is not positive, or conditions are given.
        """
        check_request(n, conditions, _METHOD)
        return augment(
            n,
            fitted(self._sources, _METHOD),
            self._masked,
            confidence=self.options.confidence,
            method=_METHOD,
            options=self.options,
            seed=seed,
            progress=progress,
        )

    def _masked(self, histories: Histories, random: np.random.Generator) -> Histories:
        width = int(histories.item.max()) + 1
        pairs, pair_of = np.unique(histories.user * width + histories.item, return_inverse=True)
        user = pairs // width
        sizes = np.bincount(user, minlength=histories.n_users)
        firsts = np.cumsum(sizes) - sizes
        order = np.lexsort((random.random(pairs.size), user))
        rank = np.empty(pairs.size, dtype=np.int64)
        rank[order] = np.arange(pairs.size) - firsts[user]
        quota = np.floor(self.options.rate * sizes + random.random(histories.n_users))
        quota = np.minimum(np.maximum(quota, 1), np.maximum(sizes - _FEWEST, 0))
        return keep_events(histories, (rank >= quota[user])[pair_of])
