"""What people did next, dealt out like cards instead of drawn anew each time.

In: real histories. Out: for the last items of many histories at once, a next item each.

Independent draws lose a third of all steps by chance where most were taken once or twice. Cards
that are dealt without putting back keep each as often as it was, whoever gets it.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from shopsynth.generate._draws import Floats, Integers
from shopsynth.generate._histories import Histories


@dataclass(frozen=True)
class Contexts:
    """Runs of several last items that enough people share.

    Attributes:
        keys: ``(n_contexts,)`` rising: number of the context one item shorter, times the states,
            plus the item further back.
        trust: ``(n_contexts,)`` one with ``n`` steps to ``t`` different items is trusted with
            ``n / (n + back_off * t)``.
        of_card: ``(n_cards,)`` context of the real step behind each card, -1 for one too rare.
    """

    keys: NDArray[np.int64]
    trust: Floats
    of_card: NDArray[np.int64]


@dataclass(frozen=True)
class Urns:
    """One urn of next items an item; every real step lies in the urn of its last item.

    Attributes:
        trust: ``(n_items + 1,)`` probability of taking an item's urn and not backing off, as for
            contexts. The last urn is that of the start.
        pointers: ``(n_items + 2,)`` places in ``cards``.
        cards: ``(n_cards,)`` next items, shuffled within an urn.
        contexts: Of 2, 3, ... items.

    Source:
        Back-off after Witten and Bell, IEEE Trans. Inf. Theory 37(4), 1991, method C, where
        ``back_off`` is 1. Dealing is systematic sampling: Kitagawa, J. Comput. Graph. Stat. 5(1),
        1996, appendix.
    """

    trust: Floats
    pointers: NDArray[np.int64]
    cards: NDArray[np.int32]
    contexts: tuple[Contexts, ...]

    @classmethod
    def fit(
        cls,
        histories: Histories,
        counted: NDArray[np.bool_],
        *,
        n_items: int,
        order: int,
        back_off: float,
        min_users: int,
        random: np.random.Generator,
    ) -> Self:
        """Lay every step into its urn.

        Args:
            histories: Real events.
            counted: ``(n_events,)`` events that are steps to a next item; all are contexts.
            n_items: Size of the catalogue; ``n_items`` itself is the state before the start.
            order: Longest context, in items.
            back_off: Weight of backing off.
            min_users: Contexts of two and more items need so many users: what one person did must
                not be replayed.
            random: Source of randomness.
        """
        steps = random.permutation(np.flatnonzero(counted))
        last = _item_before(histories, 1, n_items)
        steps = steps[np.argsort(last[steps], kind="stable")]
        user, item, shorter = histories.user[steps], histories.item[steps], last[steps]
        trust = _trust(shorter, item, n_items + 1, back_off)
        trust[n_items] = 1.0  # Everybody begins somewhere.
        contexts = []
        for back in range(2, order + 1):
            further = _item_before(histories, back, n_items)[steps]
            keys, of_card = _shared(_keys(shorter, further, n_items + 1), user, min_users)
            contexts.append(Contexts(keys, _trust(of_card, item, keys.size, back_off), of_card))
            shorter = of_card
        sizes = np.bincount(last[steps], minlength=n_items + 1)
        return cls(trust, np.concatenate(([0], np.cumsum(sizes))), item, tuple(contexts))

    def find_contexts(
        self, recent: list[Integers], random: np.random.Generator
    ) -> list[NDArray[np.int64]]:
        """Find each history's contexts of 2, 3, ... items that the lot trusts.

        Args:
            recent: ``order`` arrays ``(n,)``: last items, items before them, and so on.
            random: Source of randomness.

        Returns:
            One array ``(n,)`` a length, -1 where there is none.
        """
        found: list[NDArray[np.int64]] = []
        shorter = recent[0].astype(np.int64)
        for level, further in zip(self.contexts, recent[1:], strict=True):
            shorter = _places(level.keys, _keys(shorter, further, self.trust.size))
            known = np.flatnonzero(shorter >= 0)
            trusted = shorter.copy()
            doubted = random.random(known.size) >= level.trust[shorter[known]]
            trusted[known[doubted]] = -1
            found.append(trusted)
        return found


@dataclass
class Deal:
    """One pass through the urns, which goes on where it stopped.

    Attributes:
        urns: What is dealt from.
        dealt: ``(n_urns,)`` cards dealt so far, counted from a random one; an urn that is empty is
            filled again.
    """

    urns: Urns
    dealt: NDArray[np.int64]

    @classmethod
    def begin(cls, urns: Urns, random: np.random.Generator) -> Self:
        """Begin at a random card of every urn."""
        sizes = np.diff(urns.pointers)
        return cls(urns, (random.random(sizes.size) * sizes).astype(np.int64))

    def draw(
        self, urn: NDArray[np.int64], contexts: list[NDArray[np.int64]]
    ) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
        """Deal one card to each history; cards go first to who shares their longest context.

        Args:
            urn: ``(n,)`` urn numbers, -1 for none.
            contexts: ``(n,)`` of 2, 3, ... items, -1 for none.

        Returns:
            ``(n,)`` items, -1 where the urn has none; and who got one, sorted by urn.
        """
        low = self.urns.pointers[urn]
        size = np.where(urn >= 0, self.urns.pointers[urn + 1] - low, 0)
        served = np.flatnonzero(size)
        served = served[np.argsort(urn[served], kind="stable")]
        ordered = urn[served]
        starts, sizes = runs(ordered)
        rank = np.arange(served.size) - np.repeat(starts, sizes)
        card = low[served] + (self.dealt[ordered] + rank) % size[served]
        self.dealt[ordered[starts]] += sizes
        if contexts:
            wanted = [context[served] for context in contexts]
            card = card[_handed_out(wanted, [level.of_card[card] for level in self.urns.contexts])]
        drawn = np.full(urn.size, -1, dtype=np.int32)
        drawn[served] = self.urns.cards[card]
        return drawn, served


def runs(ordered: Integers) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Find where runs of equal numbers start, and how long they are.

    Example:
        >>> starts, sizes = runs(np.array([4, 4, 7]))
        >>> starts.tolist(), sizes.tolist()
        ([0, 2], [2, 1])
    """
    starts = np.flatnonzero(np.diff(ordered, prepend=-2))
    return starts, np.diff(np.append(starts, ordered.size))


