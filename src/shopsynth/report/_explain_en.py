"""A verdict explained in plain English, in seven answers.

In: a :class:`Case`. Out: pairs of question and answer; every sentence follows from a fact.
"""

from collections.abc import Sequence

from shopsynth.report._sentences_en import amount_en, join_en, range_en
from shopsynth.report.case import MORE_SEEDS, Case
from shopsynth.report.comparisons import SYSTEM
from shopsynth.report.labels import CONTROLS_EN, LOWER_IS_BETTER, label, model_label
from shopsynth.report.numerals import count, is_number, percent, probability, score

NOTHING = (
    "The headline model was not compared on real data and on real + synthetic data, so there is "
    "nothing to explain. The costs below say which fits failed, and why."
)

_DOUBTS = {
    "same_compute": "more training: real data alone, trained as long, are not clearly worse",
    "oversample": "re-weighting: copies of real rows are not clearly worse",
    "noise": "any disturbance: real rows changed at random are not clearly worse",
    "broken_link": "popularity alone: synthetic rows with shuffled items are not clearly worse",
}
_ADVICE = {
    "same_compute": "Train on the real data until validation no longer improves, then compare "
    "again: the gain may be training time.",
    "oversample": "Try heavier weights for the rare items of the real data; they cost nothing.",
    "noise": "Use a synthesizer that carries more than random changes, or filter its rows harder.",
    "broken_link": "Use a synthesizer that learns which items belong together.",
}


def explain_en(case: Case) -> tuple[tuple[str, str], ...]:
    """Answer seven questions about a verdict.

    Args:
        case: The facts.
    """
    return (
        ("What was asked", _asked(case)),
        ("What was measured", _measured(case)),
        ("Against what", _against(case)),
        ("How sure it is", _how_sure(case)),
        ("What could still explain it", _open(case)),
        ("What would change the verdict", _change(case)),
        ("What to do next", _next(case)),
    )


def _subject(case: Case) -> str:
    return "the best system" if case.topic.model == SYSTEM else case.topic.model_name


def _asked(case: Case) -> str:
    higher = "lower" if case.topic.metric in LOWER_IS_BETTER else "higher"
    question = (
        f"Is {case.topic.metric_name} of {_subject(case)} {higher} on real held-out questions "
        "when it learns from real and synthetic data together than from real data alone?"
    )
    claim, registration = case.claim, case.registration
    if claim is None:
        return f"{question} This was not registered as a hypothesis."
    goal = f" with a goal of {percent(claim.goal)}" if claim.goal else ""
    if registration is None:
        return f"{question} It is a {claim.role} hypothesis{goal}, but no plan was registered."
    if registration.exploratory:
        return (
            f"{question} It is a {claim.role} hypothesis{goal}, but this look at the test data is "
            f"exploratory: {registration.reason.rstrip('.')}."
        )
    return (
        f"{question} It was registered as a {claim.role} hypothesis{goal} on "
        f"{registration.registered_at[:10]}, before the test data were opened."
    )


def _measured(case: Case) -> str:
    main = case.main
    on = f" on {count(main.units)} test questions" if main.units else ""
    parts = [
        f"{score(main.value_with)} with the synthetic data against {score(main.value_without)} "
        f"without{on}: {amount_en(main)} ({range_en(main)})."
    ]
    if main.seeds:
        runs = "run" if main.seeds == 1 else "runs"
        parts.append(f"{main.seeds_agree} of {main.seeds} paired {runs} moved this way.")
    if is_number(case.oracle_share) and main.gain > 0:
        share = percent(case.oracle_share, sign=False)
        parts.append(f"That is {share} of what as many extra real rows gave.")
    return " ".join(parts)


def _against(case: Case) -> str:
    if not case.controls:
        parts = ["Real data alone; no control was run."]
    else:
        tested = _controls([item.against for item in case.controls], "and")
        parts = [f"Real data alone, and what could give the same gain without synthesis: {tested}."]
        beaten = [item.against for item in case.controls if item.against not in case.unbeaten]
        if not case.unbeaten:
            parts.append("Each of them is beaten.")
        elif not beaten:
            parts.append("None of them is clearly beaten.")
        else:
            parts.append(f"Not clearly beaten: {_controls(case.unbeaten, 'and')}.")
    if case.missing:
        parts.append(f"Planned, but without a result: {_controls(case.missing, 'and')}.")
    sides = {
        "beyond": "Using the side information directly is beaten as well.",
        "matched": "It does as well as using the side information directly, not better.",
        "short": "It is not shown to match using the side information directly.",
        "": "Using the side information directly was not compared.",
    }
    return " ".join([*parts, sides[case.side]])


def _how_sure(case: Case) -> str:
    main = case.main
    if main.standing == "unknown":
        return "No interval could be computed, so nothing can be said."
    if case.is_unchanged:
        return "The model answers every question alike with and without the synthetic data."
    sides = {
        "better": "The interval lies wholly on the side of a gain",
        "worse": "The interval lies wholly on the side of a loss",
        "around": "The interval holds both gain and loss",
    }
    parts = [f"{sides[main.standing]}; p after Holm's correction is {probability(main.p_holm)}."]
    if is_number(main.mde):
        than = "smaller" if case.is_underpowered else "not smaller"
        parts.append(
            f"The smallest change that this test reliably shows is {percent(main.mde, sign=False)};"
            f" the measured change is {than}."
        )
    if case.confirmed_by:
        names = join_en([model_label(name) for name in case.confirmed_by], "and")
        parts.append(f"Of the other architectures {names} moved the same way.")
    return " ".join(parts)


