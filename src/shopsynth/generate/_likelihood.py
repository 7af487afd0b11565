"""How well made histories go with what people did: the confidence filter of the augmenters.

In: real histories, and what goes with what. Out: a score of each made history, and the best ones.
"""

from dataclasses import dataclass
from typing import Annotated, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from shopsynth.generate._draws import DrawTable, Floats, Integers, size_bucket
from shopsynth.generate._edits import is_known
from shopsynth.generate._histories import Histories

Confidence = Annotated[float, Field(gt=0, le=1)]
"""Share of the made histories that is kept. At .7 a quarter more of the new steps than at 1 are
taken by held-out people (benchmarks/confidence.py); below it the gain goes on, but what is made
gets less various."""

_NEIGHBOURS_SHARE = 0.2
"""Weight of neighbours against popularity, where nobody took a step. On held-out histories of 4,000
Amazon Beauty users .1 and .2 are likeliest (-6.17 a step), .5 less so (-6.33)."""


@dataclass(frozen=True)
class Likelihood:
    """A smoothed first-order model of steps from one item to another.

    ``p(b | a)`` is the share of steps from ``a`` that went to ``b``, trusted with
    ``n / (n + t)`` for ``n`` steps to ``t`` different items; the rest is shared by the neighbours
    of ``a`` by their weight, and by all items by popularity.

    A step is scored by ``log p(b | a) - log(popularity of b) / 2``, as the cosine divides by the
    root of popularity: halfway between the likelihood, which prefers popular items, and its ratio
    to popularity, which prefers rare pairs that happened once. Steps from an item to itself are
    not scored.

    Attributes:
        n_items: Size of the catalogue.
        steps: ``(n_steps,)`` keys ``a * n_items + b`` of the steps people took, rising.
        counts: ``(n_steps,)`` how often.
        left: ``(n_items,)`` steps from each item.
        choices: ``(n_items,)`` different items they led to.
        pairs: ``(n_pairs,)`` keys of items and their neighbours, rising.
        weights: ``(n_pairs,)`` of the neighbours.
        near: ``(n_items,)`` summed weights of each item's neighbours.
        users: ``(n_items,)`` people who had each item.
        popularity: ``(n_items,)`` share of events.

    Source:
        Witten and Bell, IEEE Trans. Inf. Theory 37(4), 1991, method C; neighbours after Deshpande
        and Karypis, ACM TOIS 22(1), 2004.
    """

    n_items: int
    steps: NDArray[np.int64]
    counts: Floats
    left: Floats
    choices: Floats
    pairs: NDArray[np.int64]
    weights: Floats
    near: Floats
    users: Floats
    popularity: Floats

    @classmethod
    def fit(cls, histories: Histories, neighbours: DrawTable, n_items: int) -> Self:
        """Count steps.

        Args:
            histories: Real events.
            neighbours: Table with one row an item.
            n_items: Size of the catalogue.
        """
        _, before, after = _steps_of(histories)
        steps, counts = np.unique(before * n_items + after, return_counts=True)
        line = np.repeat(np.arange(n_items), neighbours.sizes()[:n_items])
        owned = np.unique(histories.user * n_items + histories.item) % n_items
        seen = np.bincount(histories.item, minlength=n_items)
        return cls(
            n_items=n_items,
            steps=steps,
            counts=counts.astype(np.float64),
            left=np.bincount(before, minlength=n_items).astype(np.float64),
            choices=np.bincount(steps // n_items, minlength=n_items).astype(np.float64),
            pairs=line * n_items + neighbours.choices,
            weights=np.diff(neighbours.cumulative),
            near=neighbours.totals()[:n_items],
            users=np.bincount(owned, minlength=n_items).astype(np.float64),
            popularity=seen / seen.sum(),
        )

    def of_new_steps(self, made: Histories, sources: Histories) -> Floats:
        """Score edited histories by the steps that their sources do not have.

        What its own source says for a step does not count: others must confirm it.

        Args:
            made: Edited histories.
            sources: The real histories they were, user by user.

        Returns:
            ``(n_users,)`` mean score; infinity where nothing is new.
        """
        user, before, after = _steps_of(made)
        source_user, source_before, source_after = _steps_of(sources)
        step = _places(self.steps, before * self.n_items + after)
        real = _places(self.steps, source_before * self.n_items + source_after)
        taken = np.sort(source_user * self.steps.size + real)
        new = (step < 0) | ~_within(taken, user * self.steps.size + step)
        user, before, after = user[new], before[new], after[new]
        owned = np.unique(sources.user * self.n_items + sources.item)
        own_pair = _within(owned, user * self.n_items + before)
        own_pair &= _within(owned, user * self.n_items + after)
        scores = self._score(before, after, own_step=np.zeros_like(own_pair), own_pair=own_pair)
        return _means(user, scores, made.n_users)

    def of_whole(self, histories: Histories) -> Floats:
        """Score whole histories, real ones that were counted, or made ones drawn from counts.

        One person behind every step and pair does not count: in a real history it is its own, in
        a made one somebody's, whose step would else confirm itself. So the scores of both compare.

        Returns:
            ``(n_users,)`` mean score; infinity where there is no step.
        """
        user, before, after = _steps_of(histories)
        own = np.ones(user.size, dtype=np.bool_)
        scores = self._score(before, after, own_step=own, own_pair=own)
        return _means(user, scores, histories.n_users)

    def _score(
        self,
        before: NDArray[np.int64],
        after: NDArray[np.int64],
        *,
        own_step: NDArray[np.bool_],
        own_pair: NDArray[np.bool_],
    ) -> Floats:
        """Score steps between items that were bought, ``(n,)``.

        Args:
            before: ``(n,)`` item_index.
            after: ``(n,)`` item_index.
            own_step: ``(n,)`` whether one of the counted steps, if any, does not count.
            own_pair: ``(n,)`` whether one of those who had both items does not.
        """
        key = before * self.n_items + after
        step, pair = _places(self.steps, key), _places(self.pairs, key)
        count = np.zeros(key.size)
        count[step >= 0] = self.counts[step[step >= 0]]
        weight = np.zeros(key.size)
        weight[pair >= 0] = self.weights[pair[pair >= 0]]
        own_step = own_step & (count > 0)
        left = self.left[before] - own_step
        choices = self.choices[before] - (own_step & (count == 1))
        count = count - own_step
        alone = 1 / np.sqrt(np.maximum(self.users[before] * self.users[after], 1))
        weight = np.maximum(weight - own_pair * alone, 0.0)
        near = self.near[before]
        share = np.divide(weight, near, out=np.zeros_like(weight), where=near > 0)
        nearby = np.where(near > 0, _NEIGHBOURS_SHARE, 0.0)
        popular = self.popularity[after]
        backed_off = nearby * share + (1 - nearby) * popular
        likely = (count + choices * backed_off) / np.maximum(left + choices, 1)
        likely = np.where(left > 0, likely, backed_off)
        scores: Floats = np.log(likely / np.sqrt(popular))
        return scores


def most_confident(scores: Floats, lengths: NDArray[np.int64], n: int) -> NDArray[np.int64]:
    """Choose the ``n`` best histories, the same share of short and of long ones.

    Args:
        scores: ``(n_made,)``; of equal ones the first is better.
        lengths: ``(n_made,)`` events of each history.
        n: Wanted number.

    Returns:
        ``(n,)`` places, rising.

    Example:
        >>> most_confident(np.array([.5, .9, .1, .2]), np.array([2, 2, 8, 8]), 2).tolist()
        [1, 3]
    """
    bucket = size_bucket(lengths)
    order = np.lexsort((-scores, bucket))
    sizes = np.bincount(bucket)
    firsts = np.cumsum(sizes) - sizes
    rank = np.empty(scores.size, dtype=np.int64)
    rank[order] = np.arange(scores.size)
    share = (rank - firsts[bucket] + 0.5) / sizes[bucket]
    best: NDArray[np.int64] = np.argsort(share, kind="stable")[:n]
    return np.sort(best)


def _steps_of(
    histories: Histories,
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Return user, item and next item of all steps between different items."""
    after = np.flatnonzero(histories.index > 0)
    after = after[histories.item[after - 1] != histories.item[after]]
    item = histories.item.astype(np.int64)
    return histories.user[after], item[after - 1], item[after]


def _places(rising: NDArray[np.int64], keys: NDArray[np.int64]) -> NDArray[np.int64]:
    """Find keys among rising ones, -1 where they are not."""
    if rising.size == 0:
        return np.full(keys.size, -1)
    place = np.minimum(np.searchsorted(rising, keys), rising.size - 1)
    return np.where(rising[place] == keys, place, -1)


def _within(rising: NDArray[np.int64], keys: NDArray[np.int64]) -> NDArray[np.bool_]:
    return is_known(keys, rising) if rising.size else np.zeros(keys.size, dtype=np.bool_)


def _means(user: Integers, scores: Floats, n_users: int) -> Floats:
    n = np.bincount(user, minlength=n_users)
    total = np.bincount(user, weights=scores, minlength=n_users)
    means: Floats = np.divide(total, n, out=np.full(n_users, np.inf), where=n > 0)
    return means
