"""The table that the command line prints when a run has ended.

In: a ``summary.json``. Out: rows of short strings, in reading order.
"""

from collections.abc import Sequence
from typing import NamedTuple

from shopsynth.report.comparisons import BASELINE, CANDIDATE, NO_EFFECT, ORACLE, SYSTEM
from shopsynth.report.labels import ARMS, LOWER_IS_BETTER, label, model_label
from shopsynth.report.numerals import percent, score, signed
from shopsynth.report.summary import parse_summary
from shopsynth.report.summary_parts import SummaryHypothesis, SummaryMetric, SummaryUplift


class ConsoleRow(NamedTuple):
    """One line of the closing table.

    Attributes:
        arm: What the model was trained on, in words.
        model: The model, in words.
        score: Headline metric with its 95 % interval.
        uplift: Of ``combined`` over real data, with interval; on a control's line, of ``combined``
            over that control; on the oracle's, of the oracle over real data.
        verdict: On the line of ``combined`` the verdict; on a control's line whether the control
            could explain an uplift; on the oracle's that it is a ceiling.
    """

    arm: str
    model: str
    score: str
    uplift: str
    verdict: str


def console_rows(
    summary: dict[str, object],
    *,
    models: Sequence[str] | None = None,
    metric: str = "ndcg",
    cutoff: int | None = 10,
) -> list[ConsoleRow]:
    """Choose and write the lines of the closing table.

    Args:
        summary: What :func:`build_summary` gave.
        models: Models to show, in order; default: all, the best system last.
        metric: Headline metric.
        cutoff: Its list length; ``None`` where it has none.

    Returns:
        Per model its arms: real, combined, synthetic, controls, side information, oracle.

    Raises:
        SchemaError: If the summary breaks its contract.
    """
    parsed = parse_summary(summary)
    scores = [
        row
        for row in parsed.metrics
        if (row.metric, row.cutoff, row.slice) == (metric, cutoff, "all")
    ]
    uplifts = {
        (row.task, row.model, row.arm, row.against): row
        for row in parsed.uplift
        if (row.metric, row.cutoff, row.slice) == (metric, cutoff, "all")
    }
    claimed = {
        (row.task, row.model): row
        for row in reversed(parsed.hypotheses)
        if (row.metric, row.cutoff, row.slice) == (metric, cutoff, "all")
    }
    present = sorted(dict.fromkeys(row.model for row in scores), key=SYSTEM.__eq__)
    arm_rank = {arm: rank for rank, arm in enumerate(ARMS)}
    return [
        _line(
            row,
            uplifts.get((row.task, row.model, *_compared(row.arm))),
            claimed.get((row.task, row.model)) if row.arm == CANDIDATE else None,
        )
        for model in models or present
        for row in sorted(
            (row for row in scores if row.model == model),
            key=lambda row: (row.task, arm_rank.get(row.arm, len(arm_rank))),
        )
    ]


def _compared(arm: str) -> tuple[str, str]:
    """Name the two arms whose comparison stands on this arm's line."""
    if arm in (CANDIDATE, ORACLE):
        return arm, BASELINE
    return CANDIDATE, "" if arm == BASELINE else arm


def _line(
    row: SummaryMetric, uplift: SummaryUplift | None, claim: SummaryHypothesis | None
) -> ConsoleRow:
    return ConsoleRow(
        label(ARMS, row.arm),
        model_label(row.model),
        f"{score(row.value)} [{score(row.low)}, {score(row.high)}]",
        "" if uplift is None else _uplift(uplift, claim),
        "" if uplift is None else _verdict(row.arm, uplift),
    )


def _uplift(row: SummaryUplift, claim: SummaryHypothesis | None) -> str:
    """Write the difference with its interval; that of a claim holds the noise of both arms."""
    if claim is not None and claim.low is not None and claim.high is not None:
        return f"{percent(claim.relative)} [{percent(claim.low)}, {percent(claim.high)}]"
    if (
        claim is None
        and row.relative
        and row.absolute is not None
        and row.low is not None
        and row.high is not None
    ):
        base = row.absolute / row.relative
        return f"{percent(row.relative)} [{percent(row.low / base)}, {percent(row.high / base)}]"
    return f"{signed(row.absolute)} [{signed(row.low)}, {signed(row.high)}]"


def _verdict(arm: str, row: SummaryUplift) -> str:
    if arm == CANDIDATE:
        return row.verdict
    if arm == ORACLE:
        return "ceiling"
    lower_is_better = row.metric in LOWER_IS_BETTER
    against = row.high if lower_is_better else row.low
    if against is None:
        return ""
    if not (against < 0 if lower_is_better else against > 0):
        return "not beaten"
    return "too few runs" if row.verdict == NO_EFFECT else "beaten"
