"""How items take off: what past launches teach about items that nobody has bought yet.

In: real histories and what the catalogue says of its items. Out: how many people take each of some
new items in its first weeks, in the mean and drawn.
"""

from dataclasses import dataclass
from typing import Literal, Self

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy import sparse

from shopsynth.generate._draws import Floats, Integers
from shopsynth.generate._histories import EventForm, Histories
from shopsynth.generate._kindred import NEVER, Clock, Kindred
from shopsynth.schema import SILENT, Progress

MIN_LAUNCHES = 30
"""Below it two coefficients say more about chance than about launches."""

LearnedFrom = Literal["available_at", "first events", "no launches"]

_BURN_IN = 0.25
"""Share of all takings that passes before an item seen first counts as launched: what sells once a
month seems new for a month."""

_WATCHED = 5000
"""Launches, or items on sale, that a line or a spread is fitted on; more say the same."""

_RIDGE = 1.0
"""On the coefficients' distance from "as kindred items do": one standard deviation each."""

_STEPS = 50
_SETTLED = 1e-9
"""Change of a coefficient below which a fit is done."""


@dataclass(frozen=True)
class LaunchRate:
    """How many people take new items within a window of their launch.

    The expectation is what kindred items get in the window before the launch, backed off from
    neighbours by content to the category, the price band and the whole shop; past launches say
    how new items differ from it: ``log(mean - least) = level + slope * log(kindred)``. The spread
    is theirs too: each new item does as much better or worse than its mean as one of them did.
    A negative binomial would have to give up the many duds of a shop or its few giants.

    Attributes:
        learned_from: ``available_at`` of the catalogue; ``first events`` of items; or ``no
            launches``: too few, so that new items are taken to do as kindred items do.
        n_launches: Past launches well inside the period, which could be watched.
        window_s: Length of the window in seconds; ``None`` in a shop without times, where the
            whole data are the window.
        level: Of the logarithm of the mean.
        slope: Of the logarithm of what kindred items get.
        ratios: ``(n_watched,)`` what past launches got over what was expected, rising; mean 1.
        least: People that every launch has: 1 where launches are known by their first event.
        kindred: ``(n,)`` what items like each new one got in the last window.

    Source:
        Poisson regression as a quasi-likelihood, right in the mean whatever the spread:
        Gourieroux, Monfort and Trognon, Econometrica 52(3), 1984, application to Poisson models.
    """

    learned_from: LearnedFrom
    n_launches: int
    window_s: float | None
    level: float
    slope: float
    ratios: Floats
    least: int
    kindred: Floats

    @classmethod
    def fit(
        cls,
        form: EventForm,
        histories: Histories,
        vectors: sparse.csr_matrix | None,
        items: Integers,
        *,
        progress: Progress = SILENT,
    ) -> Self:
        """Watch past launches and look around the new items; nothing in it is random.

        Args:
            form: What the events look like.
            histories: Real events.
            vectors: ``(n_items, n_features)`` content, or ``None`` where the catalogue is silent.
            items: ``(n,)`` item_index of the new items.
            progress: Listener.
        """
        clock = Clock.of(form, histories)
        kin = Kindred.of(form, vectors, clock)
        launched, starts, learned_from = _launches(form, clock)
        n_launches = launched.size
        if n_launches < MIN_LAUNCHES:
            launched = _spread_over(np.flatnonzero(clock.first != NEVER))
            starts = np.full(launched.size, clock.end - clock.window)
            learned_from = "no launches"
        least = 1 if learned_from == "first events" else 0
        got = clock.takings.between(launched, starts, starts + clock.window) - least
        if learned_from == "no launches":
            # The last window tells how far items are from their kin in that very window.
            known = kin.expected(launched, np.full(launched.size, clock.end), progress)
            level, slope = float(np.log((got.sum() + 0.5) / known.sum())), 1.0
        else:
            known = kin.expected(launched, starts, progress)
            level, slope = _poisson_line(np.log(known), got)
        return cls(
            learned_from=learned_from,
            n_launches=n_launches,
            window_s=clock.window_s,
            level=level,
            slope=slope,
            ratios=_ratios(got, np.exp(level) * known**slope),
            least=least,
            kindred=kin.expected(items, np.full(items.size, clock.end), progress),
        )

    def expected(self) -> Floats:
        """Return how many people take each new item in its window, in the mean, ``(n,)``."""
        mean: Floats = self.least + np.exp(self.level) * self.kindred**self.slope
        return mean

    def draw(self, random: np.random.Generator) -> NDArray[np.int64]:
        """Draw how many people take each new item in its window, ``(n,)``."""
        mean = self.expected() - self.least
        takers = mean * random.choice(self.ratios, mean.size)
        # Rounded by chance, so that the mean stays.
        drawn: NDArray[np.int64] = np.floor(takers + random.random(mean.size)).astype(np.int64)
        return drawn + self.least

    def share_out(self, n: int, random: np.random.Generator) -> NDArray[np.int64]:
        """Give ``n`` histories to new items, in proportion to how many people a draw gives each.

        Where there are enough, every item gets one first: a model that never meets it learns
        nothing of it.

        Args:
            n: Wanted histories.
            random: Source of randomness.

        Returns:
            ``(n,)`` places among the new items, in random order; each item's share is kept to
            within one history.
        """
        n_items = self.kindred.size
        first = np.arange(n_items if n >= n_items else 0)
        takers = self.draw(random).astype(np.float64)
        if takers.sum() == 0:
            takers = self.expected()
        upto = np.cumsum(takers) / takers.sum()
        n_more = n - first.size
        points = (np.arange(n_more) + random.random()) / max(n_more, 1)
        more = np.minimum(np.searchsorted(upto, points, side="right"), n_items - 1)
        return random.permutation(np.concatenate((first, more)))

    def told(self) -> dict[str, object]:
        """Return what was learned as JSON-ready facts."""
        return {
            "learned_from": self.learned_from,
            "launches": self.n_launches,
            "window_days": None if self.window_s is None else round(self.window_s / 86_400, 2),
            "level": round(self.level, 3),
            "slope": round(self.slope, 3),
            "median_ratio": round(float(np.median(self.ratios)), 3),
        }