def _open(case: Case) -> str:
    main = case.main
    if case.is_unchanged:
        return (
            "Nothing: with these rows the model is what it is without them. It does not read them, "
            "or validation kept it as it was."
        )
    if main.standing == "around":
        doubts = ["chance: a change of this size comes up without any effect"]
    elif main.standing == "better":
        doubts = _doubts(case)
    else:
        doubts = []
    doubts += _weaknesses(case)
    if doubts:
        text = "; ".join(doubts)
        return f"{text[0].upper()}{text[1:]}."
    if main.standing == "worse":
        return "Nothing that was tested: the loss is there in spite of the controls."
    return "Nothing that was tested."


def _doubts(case: Case) -> list[str]:
    """List what could give the gain without synthesis."""
    found = [
        _DOUBTS.get(arm, f"{label(CONTROLS_EN, arm)}, which is not clearly worse")
        for arm in case.unbeaten
    ]
    if case.missing:
        found.append(f"{_controls(case.missing, 'or')}, for which there is no result")
    if not case.controls and not case.missing:
        found.append("everything that a control would rule out, because none was run")
    if case.side == "short":
        found.append("the side information, which might give as much without synthesis")
    if not case.is_system_helped:
        found.append("a weak model: the best system is not shown to gain")
    if not case.confirmed_by:
        why = "none moved the same way" if case.other_models else "no other was compared"
        found.append(f"a quirk of one architecture: {why}")
    return found


def _weaknesses(case: Case) -> list[str]:
    """List what makes any result of this run weak."""
    found = []
    if case.has_few_seeds:
        runs = "a single run" if case.main.seeds == 1 else f"only {case.main.seeds} runs"
        found.append(f"the luck of {runs}")
    if case.is_underpowered:
        found.append("too small a test: the change lies below what it reliably shows")
    if case.is_exploratory:
        found.append("choice after the fact: this result is exploratory")
    return found


def _change(case: Case) -> str:
    main, verdict = case.main, case.verdict
    if case.is_unchanged:
        return "Another model or other training options: this one learned nothing from these rows."
    if main.standing == "unknown":
        return "More runs and more test questions, so that an interval exists."
    if verdict == "helps":
        return (
            "A control that does as well, an interval that reaches zero with more runs, or another "
            "period of test data without the gain."
        )
    if verdict == "harms":
        return "A registered plan with another generator or a smaller dose that shows no loss."
    if main.standing == "better":
        return " ".join(_hurdles(case) or [_power(case)])
    return _power(case)


def _hurdles(case: Case) -> list[str]:
    """List what a gain off zero still has to clear."""
    found = []
    open_controls = [*case.unbeaten, *case.missing]
    if open_controls:
        found.append(f"An interval above zero against {_controls(open_controls, 'and')}.")
    if case.side == "short":
        found.append("An interval that shows it no worse than the side information.")
    if not case.is_system_helped:
        found.append("A gain of the best system as well.")
    if not case.confirmed_by:
        found.append("A second architecture that moves the same way.")
    if case.missed_goal:
        found.append(f"A measured change that reaches the goal of {percent(case.missed_goal)}.")
    return found


def _power(case: Case) -> str:
    main = case.main
    if not is_number(main.mde) or not main.mde > 0 or main.seeds < 1:
        return "More runs or more test questions."
    more = MORE_SEEDS * main.seeds
    runs = "one run" if main.seeds == 1 else f"{main.seeds} runs"
    text = (
        f"With {runs} a change below {percent(main.mde, sign=False)} cannot be seen; {more} runs "
        f"would show {percent(case.mde_with(more), sign=False)} at best, because the noise between "
        "test questions stays."
    )
    if case.is_underpowered and case.seeds_needed:
        text += f" To show the measured {amount_en(main)} takes about {case.seeds_needed} runs."
    elif case.is_underpowered:
        text += f" No sensible number of runs would show the measured {amount_en(main)}."
    return text


def _next(case: Case) -> str:
    if case.is_unchanged:
        return "Judge the rows by a model that learns from them."
    if case.main.standing == "unknown":
        return "Run it again with at least three seeds."
    return " ".join(_steps(case))


def _steps(case: Case) -> list[str]:
    main, verdict = case.main, case.verdict
    if verdict == "harms":
        return ["Leave the synthetic data out of this model.", "Try a smaller dose or another "
                "generator, chosen on validation, under a new plan."]  # fmt: skip
    if verdict == "helps" and not case.is_exploratory:
        return ["Take it to an A/B test: offline numbers are not revenue."]
    if verdict in ("helps", "helps this model") and case.is_exploratory:
        steps = ["Register this claim and confirm it on test data that nobody has looked at."]
    elif main.standing == "better":
        steps = [_ADVICE[arm] for arm in case.unbeaten if arm in _ADVICE][:1]
        if case.missing or not case.controls:
            steps.append("Run every control.")
    elif case.is_underpowered:
        steps = ["Ask more test questions or run more seeds before you judge the generator."]
    else:
        steps = ["Try another generator or dose, chosen on validation, under a new plan."]
    if case.side == "short":
        steps.append("Use the side information directly first: synthesis is not shown to match it.")
    if not case.is_system_helped and verdict == "helps this model":
        steps.append(
            "Serve the best system without synthetic data: none with them is shown better."
        )
    if main.standing == "better" and not case.confirmed_by:
        steps.append(
            "Find out why no other architecture gains before you rely on this one."
            if case.other_models
            else "Add a second architecture to the menu."
        )
    return steps or ["Run more seeds, so that the corrected test can decide."]


def _controls(arms: Sequence[str], last: str) -> str:
    return join_en([label(CONTROLS_EN, arm) for arm in arms], last)
