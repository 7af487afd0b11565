"""The facts that a verdict rests on, before any language tells them.

In: an :class:`Evaluation`, the summary's claims and registration, one task's topic. Out: a
:class:`Case`, which the explanations in English and in Chinese are composed from.
"""

import math
from dataclasses import dataclass
from typing import Literal

from shopsynth.report.comparisons import (
    BASELINE,
    SIDE_INFORMATION,
    SYSTEM,
    Comparison,
    comparisons,
    find,
)
from shopsynth.report.summary_parts import SummaryHypothesis, SummaryRegistration
from shopsynth.report.topics import Topic
from shopsynth.schema import FUSED, Evaluation

SIDE_MARGIN = 0.01
"""Relative loss against side information that still counts as matching it (PROOF §4)."""

FEW_SEEDS = 5
"""Below this many paired runs a small gain cannot be shown: +3 % took five on Beauty (PROOF §1)."""

MORE_SEEDS = 3
"""How many times the runs the explanation imagines."""

MOST_SEEDS = 100
"""More runs than this are no advice."""

_SIDES: dict[str, Literal["beyond", "matched", "short"]] = {
    "beyond side information": "beyond",
    "not worse than side information": "matched",
    "not shown to match side information": "short",
}


@dataclass(frozen=True)
class Case:
    """What is known about one task's headline.

    Attributes:
        topic: Task, model, metric.
        main: The headline model, combined against real.
        claim: The registered hypothesis about it, where there is one.
        registration: When the plan was fixed and which look this is, where there is a plan.
        controls: The headline model against each control that ran.
        unbeaten: Controls that ran and are not beaten.
        missing: Controls of the plan that did not run for this model.
        side: How combined compares with side information; empty where not compared.
        confirmed_by: Other models that moved the same way.
        other_models: Other models that were compared at all, the best system left out.
        system: The best system with against the best without, unless it is the headline itself.
        oracle_share: Uplift as a share of what as many real rows give; NaN where not measured.
    """

    topic: Topic
    main: Comparison
    claim: SummaryHypothesis | None
    registration: SummaryRegistration | None
    controls: tuple[Comparison, ...]
    unbeaten: tuple[str, ...]
    missing: tuple[str, ...]
    side: Literal["", "beyond", "matched", "short"]
    confirmed_by: tuple[str, ...]
    other_models: tuple[str, ...]
    system: Comparison | None
    oracle_share: float

    @property
    def verdict(self) -> str:
        """Return what the evaluate room concluded of the comparison."""
        return self.main.verdict

    @property
    def is_exploratory(self) -> bool:
        """Say whether this result can confirm nothing."""
        return self.claim is None or self.registration is None or self.registration.exploratory

    @property
    def is_unchanged(self) -> bool:
        """Say whether the model answers alike with and without the rows, so that nothing varies."""
        return self.main.mde == 0 and self.main.absolute == 0

    @property
    def is_underpowered(self) -> bool:
        """Say whether the measured change is smaller than what the test reliably sees."""
        return not self.is_unchanged and abs(self.main.relative) < self.main.mde

    @property
    def has_few_seeds(self) -> bool:
        """Say whether there are so few runs that their luck matters."""
        return self.main.seeds < FEW_SEEDS

    @property
    def is_system_helped(self) -> bool:
        """Say whether nothing speaks for the best system having gained nothing."""
        return self.system is None or self.system.standing == "better"

    @property
    def missed_goal(self) -> float | None:
        """Return the goal that the measured change stays below; ``None`` if there is none."""
        goal = self.claim.goal if self.claim else None
        return goal if goal and not self.main.gain >= goal else None

    def mde_with(self, seeds: int) -> float:
        """Return the smallest change that ``seeds`` runs could show, at best: by 1 / √runs.

        At best, because the noise between test questions does not shrink with runs.
        """
        return self.main.mde * math.sqrt(self.main.seeds / seeds)

    @property
    def seeds_needed(self) -> int | None:
        """Return how many runs could show the measured change, at best; ``None`` if too many."""
        if not self.main.mde > 0 or not abs(self.main.relative) > 0:
            return None
        needed = math.ceil(self.main.seeds * (self.main.mde / abs(self.main.relative)) ** 2)
        return needed if needed <= MOST_SEEDS else None


def case_of(
    evaluation: Evaluation,
    topic: Topic,
    hypotheses: tuple[SummaryHypothesis, ...] = (),
    registration: SummaryRegistration | None = None,
) -> Case | None:
    """Collect the facts about a task's headline; ``None`` where it was not compared.

    Args:
        evaluation: All results.
        topic: The task's headline.
        hypotheses: Registered claims, of any task.
        registration: When the plan was fixed.
    """
    found = comparisons(evaluation, task=topic.task, metric=topic.metric, cutoff=topic.cutoff)
    main = find(found, model=topic.model)
    if main is None:
        return None
    claim = _claim(topic, hypotheses)
    mine = [item for item in found if item.model == topic.model and item.slice == "all"]
    controls = tuple(item for item in mine if item.is_control)
    ran = {item.against for item in controls}
    listed = [] if claim is None else _names(claim.unbeaten)
    others = tuple(
        item.model
        for item in found
        if item.against == BASELINE
        and item.slice == "all"
        and item.model != SYSTEM
        and not set(item.model.split(FUSED)) & set(topic.model.split(FUSED))
    )
    return Case(
        topic=topic,
        main=main,
        claim=claim,
        registration=registration,
        controls=controls,
        unbeaten=tuple(
            item.against for item in controls if item.standing != "better" or item.against in listed
        ),
        missing=tuple(name for name in listed if name not in ran),
        side=_side(claim, find(found, model=topic.model, against=SIDE_INFORMATION)),
        confirmed_by=_confirmed_by(claim, main, others, found),
        other_models=others,
        system=None if topic.model == SYSTEM else find(found, model=SYSTEM),
        oracle_share=_number(claim.oracle_share if claim else None),
    )


def _claim(topic: Topic, hypotheses: tuple[SummaryHypothesis, ...]) -> SummaryHypothesis | None:
    place = (topic.task, topic.model, topic.metric, topic.cutoff)
    for item in hypotheses:
        if (
            (item.task, item.model, item.metric, item.cutoff) == place
            and item.slice == "all"
            and item.kind == "superiority"
        ):
            return item
    return None


def _side(
    claim: SummaryHypothesis | None, against: Comparison | None
) -> Literal["", "beyond", "matched", "short"]:
    if claim is not None and claim.side_information:
        return _SIDES[claim.side_information]
    return "" if against is None else side_standing(against)


def side_standing(against: Comparison) -> Literal["beyond", "matched", "short"]:
    """Say whether combined beats side information, matches it within the margin, or neither."""
    if against.standing == "better":
        return "beyond"
    return "matched" if against.least_gain > -SIDE_MARGIN else "short"


def _confirmed_by(
    claim: SummaryHypothesis | None,
    main: Comparison,
    others: tuple[str, ...],
    found: list[Comparison],
) -> tuple[str, ...]:
    if claim is not None:
        return tuple(_names(claim.confirmed_by))
    same = (find(found, model=model) for model in others)
    return tuple(item.model for item in same if item and item.absolute * main.absolute > 0)


def _names(joined: str) -> list[str]:
    return [name.strip() for name in joined.split(",") if name.strip()]


def _number(value: float | None) -> float:
    return math.nan if value is None else value