def _item_before(histories: Histories, back: int, start: int) -> NDArray[np.int64]:
    """Return the item ``back`` events before each event, ``start`` before the first."""
    index = histories.index
    place = np.maximum(np.arange(index.size) - back, 0)
    return np.where(index >= back, histories.item[place].astype(np.int64), start)


def _keys(shorter: NDArray[np.int64], further: Integers, n_states: int) -> NDArray[np.int64]:
    return np.where(shorter >= 0, shorter * n_states + further, -1)


def _places(known: NDArray[np.int64], keys: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return where keys stand among the known ones, which rise; -1 where they do not."""
    if not known.size:
        return np.full(keys.size, -1, dtype=np.int64)
    place = np.minimum(np.searchsorted(known, keys), known.size - 1)
    return np.where(known[place] == keys, place, -1)


def _shared(
    keys: NDArray[np.int64], user: NDArray[np.int64], min_users: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the keys that enough people share, rising, and each key's place there or -1."""
    known, place = np.unique(keys, return_inverse=True)
    width = int(user.max(initial=0)) + 1
    n_users = np.bincount(np.unique(place * width + user) // width, minlength=known.size)
    shared = (n_users >= min_users) & (known >= 0)
    return known[shared], np.where(shared, np.cumsum(shared) - 1, -1)[place]


def _trust(
    context: NDArray[np.int64], item: NDArray[np.int32], n_contexts: int, back_off: float
) -> Floats:
    known = context >= 0
    context, width = context[known], int(item.max(initial=0)) + 1
    seen = np.bincount(context, minlength=n_contexts)
    different = np.unique(context * width + item[known])
    doubt = seen + back_off * np.bincount(different // width, minlength=n_contexts)
    return np.divide(seen, doubt, out=np.zeros(n_contexts), where=seen > 0)


def _handed_out(
    wanted: list[NDArray[np.int64]], offered: list[NDArray[np.int64]]
) -> NDArray[np.int64]:
    """Say who gets which card: first those whose longest contexts agree, the rest in order.

    Args:
        wanted: Of histories, contexts of 2, 3, ... items, ``(n,)`` each.
        offered: Of cards, likewise. Cards and histories stand by urn, as many of each.

    Returns:
        ``(n,)`` the card of each history; a permutation that keeps to the urns.
    """
    given = np.arange(wanted[0].size)
    history, card = given.copy(), given.copy()
    for want, offer in reversed(list(zip(wanted, offered, strict=True))):
        _, one, other = np.intersect1d(
            _numbered(want[history]),
            _numbered(offer[card]),
            assume_unique=True,
            return_indices=True,
        )
        agreed = want[history[one]] >= 0
        one, other = one[agreed], other[agreed]
        given[history[one]] = card[other]
        history, card = np.delete(history, one), np.delete(card, other)
    given[history] = card
    return given


def _numbered(context: NDArray[np.int64]) -> NDArray[np.int64]:
    """Number equal contexts through, so that each number stands once."""
    order = np.argsort(context, kind="stable")
    starts, sizes = runs(context[order])
    numbers = np.empty(context.size, dtype=np.int64)
    rank = np.arange(context.size) - np.repeat(starts, sizes)
    numbers[order] = context[order] * (context.size + 1) + rank
    return numbers
