"""Account: what the lines of a source's record add up to.

In: the lines of a chain. Out: the budget, who reserved what, whether one more plan fits.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from shopsynth.privacy.accounting import compose, gaussian_epsilon
from shopsynth.privacy.budget import BUDGETS
from shopsynth.privacy.charges import Charge
from shopsynth.privacy.filters import AdaptiveFilter
from shopsynth.privacy.settings import Budget
from shopsynth.schema import LedgerEntry, PrivacyError, PrivacyLedger


@dataclass(frozen=True)
class Reservation:
    """One plan that was set aside, and counts from then on.

    Attributes:
        name: Its id.
        run: The run it belongs to.
        charges: The plan.
        facts: Everything else its line holds.
        committed: Whether its answers were given.
    """

    name: str
    run: str
    charges: tuple[Charge, ...]
    facts: Mapping[str, Any]
    committed: bool = False


@dataclass(frozen=True)
class Account:
    """The state of one source.

    Attributes:
        source: Its id.
        budget: Its preset for life.
        delta: Its failure probability for life.
        reservations: All plans, oldest first.
    """

    source: str
    budget: Budget
    delta: float
    reservations: tuple[Reservation, ...] = ()

    @property
    def epsilon(self) -> float:
        """What the source may spend in its whole life; infinite if the budget is weak."""
        return BUDGETS[self.budget]

    @cached_property
    def rule(self) -> AdaptiveFilter | None:
        """The filter that was chosen with the first plan; ``None`` before there is one."""
        first = self.reservations[0].facts["filter"] if self.reservations else None
        return None if first is None else AdaptiveFilter.from_json(first)

    @property
    def charges(self) -> list[Charge]:
        """Return all charges, oldest first."""
        return [charge for each in self.reservations for charge in each.charges]

    def plans(
        self, *, run: str | None = None, without: str | None = None
    ) -> list[Sequence[Charge]]:
        """Return the plans of a run, or of all runs but one."""
        return [
            each.charges
            for each in self.reservations
            if each.run != without and run in (None, each.run)
        ]

    def rule_with(self, charges: Sequence[Charge]) -> AdaptiveFilter:
        """Return the source's filter, or the one that these charges would begin it with."""
        return self.rule or AdaptiveFilter.for_first(charges, self.epsilon, self.delta)

    def allowance(self, epsilon: float, delta: float, run: str = "") -> float:
        """Find the largest mu that all plans of a run may have together, if all are Gaussians."""
        within_run = AdaptiveFilter.plain().allowance_mu([], epsilon, delta)
        rule = self.rule or AdaptiveFilter.plain()
        within_life = rule.allowance_mu(self.plans(without=run), self.epsilon, self.delta)
        return min(within_run, within_life)

    def check(self, charges: Sequence[Charge], run: str, epsilon: float, delta: float) -> None:
        """Refuse a plan that the run or the life of the source does not cover.

        A first plan was fixed before any answer, so it is composed as it is; later ones are held to
        a filter.

        Raises:
            PrivacyError: If it does not fit; the message says what was asked and what is left.
        """
        if not (math.isfinite(epsilon) and epsilon > 0 and 0 < delta < 1):
            raise PrivacyError(
                f"ledger of source {self.source}: expected a run with a finite epsilon above 0 and "
                f"a delta between 0 and 1, got {epsilon} and {delta}; set them in the recipe"
            )
        of_run = [*self.plans(run=run), charges]
        if not _fits(of_run, epsilon, delta, AdaptiveFilter.for_first(of_run[0], epsilon, delta)):
            raise self._refusal("this run's", charges, epsilon, delta, of_run[:-1])
        of_life = [*self.plans(), charges]
        if not _fits(of_life, self.epsilon, self.delta, self.rule_with(charges)):
            raise self._refusal(
                "the source's whole", charges, self.epsilon, self.delta, of_life[:-1]
            )

    def _refusal(
        self,
        whose: str,
        charges: Sequence[Charge],
        epsilon: float,
        delta: float,
        before: Sequence[Sequence[Charge]],
    ) -> PrivacyError:
        rule = AdaptiveFilter.for_first(before[0] if before else charges, epsilon, delta)
        left = gaussian_epsilon(rule.allowance_mu(before, epsilon, delta), delta)
        asked = compose(charges).epsilon(delta)
        return PrivacyError(
            f"ledger of source {self.source}: expected a plan within {whose} budget of epsilon "
            f"{epsilon:g} at delta {delta:.3g}, got one of epsilon {asked:.3g} where {left:.3g} is "
            f"left; nothing was spent. Ask for fewer answers or more noise; a larger budget for "
            "life has to be given on purpose: shopsynth privacy budget --help"
        )

    def snapshot(self) -> PrivacyLedger:
        """Return what was spent, for reports.

        Epsilon, delta and mu of the whole are those of a plan that was fixed beforehand. Where
        plans were chosen after answers, the guarantee is the budget that the filter keeps.
        """
        joint = compose(self.charges)
        rule = self.rule or AdaptiveFilter.plain()
        left = rule.allowance_mu(self.plans(), self.epsilon, self.delta)
        return PrivacyLedger(
            mode="dp",
            unit="user",
            entries=tuple(_entry(each, self.delta) for each in self.reservations),
            epsilon=joint.epsilon(self.delta),
            delta=self.delta,
            mu=joint.mu(self.delta),
            budget=self.budget,
            left=left if math.isfinite(left) else None,
        )


