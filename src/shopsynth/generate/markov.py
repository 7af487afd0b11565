"""markov: whole histories from a Markov chain with back-off, also in mode dp.

In: a private view's events, or in mode dp its answers. Out: events of new users with items,
sessions and times.

Learns what starts a history, what follows what, how long histories are, how often a user comes
back to an item, what is done with it in which order, and the rhythm of sessions. Steps are dealt
like cards, so that each is as frequent as it was, to the history that it suits best. Not for cold
items: it knows only what was bought.

In mode dp the chain goes over categories of the public catalogue and is learned from noisy
histograms, bought at once. In the other modes it goes over items and gives no differential
privacy: long parts of one person's history can come again. A whole one of four and more events
that fewer than ``min_users`` people had does not, while the shop's items make another.
"""

from collections.abc import Iterator
from typing import ClassVar, Self

import numpy as np
from pydantic import Field

from shopsynth.generate._draws import DrawTable
from shopsynth.generate._episodes import Episodes
from shopsynth.generate._growth import Model, stream_grown
from shopsynth.generate._histories import read_histories
from shopsynth.generate._item_space import item_space
from shopsynth.generate._item_steps import ItemSteps
from shopsynth.generate._neighbours import bought_together
from shopsynth.generate._private_chain import fit_private_chain
from shopsynth.generate._public_facts import ONLY_IN_DP, PublicFacts, refuse_options
from shopsynth.generate._repeats import Repeats
from shopsynth.generate._timing import Timing
from shopsynth.generate._urns import Urns
from shopsynth.generate._wholes import Wholes
from shopsynth.generate.base import (
    WITHOUT_GUARANTEE,
    Conditions,
    check_request,
    check_view,
    fitted,
    register,
    whole_sample,
)
from shopsynth.privacy import PrivateView
from shopsynth.schema import SILENT, Progress, Settings, SyntheticDataset

_METHOD = "markov"
_DIM = 32
"""Directions of the space in which exchanges are judged."""

_ONLY_WITH_ROWS = frozenset({"order", "back_off", "min_users", "neighbours", "rounds"})


class MarkovOptions(PublicFacts):
    """Options of ``markov``."""

    order: int = Field(default=1, ge=1, le=4)
    """Longest context, in items; two and more are served first from people who had the same. On
    Amazon Beauty 2 and 3 gained nothing over 1. Not in mode dp, whose chain has one category."""

    back_off: float = Field(default=0.05, ge=0)
    """How readily similar items are taken instead of what followed: 1 is Witten-Bell smoothing, 0
    only steps that somebody took. On two validation cuts of Amazon Beauty .05 kept .95 and .99 of
    what real histories teach a Markov chain and ItemKNN, .1 kept .94 and .97. Not in mode dp."""

    min_users: int = Field(default=3, ge=1)
    """What fewer users did is not replayed: contexts of two and more items, and whole histories of
    four and more events. Not in mode dp."""

    neighbours: int = Field(default=20, ge=1)
    """Similar items that may follow where the chain backs off. Not in mode dp."""

    rounds: int = Field(default=3, ge=0, le=8)
    """Exchanges of next items between histories at the same context, so that a history suits its
    earlier items, too: 0 leaves it to chance. Not in mode dp."""


@register("markov")
class Markov:
    """Markov synthesizer: of variable order over items, in mode dp of order one over categories.

    Source:
        Back-off after Witten and Bell (1991); the idea of private Markov models of clipped
        sequences after PrivTrace (arXiv 2210.00581).
    """

    Options: ClassVar[type[Settings]] = MarkovOptions
    modes: ClassVar[frozenset[str]] = WITHOUT_GUARANTEE | {"dp"}
    table: ClassVar[str] = "events"

    def __init__(self, options: MarkovOptions) -> None:
        self.options = options
        self._model: Model | None = None

    def fit(self, view: PrivateView, *, seed: int, progress: Progress = SILENT) -> Self:
        """Count transitions, lengths, repeats and times; in mode dp buy noisy counts, once.

        Nothing takes the seed: counts are not random, and the noise of mode dp has none.

        Raises:
            PrivacyError: If ``view`` is no view, or its budget does not pay for the answers.
            EmptyDataError: If no catalogue item was ever bought; never in mode dp, which would
                tell it.
            RecipeError: If options do not belong to the view's mode, or mode dp lacks one.
        """
        check_view(view, _METHOD, self.modes)
        private = view.mode == "dp"
        foreign = _ONLY_WITH_ROWS if private else ONLY_IN_DP
        refuse_options(self.options, foreign, method=_METHOD, mode=view.mode)
        if private:
            progress.start("markov: noisy counts", 1)
            plan = self.options.plan(view, _METHOD)
            self._model = fit_private_chain(view, plan, self.options.clip)
            progress.advance(1)
        else:
            self._model = self._fit_rows(view, seed, progress)
        return self

    def _fit_rows(self, view: PrivateView, seed: int, progress: Progress) -> Model:
        options = self.options
        random = np.random.Generator(np.random.PCG64(seed))
        form, histories = read_histories(view, _METHOD)
        repeats = Repeats.fit(histories, form.n_items)
        neighbours = bought_together(
            histories, form.n_items, k=options.neighbours, progress=progress
        )
        urns = Urns.fit(
            histories,
            ~repeats.is_repeat,
            n_items=form.n_items,
            order=options.order,
            back_off=options.back_off,
            min_users=options.min_users,
            random=random,
        )
        popular = histories.item[~repeats.is_repeat]
        steps = ItemSteps(
            form=form,
            urns=urns,
            neighbours=neighbours.with_empty_row(),
            popularity=DrawTable.of(np.zeros_like(popular), popular, np.ones(popular.size), 1),
            repeats=repeats,
            episodes=Episodes.fit(histories, form.n_items),
            wholes=Wholes.fit(histories, form.n_items, min_users=options.min_users, random=random),
            space=item_space(histories, form.n_items, dim=_DIM, random=random),
            order=options.order,
            rounds=options.rounds,
        )
        return Model(form, histories.lengths, steps, Timing.fit(histories, form.n_items))

    def sample(
        self,
        n: int,
        *,
        conditions: Conditions | None = None,
        seed: int,
        progress: Progress = SILENT,
    ) -> SyntheticDataset:
        """Grow ``n`` histories.

        Raises:
            InputError: If ``fit`` has not run, ``n`` is not positive, or conditions are given.
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
        """Grow histories, all of a block at once, item by item; hold one block in memory.

        Raises:
            InputError: As ``sample``.
        """
        check_request(n, conditions, _METHOD)
        model = fitted(self._model, _METHOD)
        yield from stream_grown(
            n, model, method=_METHOD, options=self.options, seed=seed, progress=progress
        )