def _launches(
    form: EventForm, clock: Clock
) -> tuple[NDArray[np.int64], NDArray[np.int64], LearnedFrom]:
    """Find items launched well inside the period; return them, their ticks and whence known.

    Both ends count: an item first seen early on may be an old one, and of a late one the window is
    not over.
    """
    if not clock.timed:
        none = np.zeros(0, dtype=np.int64)
        return none, none, "no launches"
    opening = max(clock.window, int(np.quantile(clock.tick, _BURN_IN)))
    closing = clock.end - clock.window

    def inside(moment: NDArray[np.int64]) -> NDArray[np.int64]:
        return np.flatnonzero((moment > opening) & (moment <= closing))

    declared = _available(form, clock)
    if declared is not None and inside(declared).size >= MIN_LAUNCHES:
        launched = _spread_over(inside(declared))
        return launched, declared[launched], "available_at"
    launched = _spread_over(inside(clock.first))
    return launched, clock.first[launched], "first events"


def _available(form: EventForm, clock: Clock) -> NDArray[np.int64] | None:
    """Read the catalogue's dates as ticks, ``NEVER`` where there is none."""
    if "available_at" not in form.items.columns:
        return None
    dates = form.items.unique("item_id", keep="first").select("item_id", "available_at")
    wanted = pl.DataFrame({"item_id": form.item_ids})
    rows = wanted.join(dates, on="item_id", how="left", maintain_order="left")["available_at"]
    ticks = (rows.dt.timestamp("us") - clock.start) // clock.unit
    known: NDArray[np.int64] = np.maximum(ticks.fill_null(NEVER).to_numpy(), NEVER)
    return known


def _spread_over(items: NDArray[np.int64]) -> NDArray[np.int64]:
    """Take every so manieth item, where there are more than are needed."""
    places = np.linspace(0, items.size - 1, min(items.size, _WATCHED)).astype(np.int64)
    return items[places]


def _poisson_line(log_known: Floats, got: Integers) -> tuple[float, float]:
    """Fit ``log mean = level + slope * log_known`` by Poisson regression.

    A ridge pulls towards level 0 and slope 1. The log-likelihood is concave: Newton's method with
    halved steps finds its maximum.
    """
    design = np.stack([np.ones_like(log_known), log_known], axis=1)
    start = np.array([0.0, 1.0])

    def likelihood(line: Floats) -> float:
        linear = design @ line
        return float(got @ linear - np.exp(linear).sum() - _RIDGE * ((line - start) ** 2).sum() / 2)

    line, step = start, np.ones(2)
    for _ in range(_STEPS):
        if np.abs(step).max() < _SETTLED:
            break
        mean = np.exp(design @ line)
        rise = design.T @ (got - mean) - _RIDGE * (line - start)
        step = np.linalg.solve((design.T * mean) @ design + _RIDGE * np.eye(2), rise)
        while likelihood(line + step) < likelihood(line) and np.abs(step).max() >= _SETTLED:
            step = step / 2
        line = line + step
    return float(line[0]), float(line[1])


def _ratios(got: Integers, mean: Floats) -> Floats:
    """Divide what launches got by what was expected; the mean is 1, unless all got nothing."""
    ratios = np.sort(got / mean)
    return ratios / ratios.mean() if ratios.any() else ratios
