"""sequence_lm: whole histories from a transformer over events that corrects what counts guess.

In: a private view's events and catalogue. Out: events of new users with items, types, sessions and
times.

Items are codes by content and company, so an item never bought has a place and can be asked for.
Not for shops of a few hundred events, where ``markov`` says as much in a thousandth of the time.

In mode dp a smaller network goes over categories of the public catalogue: it starts from the noisy
chain of ``markov`` and is trained by noisy gradients (DP-SGD over users). In the other modes it
gives no differential privacy. Needs torch.
"""

from collections.abc import Iterator
from typing import ClassVar, Self

import numpy as np

from shopsynth.generate._growth import Model, stream_grown
from shopsynth.generate._histories import read_histories
from shopsynth.generate._public_facts import refuse_options
from shopsynth.generate.base import (
    WITHOUT_GUARANTEE,
    Conditions,
    check_request,
    check_view,
    fitted,
    register,
    whole_sample,
)
from shopsynth.generate.sequences.conditions import make_plan
from shopsynth.generate.sequences.private_options import (
    ONLY_IN_DP,
    ONLY_WITH_ROWS,
    SequenceLmOptionsOfAllModes,
)
from shopsynth.generate.sequences.streaming import MEETS, Source, need_torch, stream_histories
from shopsynth.privacy import PrivateView
from shopsynth.schema import SILENT, Progress, Settings, SyntheticDataset

_METHOD = "sequence_lm"


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
        loss_: Surprise of the held-out users, nats an event; not in mode dp, which holds out none.
        steps_: Optimiser steps taken.

    Source:
        Codes of items: Rajput et al., TIGER, arXiv 2305.05065. Light heads from code to code: Lee
        et al., arXiv 2203.01941. A network over counts: Khandelwal et al., arXiv 1911.00172.
    """

    Options: ClassVar[type[Settings]] = SequenceLmOptionsOfAllModes
    modes: ClassVar[frozenset[str]] = WITHOUT_GUARANTEE | {"dp"}
    table: ClassVar[str] = "events"
    meets: ClassVar[frozenset[str]] = MEETS
    loss_: float
    steps_: int

    def __init__(self, options: SequenceLmOptionsOfAllModes) -> None:
        self.options = options
        self._model: Source | None = None
        self._private: Model | None = None

    def fit(self, view: PrivateView, *, seed: int, progress: Progress = SILENT) -> Self:
        """Train until held-out users of the view surprise no less; in mode dp buy what is learned.

        The same seed and number of threads give the same weights on a CPU. In mode dp the seed
        makes the first weights alone: noise has none.

        Raises:
            PrivacyError: If ``view`` is no view, its budget does not pay for the answers, or mode
                dp lacks a public bound on the users.
            RecipeError: If options do not belong to the view's mode, or mode dp lacks one.
            EmptyDataError: If no catalogue item was ever bought; never in mode dp, which would
                tell it.
            MissingExtraError: If torch is not installed.
            InputError: If the loss stops being finite.
            SourceError: If ``checkpoint_folder`` holds a damaged checkpoint.
        """
        check_view(view, _METHOD, self.modes)
        need_torch(_METHOD)
        private = view.mode == "dp"
        foreign = ONLY_WITH_ROWS if private else ONLY_IN_DP
        refuse_options(self.options, foreign, method=_METHOD, mode=view.mode)
        if private:
            self._fit_private(view, seed, progress)
        else:
            self._fit_rows(view, seed, progress)
        return self

    def _fit_private(self, view: PrivateView, seed: int, progress: Progress) -> None:
        from shopsynth.generate.sequences.private_fitting import fit_private_network

        plan = self.options.plan(view, _METHOD)
        self._private = fit_private_network(view, plan, self.options, seed=seed, progress=progress)
        self.steps_ = self.options.training_steps

    def _fit_rows(self, view: PrivateView, seed: int, progress: Progress) -> None:
        from shopsynth.generate.sequences.fitting import fit_network

        form, histories = read_histories(view, _METHOD)
        learned = fit_network(form, histories, self.options, seed=seed, progress=progress)
        self.loss_, self.steps_ = learned.loss, learned.n_steps
        self._model = Source.of(_METHOD, self.options, form, histories, learned)

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
        of the beginnings, in turn. After mode dp no condition is met.

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
        if self._private is not None:
            check_request(n, conditions, _METHOD)
            yield from stream_grown(
                n, self._private, method=_METHOD, options=self.options, seed=seed, progress=progress
            )
            return
        check_request(n, conditions, _METHOD, meets=MEETS)
        source = fitted(self._model, _METHOD)
        random = np.random.Generator(np.random.PCG64(seed))
        plan = make_plan(n, conditions, source.shop, random)
        yield from stream_histories(source, plan, seed=seed, random=random, progress=progress)
