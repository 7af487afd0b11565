"""From a fitted network to synthetic rows, a block of users at a time.

In: what a fit learned and a plan. Out: a stream of :class:`SyntheticDataset`. Reads torch when it
draws, not before.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING, Self

import numpy as np

from shopsynth.generate._histories import EventForm, Histories, write_synthetic
from shopsynth.generate.sequences.conditions import Shop
from shopsynth.generate.sequences.options import SequenceLmOptions
from shopsynth.generate.sequences.plan import Plan
from shopsynth.schema import MissingExtraError, Progress, SyntheticDataset

if TYPE_CHECKING:
    from shopsynth.generate.sequences.decoding import Learned

_BLOCK_USERS = 4096
"""Histories grown at a time: some thousand numbers each, and enough for fast matrix products."""

MEETS = frozenset({"item_ids", "start", "category", "period"})
"""Conditions that drawing meets by itself, whatever the network is."""


@dataclass(frozen=True)
class Source:
    """What a method draws from.

    Attributes:
        options: The method's.
        shop: What conditions are checked against; knows the method's name.
        learned: The network, and all that drawing from it needs.
    """

    options: SequenceLmOptions
    shop: Shop
    learned: "Learned"

    @classmethod
    def of(
        cls,
        method: str,
        options: SequenceLmOptions,
        form: EventForm,
        histories: Histories,
        learned: "Learned",
    ) -> Self:
        """Put together what a fit gave."""
        return cls(options, Shop(method, form, learned.tokens, histories.lengths), learned)


def need_torch(method: str) -> None:
    """Refuse to go on without torch.

    Raises:
        MissingExtraError: If it is not installed.
    """
    if find_spec("torch") is None:
        raise MissingExtraError(
            f"generate.{method}: expected torch, got none; pip install 'shopsynth[torch]', "
            "or choose markov"
        )


def stream_histories(
    source: Source, plan: Plan, *, seed: int, random: np.random.Generator, progress: Progress
) -> Iterator[SyntheticDataset]:
    """Grow histories, all of a block at once, event by event; hold one block in memory."""
    from shopsynth.generate.sequences.decoding import Draws, grow
    from shopsynth.generate.sequences.item_draws import Taste

    options, shop, n = source.options, source.shop, plan.lengths.size
    taste = Taste(options.temperature, options.top_p, options.sharpness, options.popularity)
    draws = Draws.begin(source.learned, n, taste, random)
    progress.start(f"{shop.method}: histories", n)
    for first in range(0, n, _BLOCK_USERS):
        rows = np.arange(first, min(first + _BLOCK_USERS, n))
        block = grow(source.learned, plan.take(rows), draws)
        yield write_synthetic(
            block,
            shop.form,
            method=shop.method,
            options=options,
            seed=seed,
            first_user=first,
        )
        progress.advance(block.n_users)
