"""sequence_lm: whole histories from a transformer over events that corrects what counts guess.

In: a private view's events and catalogue. Out: events of new users with items, types, sessions and
times.

Items are codes by content and company, so an item never bought has a place and can be asked for.
Not for shops of a few hundred events, where ``markov`` says as much in a thousandth of the time; it
gives no differential privacy. Needs torch.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING, ClassVar, Self

import numpy as np

from shopsynth.generate._histories import EventForm, read_histories, write_synthetic
from shopsynth.generate.base import (
    WITHOUT_GUARANTEE,
    Conditions,
    check_request,
    check_view,
    fitted,
    register,
    whole_sample,
)
from shopsynth.generate.sequences.conditions import Shop, make_plan
from shopsynth.generate.sequences.options import SequenceLmOptions
from shopsynth.privacy import PrivateView
from shopsynth.schema import SILENT, MissingExtraError, Progress, Settings, SyntheticDataset

if TYPE_CHECKING:
    from shopsynth.generate.sequences.decoding import Learned

_METHOD = "sequence_lm"
_BLOCK_USERS = 4096
"""Histories grown at a time: some thousand numbers each, and enough for fast matrix products."""

_MEETS = frozenset({"item_ids", "start", "category", "period"})


@dataclass(frozen=True)
class _Model:
    """What fit learned."""

    form: EventForm
    learned: "Learned"
    shop: Shop


@register("sequence_lm")
class SequenceLm:
    """An autoregressive transformer over a shop's own vocabulary.

    Each event is one step: the gap before it, whether an item comes again and which, else a new
    item code by code, then its type. A tree of all codes keeps every drawn path at an item. What
    nobody ever did after the same deeds with an item is not drawn, lengths are those of real
    histories, and the network knows how many events are to come.

    The scores of new items start from what counts of neighbours guess, each history's own pairs
    set aside while it is learned from; the network learns to correct that guess.

    Attributes:
        loss_: Surprise of the held-out users, nats an event.
        steps_: Optimiser steps taken.

    Source:
        Codes of items: Rajput et al., TIGER, arXiv 2305.05065. Light heads from code to code: Lee
        et al., arXiv 2203.01941. A network over counts: Khandelwal et al., arXiv 1911.00172.
    """

    Options: ClassVar[type[Settings]] = SequenceLmOptions
    modes: ClassVar[frozenset[str]] = WITHOUT_GUARANTEE
    table: ClassVar[str] = "events"
    meets: ClassVar[frozenset[str]] = _MEETS
    loss_: float
    steps_: int

    def __init__(self, options: SequenceLmOptions) -> None:
        self.options = options
        self._model: _Model | None = None

    def fit(self, view: PrivateView, *, seed: int, progress: Progress = SILENT) -> Self:
        """Train until held-out users of the view surprise no less.

        The same seed and number of threads give the same weights on a CPU.

        Raises:
            PrivacyError: If ``view`` is not a view of a mode without guarantee.
            EmptyDataError: If no catalogue item was ever bought.
            MissingExtraError: If torch is not installed.
            InputError: If the loss stops being finite.
            SourceError: If ``checkpoint_folder`` holds a damaged checkpoint.
        """
        check_view(view, _METHOD, self.modes)
        if find_spec("torch") is None:
            raise MissingExtraError(
                f"generate.{_METHOD}: expected torch, got none; pip install 'shopsynth[torch]', "
                "or choose markov"
            )
        from shopsynth.generate.sequences.fitting import fit_network

        form, histories = read_histories(view, _METHOD)
        learned = fit_network(form, histories, self.options, seed=seed, progress=progress)
        self.loss_, self.steps_ = learned.loss, learned.n_steps
        self._model = _Model(form, learned, Shop(form, learned.tokens, histories.lengths))
        return self

    def sample(
        self,
        n: int,
        *,
        conditions: Conditions | None = None,
        seed: int,
        progress: Progress = SILENT,
    ) -> SyntheticDataset:
        """Grow ``n`` histories.

        With ``item_ids`` every history gets one of them, chosen by the network; with ``category``
        it stays inside; with ``period`` inside a time window; with ``start`` it goes on from one
        of the beginnings, in turn.

        Raises:
            InputError: If ``fit`` has not run, ``n`` is not positive, or a condition cannot be met;
                the message names the nearest one that can.
        """
        return whole_sample(self.stream(n, conditions=conditions, seed=seed, progress=progress))

    def stream(
        self,
        n: int,
        *,
        conditions: Conditions | None = None,
        seed: int,
        progress: Progress = SILENT,
    ) -> Iterator[SyntheticDataset]:
        """Grow histories, all of a block at once, event by event; hold one block in memory.

        Raises:
            InputError: As ``sample``.
        """
        check_request(n, conditions, _METHOD, meets=_MEETS)
        model = fitted(self._model, _METHOD)
        from shopsynth.generate.sequences.decoding import Draws, grow
        from shopsynth.generate.sequences.item_draws import Taste

        options = self.options
        taste = Taste(options.temperature, options.top_p, options.sharpness, options.popularity)
        random = np.random.Generator(np.random.PCG64(seed))
        plan = make_plan(n, conditions, model.shop, random)
        draws = Draws.begin(model.learned, n, taste, random)
        progress.start("sequence_lm: histories", n)
        for first in range(0, n, _BLOCK_USERS):
            rows = np.arange(first, min(first + _BLOCK_USERS, n))
            block = grow(model.learned, plan.take(rows), draws)
            yield write_synthetic(
                block,
                model.form,
                method=_METHOD,
                options=options,
                seed=seed,
                first_user=first,
            )
            progress.advance(block.n_users)
