"""Verdicts: what a difference may be called, by rules fixed before any number is seen.

In: comparisons of arms and the registered plan. Out: the same with role, corrected p and verdict,
and beside each place the evidence that the verdict rests on.

Families (PROOF §4). *Primary*: the registered primary claims of superiority over real rows,
corrected together by Holm. *Secondary*: the registered secondary ones, as a second family. All
other comparisons with real rows are *exploratory*, a third family, so that whoever looks at many
pays for many. Claims never measured count with p = 1. Everything else keeps its own p-value:
beating all controls is a joint condition, and non-inferiority each claim must show for itself.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from shopsynth.evaluate.bootstrap import Estimate
from shopsynth.evaluate.holm import holm
from shopsynth.evaluate.hypotheses import EXPLORATORY, SUPERIORITY, Hypothesis
from shopsynth.evaluate.pairing import Paired, Place
from shopsynth.evaluate.system import LOWER, SYSTEM
from shopsynth.schema import FUSED

HELPS = "helps"
HELPS_MODEL = "helps this model"
NO_EFFECT = "no effect shown"
HARMS = "harms"

BEYOND = "beyond side information"
NOT_WORSE = "not worse than side information"
NOT_MATCHED = "not shown to match side information"

ALPHA = 0.05
"""Rate of false alarms of a family."""


@dataclass(frozen=True)
class Rules:
    """Which arms play which part, and what a verdict needs.

    Attributes:
        baseline: The arm of real rows.
        candidate: The arm that is judged.
        controls: By task, arms that could explain an uplift away: all must be beaten, run or not.
        side_information: The arm that uses attributes directly: the candidate must not be worse.
        oracle: The arm with more real rows: a ceiling, never a control.
        min_seeds: Different generator seeds, and different trainer seeds, that a verdict needs.
        margin: Loss against side information that is tolerated, as a share of it.
        better: By metric, ``higher`` or ``lower``; ``higher`` for a metric it does not name.
        unasked: Tasks that have side information, but whose arm of it was not asked for: what was
            not compared was not matched.
        made_of: By model, the models it is made of besides fusions: they are no second opinion.
    """

    baseline: str
    candidate: str
    controls: Mapping[str, tuple[str, ...]]
    side_information: str
    oracle: str
    min_seeds: int
    margin: float
    better: Mapping[str, str]
    unasked: frozenset[str] = frozenset()
    made_of: Mapping[str, Sequence[str]] = field(default_factory=dict)

    def sign(self, metric: str) -> int:
        """Return 1 where the metric improves by rising, -1 where it improves by falling."""
        return -1 if self.better.get(metric) == LOWER else 1


@dataclass(frozen=True)
class Comparison:
    """One difference between two arms, before and after its verdict.

    Attributes:
        place: Task, model, metric, cutoff, slice.
        arm: Our arm.
        against: The arm compared with.
        pair: Both arms' values.
        effect: Ours minus theirs, in units of the metric.
        sign: 1 where the metric improves by rising, else -1.
        enough: Whether there are seeds enough for a verdict.
        role: ``primary``, ``secondary`` or ``exploratory``: the family it is corrected with.
        p_holm: p-value, corrected where it is a comparison of the candidate with real rows.
        verdict: One of the four words.
    """

    place: Place
    arm: str
    against: str
    pair: Paired
    effect: Estimate
    sign: int
    enough: bool
    role: str = EXPLORATORY
    p_holm: float = 1.0
    verdict: str = NO_EFFECT

    @property
    def better(self) -> bool:
        """Say whether the whole interval lies on the better side of 0."""
        return (self.effect.low if self.sign > 0 else -self.effect.high) > 0

    @property
    def worse(self) -> bool:
        """Say whether the whole interval lies on the worse side of 0."""
        return (self.effect.high if self.sign > 0 else -self.effect.low) < 0

    @property
    def gain(self) -> float:
        """The difference, positive where it improves the metric."""
        return self.sign * self.effect.point


Found = Mapping[tuple[Place, str, str], Comparison]
"""Comparisons by place, our arm and theirs."""


@dataclass(frozen=True)
class Evidence:
    """What stands beside a comparison of the candidate with real rows.

    Attributes:
        unbeaten: Controls that are not beaten at this place; one that did not run may explain
            whatever is seen, and so is not beaten either.
        controlled: Whether any control was asked for.
        side_information: How the candidate stands to that arm; empty where it was not compared.
        confirmed_by: Other architectures whose difference has the same sign.
    """

    unbeaten: tuple[str, ...]
    controlled: bool
    side_information: str
    confirmed_by: tuple[str, ...]

    @property
    def stands(self) -> bool:
        """Say whether neither a control nor side information nor one architecture explains it."""
        return (
            self.controlled
            and not self.unbeaten
            and self.side_information != NOT_MATCHED
            and bool(self.confirmed_by)
        )


def compare(pairs: Mapping[tuple[Place, str, str], Paired], rules: Rules) -> Found:
    """Estimate every pair's difference and count its seeds."""
    found = {}
    for (place, arm, against), pair in pairs.items():
        generators, trainers = (len(set(seeds)) for seeds in zip(*pair.runs, strict=True))
        enough = trainers >= rules.min_seeds and (
            generators >= rules.min_seeds or arm != rules.candidate
        )
        found[place, arm, against] = Comparison(
            place, arm, against, pair, pair.difference(), rules.sign(place.metric), enough
        )
    return found


def place_of(hypothesis: Hypothesis, found: Found, rules: Rules) -> Place:
    """Say where a hypothesis was measured; a metric without list length has cutoff 0."""
    place = Place(
        hypothesis.task, hypothesis.model, hypothesis.metric, hypothesis.cutoff, hypothesis.slice
    )
    without = replace(place, cutoff=0)
    measured = (without, rules.candidate, rules.baseline) in found
    return without if measured else place


