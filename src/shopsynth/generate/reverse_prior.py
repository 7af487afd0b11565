"""reverse_prior: short real histories with items before them that people may have come from.

In: a private view's events. Out: events of new users, each a short real history and its past.

Gives models that need some context something to start from where people left only a few events.
The newest events, which the past is made for, are real. Not for users with long histories, nor for
cold items, and no protection of its own beyond what the view gives.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from shopsynth.generate._augmentation import Edited, augmenter, fit_likelihood
from shopsynth.generate._draws import Pool, size_bucket
from shopsynth.generate._edits import turned_round
from shopsynth.generate._episodes import Episodes
from shopsynth.generate._histories import EventForm, Histories
from shopsynth.generate._likelihood import Confidence
from shopsynth.generate._walk import Walk
from shopsynth.schema import Progress, Settings

_MIN_USERS = 3
"""Of a context of several items, as in ``markov``: what one person did is not replayed."""


class ReversePriorOptions(Settings):
    """Options of ``reverse_prior``."""

    short: int = Field(default=5, ge=1)
    """Most events of a history that gets a past; where nobody has so few, the shortest do."""

    prior_items: int = Field(default=3, ge=1)
    """Items put before a history; fewer where nothing is known to come before."""

    order: int = Field(default=2, ge=1, le=4)
    """Later items that decide what came before them."""

    confidence: Confidence = 0.7
    """Share of the made histories that is kept, those whose new steps go best with what other
    people did."""


@augmenter("reverse_prior", ReversePriorOptions)
def reverse_prior(
    form: EventForm, histories: Histories, options: ReversePriorOptions, progress: Progress
) -> Edited:
    """Pseudo-prior items by a chain that runs backwards in time.

    The chain is of variable order, with Witten-Bell back-off to what was bought together. A prior
    item is new to its history. Ways in time are those of real steps, with the sessions they opened,
    in histories of about the length; where they would begin before the shop's first event, all of
    a past moves closer.

    Source:
        Liu, Fan, Wang and Yu, Augmenting Sequential Recommendation with Pseudo-Prior Items via
        Reversely Pre-training Transformer (ASReP), SIGIR 2021, arXiv 2105.00522; here with a chain
        in place of the transformer.
    """
    neighbours, likelihood = fit_likelihood(form, histories, progress)
    short = max(options.short, int(histories.lengths.min()))
    past = _Past(
        real=histories,
        walk=Walk.fit(
            histories,
            neighbours,
            form.n_items,
            order=options.order,
            min_users=_MIN_USERS,
            backwards=True,
            again=False,
        ),
        episodes=Episodes.fit(histories, form.n_items),
        rhythm=_rhythm(histories),
        prior_items=options.prior_items,
    )
    users = np.flatnonzero(histories.lengths <= short)
    return Edited(histories, users, past.edit, likelihood, options.confidence)


def _rhythm(histories: Histories) -> Pool:
    """Collect real steps, each by the place of its later event, by length of the history.

    One bucket more holds all steps, for lengths that no history has.
    """
    later = np.flatnonzero(histories.index > 0)
    bucket = size_bucket(histories.lengths)[histories.user[later]]
    n_buckets = int(size_bucket(histories.lengths).max()) + 1
    everywhere = np.full(later.size, n_buckets)
    return Pool.of(
        np.concatenate((bucket, everywhere)), np.concatenate((later, later)), n_buckets + 1
    )


@dataclass(frozen=True)
class _Past:
    """What came before; ``rhythm`` are places of real events by length of their history."""

    real: Histories
    walk: Walk
    episodes: Episodes
    rhythm: Pool
    prior_items: int

    def edit(self, histories: Histories, random: np.random.Generator) -> Histories:
        """Put a past before each history."""
        items, offsets = self.walk.extend(
            histories.item[turned_round(histories.offsets)],
            histories.offsets,
            np.full(histories.n_users, self.prior_items),
            random,
        )
        lengths = np.diff(offsets)
        index = np.arange(items.size) - np.repeat(offsets[:-1], lengths)
        prior = index < np.repeat(lengths - histories.lengths, lengths)
        item = items[turned_round(offsets)]
        user = np.repeat(np.arange(lengths.size), lengths)
        row = np.empty(items.size, dtype=np.int64)
        row[~prior] = histories.row
        row[prior] = self.episodes.draw(user[prior], item[prior], random)
        time, opens = self._past(histories, offsets, prior, random)
        return Histories(item=item, time=time, opens=opens, row=row, offsets=offsets)

    def _past(
        self,
        histories: Histories,
        offsets: NDArray[np.int64],
        prior: NDArray[np.bool_],
        random: np.random.Generator,
    ) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
        """Draw times and session starts of prior events; those of the others stay.

        Args:
            histories: The short histories.
            offsets: ``(n_users + 1,)`` borders with their past.
            prior: ``(n_events,)`` which events are of the past.
            random: Source of randomness.

        Returns:
            ``time`` and ``opens``, ``(n_events,)``.
        """
        real, pool = self.real, self.rhythm
        places = np.flatnonzero(prior)
        lengths = np.diff(offsets)
        user = np.repeat(np.arange(lengths.size), lengths)[places]
        everywhere = pool.pointers.size - 2
        bucket = np.minimum(size_bucket(lengths)[user], everywhere)
        bucket[np.diff(pool.pointers)[bucket] == 0] = everywhere
        # Place 0, the first event of all, where nobody took a step.
        step = pool.draw(bucket, random)
        gap = np.where(step > 0, real.time[step] - real.time[np.maximum(step - 1, 0)], 0)
        # From each prior event to the first real one: what is left of its user's whole way.
        passed = np.cumsum(gap)
        way = np.bincount(user, weights=gap, minlength=lengths.size)
        first_of_user = np.searchsorted(user, user)
        back = way[user] - (passed - passed[first_of_user] + gap[first_of_user] - gap)
        first, begin = histories.time[histories.offsets[:-1]], int(real.time.min())
        closer = np.minimum(1.0, (first - begin) / np.maximum(way, 1.0))
        time = np.empty(prior.size, dtype=np.int64)
        time[~prior] = histories.time
        time[places] = np.maximum(first[user] - (back * closer[user]).astype(np.int64), begin)
        opens = np.empty(prior.size, dtype=np.bool_)
        opens[~prior] = histories.opens
        opens[places + 1] = real.opens[step]
        opens[offsets[:-1]] = True
        return time, opens
