"""The registered claims and what came of them, failed ones included.

In: the plan and the judged comparisons. Out: the table ``hypotheses``.
"""

from collections.abc import Mapping, Sequence

import polars as pl

from shopsynth.evaluate.hypotheses import NON_INFERIORITY, Hypothesis
from shopsynth.evaluate.pairing import Place
from shopsynth.evaluate.verdict import (
    ALPHA,
    NO_EFFECT,
    Comparison,
    Evidence,
    Found,
    Rules,
    place_of,
)
from shopsynth.schema import EVALUATION_COLUMNS

_NAN = float("nan")


def judge_hypotheses(
    plan: Sequence[Hypothesis],
    judged: Found,
    evidence: Mapping[Place, Evidence],
    rules: Rules,
) -> pl.DataFrame:
    """Say of every registered hypothesis whether it passed.

    A claim of *superiority* passes if the interval lies above 0 in the metric's units and relative
    to real rows, the corrected p is below 5 %, the point reaches the goal, the seeds suffice, every
    control is beaten, side information is matched where it ran, and another architecture moves
    the same way. The best system stands beside it, in the verdict. A claim of *non-inferiority*
    passes if the relative interval lies above minus the margin and the seeds suffice; its p-value
    is that of a loss of exactly the margin, uncorrected.

    Args:
        plan: The registered hypotheses.
        judged: Comparisons with their verdicts.
        evidence: What stands beside each comparison of the candidate with real rows.
        rules: Which arms play which part.

    Returns:
        Columns of ``EVALUATION_COLUMNS["hypotheses"]``, in the order of the plan. ``relative``,
        ``low`` and ``high`` are gains: positive is better, also where the metric improves by
        falling. ``mde`` is relative; for non-inferiority it counts from minus the margin. A claim
        that was not measured has NaN, p = 1 and ``no effect shown``.
    """
    rows = [_as_record(hypothesis, judged, evidence, rules) for hypothesis in plan]
    return pl.DataFrame(rows, schema=EVALUATION_COLUMNS["hypotheses"], orient="row")


def _as_record(
    hypothesis: Hypothesis, judged: Found, evidence: Mapping[Place, Evidence], rules: Rules
) -> dict[str, object]:
    place = place_of(hypothesis, judged, rules)
    row = judged.get((place, rules.candidate, rules.baseline))
    claim: dict[str, object] = {
        "name": hypothesis.name,
        "role": hypothesis.role,
        "kind": hypothesis.kind,
        "task": place.task,
        "model": place.model,
        "metric": place.metric,
        "cutoff": place.cutoff,
        "slice": place.slice,
        "goal": hypothesis.goal,
        "margin": hypothesis.margin,
    }
    if row is None:
        return {**claim, **_not_measured(place.task, rules)}
    beside = evidence[place]
    low, high = _gain_interval(row)
    gain = row.sign * row.pair.relative
    if hypothesis.kind == NON_INFERIORITY:
        spared = row.pair.shifted(hypothesis.margin, row.sign)
        p_value, detectable = (spared.p_value if spared.point > 0 else 1.0), spared.detectable
        passed = row.enough and low > -hypothesis.margin
    else:
        p_value, detectable = row.p_holm, row.effect.detectable
        shown = row.enough and row.better and low > 0 and row.p_holm < ALPHA
        passed = shown and gain >= hypothesis.goal and beside.stands
    return {
        **claim,
        "relative": gain,
        "low": low,
        "high": high,
        "p_holm": p_value,
        "mde": detectable / row.pair.base if row.pair.base > 0 else _NAN,
        "unbeaten": ",".join(beside.unbeaten),
        "side_information": beside.side_information,
        "confirmed_by": ",".join(beside.confirmed_by),
        "oracle_share": _oracle_share(row, judged, rules),
        "passed": passed,
        "verdict": row.verdict,
    }


def _not_measured(task: str, rules: Rules) -> dict[str, object]:
    return {
        **dict.fromkeys(("relative", "low", "high", "mde", "oracle_share"), _NAN),
        "p_holm": 1.0,
        "unbeaten": ",".join(rules.controls.get(task, ())),
        "side_information": "",
        "confirmed_by": "",
        "passed": False,
        "verdict": NO_EFFECT,
    }


def _gain_interval(row: Comparison) -> tuple[float, float]:
    low, high = row.pair.relative_interval()
    return (low, high) if row.sign > 0 else (-high, -low)


def _oracle_share(row: Comparison, judged: Found, rules: Rules) -> float:
    """Return the gain as a share of what as many extra real rows gain; NaN if they gain nothing."""
    ceiling = judged.get((row.place, rules.oracle, rules.baseline))
    return row.gain / ceiling.gain if ceiling and ceiling.gain > 0 else _NAN