def replay(source: str, lines: Iterable[Mapping[str, Any]]) -> Account:
    """Add up the lines of a chain that was checked.

    Raises:
        PrivacyError: If the first line does not open the record.
    """
    account: Account | None = None
    for line in lines:
        event = line["event"]
        if event == "opened":
            account = Account(source, line["budget"], float(line["delta"]))
        elif account is None:
            break
        elif event == "reserved":
            account = replace(account, reservations=(*account.reservations, _reservation(line)))
        elif event == "committed":
            account = _committed(account, line["reservation"])
        else:  # budget_raised or budget_tightened
            account = replace(account, budget=line["budget"], delta=float(line["delta"]))
    if account is None:
        raise PrivacyError(
            f"ledger of source {source}: expected a record that begins by opening it, got another; "
            "open it with a recipe in mode dp"
        )
    return account


def _fits(
    plans: Sequence[Sequence[Charge]], epsilon: float, delta: float, rule: AdaptiveFilter
) -> bool:
    if len(plans) == 1:
        return not math.isfinite(epsilon) or compose(plans[0]).delta(epsilon) <= delta
    return rule.admits(plans, epsilon, delta)


def _reservation(line: Mapping[str, Any]) -> Reservation:
    charges = tuple(Charge.from_json(charge) for charge in line["charges"])
    return Reservation(line["reservation"], line["run"], charges, line)


def _committed(account: Account, name: str) -> Account:
    changed = tuple(
        replace(each, committed=True) if each.name == name else each
        for each in account.reservations
    )
    return replace(account, reservations=changed)


def _entry(reservation: Reservation, delta: float) -> LedgerEntry:
    joint, facts = compose(reservation.charges), reservation.facts
    told = ("time", "actor", "run", "relation", "code", "rng", "adaptive", "filter")
    return LedgerEntry(
        mechanism="; ".join(dict.fromkeys(charge.mechanism for charge in reservation.charges)),
        source_fingerprint=facts["fingerprint"],
        epsilon=joint.epsilon(delta),
        delta=delta,
        detail={"reservation": reservation.name, **{name: facts[name] for name in told}},
        mu=joint.mu(delta),
        status="committed" if reservation.committed else "reserved",
        charges=tuple(charge.to_json() for charge in reservation.charges),
    )
