"""pattern: new histories grown around what many people bought in one order.

In: a private view's events. Out: events of new users, each with a frequent pattern in it.

Says again what many people confirm, in new company: pairs and triples of items that enough users
share, with a chain's past before and its future behind. Not for cold items, nor for shops so small
that nothing is frequent, where it is a plain chain. It gives no differential privacy; what fewer
than ``min_users`` users share is no pattern.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from shopsynth.generate._augmentation import BLOCK_USERS, augmenter, fit_likelihood
from shopsynth.generate._draws import (
    DrawTable,
    Floats,
    empirical_draws,
    size_bucket,
    spread_uniforms,
)
from shopsynth.generate._edits import joined, take_users, turned_round
from shopsynth.generate._episodes import Episodes
from shopsynth.generate._histories import EventForm, Histories
from shopsynth.generate._likelihood import Confidence, Likelihood, most_confident
from shopsynth.generate._patterns import Patterns
from shopsynth.generate._timing import Timing
from shopsynth.generate._walk import Walk
from shopsynth.schema import Progress, Settings


class PatternOptions(Settings):
    """Options of ``pattern``."""

    min_users: int = Field(default=3, ge=1)
    """People who must have a pattern, or a context of several items, for it to be used."""

    window: int = Field(default=4, ge=2, le=10)
    """Events from a pattern's first item to its last, both counted."""

    order: int = Field(default=2, ge=1, le=4)
    """Longest context of the chain, in items."""

    band: float = Field(default=0.9, gt=0, le=1)
    """Share of real histories, without the least and the most likely ones, between whose
    likelihoods a made one should lie."""

    confidence: Confidence = 0.8
    """Share of the made histories that is kept; those furthest outside the band go first."""


@augmenter("pattern", PatternOptions)
def pattern(
    form: EventForm, histories: Histories, options: PatternOptions, progress: Progress
) -> "_Regrown":
    """Histories regenerated around frequent patterns, with a likelihood filter.

    A pattern is drawn by its number of users and stands at a random place of a history of a real
    length. What came before is walked backwards from it, what came next forwards from there, with
    as many repeats as people have. A history is kept if it is about as likely as real ones would
    be had they not been counted: less likely ones make no sense, more likely ones say nothing new.

    Source:
        In the spirit of Yin et al., Dataset Regeneration for Sequential Recommendation (DR4SR),
        arXiv 2405.17795; here without its networks.
    """
    neighbours, likelihood = fit_likelihood(form, histories, progress)
    patterns = Patterns.mine(
        histories, form.n_items, window=options.window, min_users=options.min_users
    )
    past, future = (
        Walk.fit(
            histories,
            neighbours,
            form.n_items,
            order=options.order,
            min_users=options.min_users,
            backwards=backwards,
        )
        for backwards in (True, False)
    )
    number = np.arange(patterns.users.size)
    several = histories.lengths[histories.lengths > 1]  # A single event teaches nothing.
    return _Regrown(
        patterns=patterns,
        by_users=DrawTable.of(np.zeros_like(number), number, patterns.users, 1),
        past=past,
        future=future,
        lengths=several if several.size else histories.lengths,
        episodes=Episodes.fit(histories, form.n_items),
        timing=Timing.fit(histories, form.n_items),
        timed="timestamp" in form.columns,
        likelihood=likelihood,
        band=_band(likelihood.of_whole(histories), histories.lengths, options.band),
        confidence=options.confidence,
    )


@dataclass(frozen=True)
class _Regrown:
    """What was learned; ``band`` has one row a bucket of lengths: lowest and highest score."""

    patterns: Patterns
    by_users: DrawTable
    past: Walk
    future: Walk
    lengths: NDArray[np.int64]
    episodes: Episodes
    timing: Timing
    timed: bool
    likelihood: Likelihood
    band: Floats
    confidence: float

    def sample(self, n: int, random: np.random.Generator, progress: Progress) -> Histories:
        """Grow ``n`` histories, block by block."""
        blocks = []
        for first in range(0, n, BLOCK_USERS):
            size = min(BLOCK_USERS, n - first)
            made = self._grown(int(np.ceil(size / self.confidence)), random)
            scores = -_outside(self.likelihood.of_whole(made), made.lengths, self.band)
            blocks.append(take_users(made, most_confident(scores, made.lengths, size)))
            progress.advance(size)
        return self.timing.sample(joined(blocks), random, timed=self.timed)

    def _grown(self, n: int, random: np.random.Generator) -> Histories:
        """Grow ``n`` histories, each around a pattern; without times."""
        nobody = np.zeros(n, dtype=np.int64)
        drawn = self.by_users.draw(nobody, spread_uniforms(nobody, random))
        sizes = self.patterns.sizes[drawn]
        lengths = random.permutation(empirical_draws(self.lengths, n, random))
        lengths = np.maximum(lengths, sizes)
        before = (random.random(n) * (lengths - sizes + 1)).astype(np.int64)
        items = self.patterns.items[drawn]
        offsets = np.concatenate(([0], np.cumsum(sizes)))
        backwards = items[items >= 0][turned_round(offsets)]
        item, offsets = self.past.extend(backwards, offsets, before, random)
        item = item[turned_round(offsets)]
        # A past that ended early leaves more to the future.
        item, offsets = self.future.extend(item, offsets, lengths - np.diff(offsets), random)
        user = np.repeat(np.arange(n), np.diff(offsets))
        return Histories(
            item=item,
            time=np.zeros(item.size, dtype=np.int64),
            opens=np.zeros(item.size, dtype=np.bool_),
            row=self.episodes.draw(user, item, random),
            offsets=offsets,
        )


def _band(scores: Floats, lengths: NDArray[np.int64], share: float) -> Floats:
    """Find between which scores the middle ``share`` of real histories lies, by length.

    Returns:
        ``(n_buckets, 2)``; without limits where no history of such lengths has a step.
    """
    bucket = size_bucket(lengths)
    band = np.tile([-np.inf, np.inf], (int(bucket.max()) + 1, 1))
    told = np.isfinite(scores)
    for place in np.unique(bucket[told]):
        edges = ((1 - share) / 2, (1 + share) / 2)
        band[place] = np.quantile(scores[told & (bucket == place)], edges)
    return band


def _outside(scores: Floats, lengths: NDArray[np.int64], band: Floats) -> Floats:
    """Return how far each score lies outside its band, 0 inside; ``(n,)``."""
    told = np.isfinite(scores)
    low, high = band[np.minimum(size_bucket(lengths[told]), band.shape[0] - 1)].T
    outside = np.zeros(scores.size)
    outside[told] = np.maximum(np.maximum(low - scores[told], scores[told] - high), 0)
    return outside