def judge(
    found: Found,
    rules: Rules,
    plan: Sequence[Hypothesis],
    copied: Mapping[str, frozenset[str]],
) -> tuple[dict[tuple[Place, str, str], Comparison], dict[Place, Evidence]]:
    """Give every comparison its role, corrected p and verdict.

    A comparison with real rows ``helps`` if its interval lies on the better side of 0, its
    corrected p is below 5 %, the seeds suffice, every control is beaten there, interval and all, at
    least one control was asked for, the arm of side information is matched where it ran, and
    another architecture moves the same way. Where only the last two fail it ``helps this model``,
    as it does where the best system (:func:`add_system`) is not helped. It ``harms`` if the
    interval lies on the worse side, with corrected p and seeds. Other comparisons have the verdict
    of their own interval; the oracle is a ceiling, so falling short of it is ``no effect shown``.

    Args:
        found: All comparisons.
        rules: Which arms play which part.
        plan: The registered hypotheses; empty if nothing was registered.
        copied: By task, the models that ``system`` is in the candidate's arm.

    Returns:
        The judged comparisons, and the evidence at every place where the candidate stands against
        real rows.
    """
    corrected = _correct(found, rules, plan)
    evidence = {
        place: _evidence(place, found, rules, copied.get(place.task, frozenset()))
        for place, arm, against in found
        if (arm, against) == (rules.candidate, rules.baseline)
    }
    judged = {
        key: replace(row, verdict=_verdict(row, rules, evidence)) for key, row in corrected.items()
    }
    for key, row in judged.items():
        system = judged.get((replace(row.place, model=SYSTEM), row.arm, row.against))
        if _is_claim(row, rules) and row.verdict == HELPS and system and system.verdict != HELPS:
            judged[key] = replace(row, verdict=HELPS_MODEL)
    return judged, evidence


def _is_claim(row: Comparison, rules: Rules) -> bool:
    return (row.arm, row.against) == (rules.candidate, rules.baseline)


def _correct(
    found: Found, rules: Rules, plan: Sequence[Hypothesis]
) -> dict[tuple[Place, str, str], Comparison]:
    """Give every comparison its role and its p-value within its family."""
    roles = {
        place_of(hypothesis, found, rules): hypothesis.role
        for hypothesis in plan
        if hypothesis.kind == SUPERIORITY
    }
    looked_at = [row.place for row in found.values() if _is_claim(row, rules)]
    families: dict[str, list[Place]] = {}
    for place in dict.fromkeys([*roles, *looked_at]):
        families.setdefault(roles.get(place, EXPLORATORY), []).append(place)
    corrected = {key: replace(row, p_holm=row.effect.p_value) for key, row in found.items()}
    for role, places in families.items():
        keys = [(place, rules.candidate, rules.baseline) for place in places]
        own = [found[key].effect.p_value if key in found else 1.0 for key in keys]
        for key, p_holm in zip(keys, holm(np.array(own)), strict=True):
            if key in found:
                corrected[key] = replace(corrected[key], role=role, p_holm=float(p_holm))
    return corrected


def _evidence(place: Place, found: Found, rules: Rules, copied: frozenset[str]) -> Evidence:
    """Gather what stands beside the candidate's uplift at one place."""
    wanted = rules.controls.get(place.task, ())
    controls = {name: found.get((place, rules.candidate, name)) for name in wanted}
    unbeaten = [name for name, row in controls.items() if not (row and row.better and row.enough)]
    side = found.get((place, rules.candidate, rules.side_information))
    own = found[place, rules.candidate, rules.baseline]
    parts = _parts(copied if place.model == SYSTEM else {place.model}, rules)
    confirming = sorted(
        other.place.model
        for other in found.values()
        if _is_claim(other, rules)
        and replace(other.place, model=place.model) == place
        and other.place.model not in (place.model, SYSTEM)
        and not parts & _parts({other.place.model}, rules)
        and other.gain * own.gain > 0
    )
    return Evidence(
        tuple(unbeaten),
        bool(wanted),
        _stand_to_side_information(side, rules) if side else _uncompared(place, rules),
        tuple(confirming),
    )


def _parts(models: frozenset[str] | set[str], rules: Rules) -> set[str]:
    """Take models apart: two that share a part are no two architectures."""
    singles = {part for model in models for part in model.split(FUSED)}
    return singles.union(*(rules.made_of.get(part, ()) for part in singles))


def _uncompared(place: Place, rules: Rules) -> str:
    """Say how a claim stands to side information that no arm used: matched only if there is none.

    Where the arm was asked for and has no row, the catalogue has nothing to use.
    """
    return NOT_MATCHED if place.task in rules.unasked else ""


def _stand_to_side_information(row: Comparison, rules: Rules) -> str:
    if row.enough and row.better:
        return BEYOND
    if row.enough and row.pair.shifted(rules.margin, row.sign).low > 0:
        return NOT_WORSE
    return NOT_MATCHED


def _verdict(row: Comparison, rules: Rules, evidence: Mapping[Place, Evidence]) -> str:
    claim = _is_claim(row, rules)
    if not row.enough or (claim and row.p_holm >= ALPHA):
        return NO_EFFECT
    if row.worse:
        return NO_EFFECT if row.against == rules.oracle else HARMS
    if not row.better:
        return NO_EFFECT
    if not claim:
        return HELPS
    beside = evidence[row.place]
    if beside.unbeaten or not beside.controlled:
        return NO_EFFECT
    return HELPS if beside.stands else HELPS_MODEL
