"""One outlier copied: does somebody share far more with the release than chance ever shares?

In: people of all three sides. Out: a p-value for the single most conspicuous train history.

One copy among thousands is no excess that a count could show. But the most isolated people share
little with anybody by chance, and how little has a tail. What a released history shares with a
person is told in bits: an item that one person in 1,024 bought is worth ten.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from shopsynth.evaluate.attacks.chance import Row
from shopsynth.evaluate.attacks.copies import basket_sets, rare_baskets
from shopsynth.evaluate.attacks.people import N_ASKED, People

if TYPE_CHECKING:
    from scipy.sparse import csr_array

_MIN_YARDSTICK = 100
"""With fewer people there is no tail to fit."""

_OUTLYING = 0.25
"""Of the isolated people this share, whose histories tell most, is asked about."""

_TAIL_SHARE = 0.1
_MIN_TAIL = 20
"""The tail: a tenth of the yardstick, and at least 20 of it."""

_NO_SPREAD = 1e-9
"""Where all share alike, what is left is rounding."""


@dataclass(frozen=True)
class Told:
    """What people are known by.

    Attributes:
        users: Their numbers, shape ``(people,)``.
        sets: Items of each, shape ``(people, n_items)``.
        bits: What these tell, all above 0, shape ``(people,)``.
    """

    users: np.ndarray
    sets: "csr_array"
    bits: np.ndarray


@dataclass(frozen=True)
class Tail:
    """How much more chance shares than the size of a history lets expect.

    The expectation is a power of what the history tells in all. Ratios to it have a Pareto tail.
    An exponential one would do if people chose apart; but shops sell bundles, and with it baskets
    of honest halves of a real shop (UCI Online Retail) had a median p-value of .04.

    Attributes:
        slope: Exponent of the expectation.
        intercept: Logarithm of the expectation at one bit.
        start: The logarithm of the ratio at which the tail begins.
        excess: Sum of what the logarithms of larger ratios lie above it.
        n: How many lie above.
        share: Which share of all lies above.
    """

    slope: float
    intercept: float
    start: float
    excess: float
    n: int
    share: float

    @classmethod
    def fit(cls, told: np.ndarray, shared: np.ndarray) -> "Tail | None":
        """Fit what people share by chance; ``None`` where there are too few or all alike.

        Args:
            told: Bits of each history.
            shared: The most bits of it that one history of others holds.
        """
        if told.size < _MIN_YARDSTICK or np.ptp(told) == 0:
            return None
        slope, intercept = np.polyfit(np.log(told), np.log(np.maximum(shared, 1.0)), 1)
        ratio = np.sort(np.log(np.maximum(shared, 1.0)) - slope * np.log(told) - intercept)
        n = max(_MIN_TAIL, int(_TAIL_SHARE * told.size))
        start = float(ratio[-n - 1])
        excess = float((ratio[-n:] - start).sum())
        if excess < _NO_SPREAD:
            return None
        return cls(float(slope), float(intercept), start, excess, n, n / told.size)

    def ratios(self, told: np.ndarray, shared: np.ndarray) -> np.ndarray:
        """Return what is shared over what the size lets expect."""
        expected = np.exp(self.slope * np.log(told) + self.intercept)
        return np.asarray(np.maximum(shared, 1.0) / expected)

    def p_largest(self, ratio: float, n_asked: int) -> float:
        """Return a bound on the chance that the largest of ``n_asked`` ratios is so large.

        Exact for a Pareto tail of unknown index, whose logarithms are exponential: the ratio of one
        such variable to a sum of ``n`` others; Bonferroni over those asked.
        """
        above = np.log(ratio) - self.start
        if above <= 0:
            return 1.0
        beyond = (1 + above / self.excess) ** -self.n
        return float(min(1.0, n_asked * self.share * beyond))

    def ratio_at(self, p: float, n_asked: int) -> float:
        """Return the ratio at which :meth:`p_largest` falls to ``p``."""
        beyond = min(1.0, p / (n_asked * self.share))
        return float(np.exp(self.start + self.excess * (beyond ** (-1 / self.n) - 1)))


def outlier_row(
    name: str, people: People, asked: tuple[Told, Told], level: float, note: str
) -> Row:
    """Test whether the most conspicuous of the most isolated train people is chance.

    Its p-value is the larger of those by two yardsticks: what isolated held-out people share with
    the release, and what the isolated train people share with each other.

    Args:
        name: Of the audit.
        people: All three sides.
        asked: What train and held-out people are known by.
        level: Share of the family error that this gate may use.
        note: About the mode.
    """
    train, heldout = asked
    release, standin = people.shared_bits((train.sets, heldout.sets), train.users)
    tails = [Tail.fit(heldout.bits, release[1]), Tail.fit(train.bits, standin[0])]
    fitted = [tail for tail in tails if tail is not None]
    everyone = np.concatenate([train.bits, heldout.bits])
    outlying = train.bits >= (np.quantile(everyone, 1 - _OUTLYING) if everyone.size else 0.0)
    if len(fitted) < len(tails) or not outlying.any():
        power = "with so few isolated people there is no tail of chance to compare with"
        return name, float("nan"), None, True, "; ".join(filter(None, (power, note)))
    n_asked = int(outlying.sum())
    judged = []
    for tail in fitted:
        largest = float(tail.ratios(train.bits[outlying], release[0][outlying]).max())
        # Nobody shares more bits than their history tells: these are the ratios of verbatim copies.
        whole = float(tail.ratios(train.bits[outlying], train.bits[outlying]).max())
        judged.append(
            (tail.p_largest(largest, n_asked), largest, tail.ratio_at(level, n_asked),
             tail.p_largest(whole, n_asked))
        )  # fmt: skip
    p_value, shown, visible, _ = max(judged)
    p_copied = max(each[-1] for each in judged)
    power = (
        f"of {n_asked} outliers one shares {shown:.1f} times as much with one synthetic "
        "history as chance lets expect of what tells as much; one copied person could not be told "
        f"from chance below {visible:.1f} times"
    )
    blind = p_copied > level
    if blind:
        power += (
            f"; even a copy of all that one of them bought would leave the p-value at "
            f"{p_copied:.3g}, so this gate cannot fail"
        )
    told = "; ".join(filter(None, (power, note)))
    return name, p_value, None if blind else level, blind or p_value > level, told


def isolated_histories(people: People) -> tuple[Told, Told]:
    """Choose the train and held-out users whose histories tell most."""
    told = (people.told(0), people.told(1))
    train, heldout = _most_telling(*told)
    return (
        Told(train, people.sets[0][train], told[0][train]),
        Told(heldout, people.sets[1][heldout], told[1][heldout]),
    )


def isolated_baskets(people: People) -> tuple[Told, Told]:
    """Choose the rare baskets of five items that tell most, any number of a person's."""
    sides = (people.train, people.heldout)
    owners, items = zip(*(rare_baskets(people, each) for each in sides), strict=True)
    told = tuple(people.bits[each].sum(axis=1) for each in items)
    chosen = _most_telling(told[0], told[1])
    train, heldout = (
        Told(users[kept], basket_sets(fives[kept], people.train.n_items), bits[kept])
        for users, fives, bits, kept in zip(owners, items, told, chosen, strict=True)
    )
    return train, heldout


def _most_telling(train: np.ndarray, heldout: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the places of the most bits, by one bound for both sides, none without any."""
    everyone = np.sort(np.concatenate([train, heldout]))
    bound = everyone[-min(2 * N_ASKED, everyone.size)] if everyone.size else 0.0
    # Ties at the bound are a handful; the cap keeps a shop of clones affordable.
    first, second = (
        np.flatnonzero((each >= bound) & (each > 0))[: 2 * N_ASKED] for each in (train, heldout)
    )
    return first, second
