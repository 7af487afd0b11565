"""What a private chain asks, and how it splits its budget: all of it fixed before a row is read.

In: public facts: the catalogue, the names of columns, options. Out: questions to buy at once, and
by name what was answered.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

import numpy as np
import polars as pl

from shopsynth.generate._content import described
from shopsynth.generate._draws import Floats
from shopsynth.generate._item_space import principal_rows
from shopsynth.generate.sequences.semantic_ids import SemanticIds
from shopsynth.privacy import PrivateView
from shopsynth.privacy.mechanisms import (
    Amount,
    Feature,
    FirstGroup,
    FirstTime,
    GapWithin,
    GroupBigram,
    HistoryLength,
    HourOfDay,
    Item,
    PublicGroups,
    Rebuy,
    SessionGap,
    SessionOpening,
    UserHistogram,
    WordBigram,
)

_WEIGHTS: Mapping[str, tuple[float, bool]] = {
    "bigrams": (45, False),
    "items": (20, False),
    "lengths": (6, True),
    "openings": (5, False),
    "ways": (5, False),
    "rebuys": (5, False),
    "starts": (4, True),
    "first_times": (3, True),
    "types": (3, False),
    "gaps": (2, False),
    "hours": (1, False),
    "amounts": (1, False),
}
"""Parts of the squared mu, and whether a user has one cell at most, so that a clip of 1 cuts
nothing. The first is by far the largest table and what recommenders learn from; the rest have few
cells, which stand out of much noise. Set by hand."""

_SPARE = 1e-6
"""Of mu, left over: the grid's slack and rounding must not carry the plan over its allowance."""

_SECOND = 1_000_000
_HOUR = 3600 * _SECOND

LENGTH_GROWTH = 1.25
"""Bins of lengths above 10 grow by a quarter, the resolution at which lengths matter to a model."""

N_TIMES = 50
"""Bins of the period for first events: weeks in a year."""

PAUSES = tuple(_HOUR * minutes // 60 for minutes in (0, 1, 10, 60, 360, 1440))
JUMPS = (0.0, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.35, 0.5, 0.75)
GAPS = (0, 1, *(_SECOND * s for s in (10, 60, 300, 900)), *(_HOUR * h for h in (1, 3, 12, 24)))
AMOUNTS = (1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0, 12.0, 15.0, 20.0, 25.0, 50.0, 100.0)

_PATH = " > "

_CELL_DIM, _CELL_SEED = 32, 0
"""Directions of content by which a catalogue without categories is grouped, and the seed of that:
the groups are a fact of the catalogue and the same in every run."""


@dataclass(frozen=True)
class Answer:
    """Noisy counts and the standard deviation of their noise, which is public."""

    counts: Floats
    deviation: float


@dataclass(frozen=True, eq=False)
class PrivatePlan:
    """The questions of a private chain, by name.

    Attributes:
        groups: The public catalogue.
        columns: Columns of the shop's events.
        max_events: Bound on a user's events.
        period: First and last moment of the public period; ``None`` without times.
        words: Public event types.
        features: What is asked, by name.
    """

    groups: PublicGroups
    columns: tuple[str, ...]
    max_events: int
    period: tuple[int, int] | None
    words: tuple[str, ...]
    features: Mapping[str, Feature]

    @classmethod
    def of(
        cls,
        view: PrivateView,
        *,
        period: tuple[int, int] | None,
        max_groups: int,
        words: tuple[str, ...],
    ) -> Self:
        """Plan from what the view says of its shop without reading a row."""
        groups = public_groups(view.items, max_groups)
        columns, most = view.columns("events"), view.max_events_per_user
        features: dict[str, Feature] = {
            "bigrams": GroupBigram(groups),
            "items": Item(groups),
            "lengths": HistoryLength(length_bounds(most)),
            "starts": FirstGroup(groups),
            "rebuys": Rebuy(groups, doubling(most)),
        }
        if period is not None:
            features |= {
                "first_times": FirstTime(period, N_TIMES, doubling(most)),
                "ways": SessionGap(period[1], PAUSES, JUMPS, doubling(most)),
                "gaps": GapWithin(GAPS),
                "hours": HourOfDay(),
            }
        if period is not None or "session_id" in columns:
            features["openings"] = SessionOpening(session_bounds(most))
        if "event_type" in columns:
            features["types"] = WordBigram("event_type", words)
        if "quantity" in columns:
            features["amounts"] = Amount("quantity", AMOUNTS)
        return cls(groups, columns, most, period, words, features)

    def questions(self, mu: float, clip: float) -> list[UserHistogram]:
        """Split a budget: the questions' summed squares of 1 / noise_multiplier are ``mu`` squared.

        Args:
            mu: The view's allowance.
            clip: Greatest L2 norm of a user's counts where they may have several.
        """
        whole = sum(_WEIGHTS[name][0] for name in self.features)
        made = []
        for name, feature in self.features.items():
            weight, is_single = _WEIGHTS[name]
            share = mu * (1 - _SPARE) * (weight / whole) ** 0.5
            made.append(UserHistogram(feature, 1 / share, 1.0 if is_single else clip))
        return made

    def ask(self, view: PrivateView, clip: float, share: float = 1.0) -> dict[str, Answer]:
        """Buy all answers at once, for a share of the squared allowance."""
        questions = self.questions(view.allowance * share**0.5, clip)
        answers = view.buy(questions)
        return {
            name: Answer(counts, question.deviation)
            for name, question, counts in zip(self.features, questions, answers, strict=True)
        }


def public_groups(items: pl.DataFrame, at_most: int) -> PublicGroups:
    """Group the catalogue by its categories, as finely as the number of groups allows.

    A catalogue without categories is grouped by what else it says of its items.

    Category paths are cut to the deepest level that has fewer than ``at_most`` names; if even the
    first has more, the names with most items stay. Items without a kept name are in ``other``, and
    so is every item of a catalogue that says nothing.

    Args:
        items: The declared catalogue.
        at_most: Greatest number of groups, ``other`` among them.

    Example:
        >>> shop = pl.DataFrame({"item_id": ["b", "a", "c"], "category": ["x > y", "x > z", None]})
        >>> public_groups(shop, 9).group.tolist(), public_groups(shop, 2).group.tolist()
        ([1, 0, 2], [0, 0, 1])
    """
    listed = items.unique("item_id", keep="first", maintain_order=True).sort("item_id")
    if "category" not in listed.columns or not listed["category"].count():
        listed = listed.with_columns(category=_content_cells(listed))
    paths = listed["category"].str.split(_PATH)
    deepest = int(paths.list.len().fill_null(0).to_numpy().max(initial=1))
    for depth in range(deepest, 0, -1):
        names = paths.list.head(depth).list.join(_PATH)
        if names.drop_nulls().n_unique() < at_most:
            break
    sizes = (
        names.drop_nulls().value_counts(name="n").sort("n", "category", descending=[True, False])
    )
    kept = sizes["category"].head(at_most - 1).sort()
    group = names.replace_strict(
        kept,
        pl.int_range(kept.len(), dtype=pl.Int32, eager=True),
        default=kept.len(),
        return_dtype=pl.Int32,
    ).fill_null(kept.len())
    return PublicGroups(listed["item_id"], group.to_numpy(), kept.len() + 1)


def _content_cells(listed: pl.DataFrame) -> pl.Series:
    """Name the cell of each item's content; nothing for all if the catalogue says nothing."""
    content = described(listed, listed["item_id"])
    if content is None:
        return pl.Series([None], dtype=pl.String).new_from_index(0, listed.height)
    random = np.random.Generator(np.random.PCG64(_CELL_SEED))
    vectors = principal_rows(content, _CELL_DIM, random)
    coarsest = SemanticIds.fit(vectors, seed=_CELL_SEED).codes[:, 0]
    return pl.Series(coarsest).cast(pl.String)


def length_bounds(most: int) -> tuple[int, ...]:
    """Return the first lengths of bins up to ``most``: each to 10, then growing."""
    bounds = list(range(1, 11))
    while bounds[-1] < most:
        bounds.append(int(bounds[-1] * LENGTH_GROWTH))
    return tuple(bound for bound in bounds if bound <= most)


def doubling(most: int) -> tuple[int, ...]:
    """Return 1, 2, 4, ... up to ``most``: the bounds of ``size_bucket``."""
    return tuple(2**power for power in range(int(np.log2(most)) + 1))


def session_bounds(most: int) -> tuple[int, ...]:
    """Return 1 to 8, then 16, 32, ...: the bounds of a session's sizes in ``Timing.opening``."""
    return tuple(range(1, min(8, most + 1))) + tuple(size for size in doubling(most) if size >= 8)
