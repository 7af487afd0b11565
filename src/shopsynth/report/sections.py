"""Everything the report tells about one downstream task.

In: an :class:`Evaluation`, the parsed summary, the run's own headline. Out: one :class:`Section` a
task, which the page and the Markdown print in the same order.
"""

from dataclasses import dataclass

from shopsynth.report._explain_en import NOTHING as NOTHING_EN
from shopsynth.report._explain_en import explain_en
from shopsynth.report._explain_zh import NOTHING as NOTHING_ZH
from shopsynth.report._explain_zh import explain_zh
from shopsynth.report.case import case_of
from shopsynth.report.comparisons import CANDIDATE, ORACLE, SYSTEM, Comparison, comparisons, find
from shopsynth.report.context import ReportContext
from shopsynth.report.costs import left_out
from shopsynth.report.figures import Figure, dose_figure
from shopsynth.report.forest import arms_figure, slice_figure, uplift_figure
from shopsynth.report.headline import Headline, explain_verdict
from shopsynth.report.summary import Summary
from shopsynth.report.tables import Table, arms_table, slices_table
from shopsynth.report.topics import Topic, topics
from shopsynth.schema import Evaluation


@dataclass(frozen=True)
class Explanation:
    """Why a verdict is what it is, as pairs of question and answer.

    Attributes:
        english: Seven pairs, or one without a question where nothing was compared.
        chinese: The same.
    """

    english: tuple[tuple[str, str], ...]
    chinese: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Section:
    """One task's part of the report.

    Attributes:
        topic: The task's headline.
        anchor: Appended to ids, so that they stay unique; empty for the first task.
        headline: The verdict in words.
        explanation: Why it is so.
        system: The best system with against the best without, where it was compared.
        uplift: Forest plot of the comparisons.
        arms: Every arm's value.
        slices: Forest plot of the slices.
        dose: The dose curve.
        arms_table: Every arm's score of every model.
        slices_table: Every slice of every model.
    """

    topic: Topic
    anchor: str
    headline: Headline
    explanation: Explanation
    system: Comparison | None
    uplift: Figure | None
    arms: Figure | None
    slices: Figure | None
    dose: Figure | None
    arms_table: Table
    slices_table: Table

    @property
    def figures(self) -> tuple[Figure, ...]:
        """Return the pictures that exist."""
        found = (self.uplift, self.arms, self.slices, self.dose)
        return tuple(item for item in found if item is not None)


def sections(
    summary: Summary, evaluation: Evaluation, context: ReportContext
) -> tuple[Section, ...]:
    """Tell every task, the run's own headline first.

    Args:
        summary: For registered claims, registration and reasons of what was left out.
        evaluation: All results.
        context: For the run's own headline.
    """
    found = topics(evaluation, context.headline_model, context.metric, context.cutoff)
    return tuple(
        _section(topic, f"-task{number}" if number else "", summary, evaluation)
        for number, topic in enumerate(found)
    )


def _section(topic: Topic, anchor: str, summary: Summary, evaluation: Evaluation) -> Section:
    found, ceilings = (
        comparisons(evaluation, task=topic.task, metric=topic.metric, cutoff=topic.cutoff, arm=arm)
        for arm in (CANDIDATE, ORACLE)
    )
    return Section(
        topic=topic,
        anchor=anchor,
        headline=explain_verdict(
            evaluation, topic.model, topic.metric, topic.cutoff, task=topic.task
        ),
        explanation=explain(evaluation, topic, summary),
        system=None if topic.model == SYSTEM else find(found, model=SYSTEM),
        uplift=uplift_figure(found, topic, ceilings, anchor),
        arms=arms_figure(evaluation, topic, left_out(summary.costs, topic.task), anchor),
        slices=slice_figure(found, topic, anchor),
        dose=dose_figure(evaluation, topic, anchor),
        arms_table=arms_table(evaluation, topic),
        slices_table=slices_table(found, topic),
    )


def explain(evaluation: Evaluation, topic: Topic, summary: Summary) -> Explanation:
    """Explain the verdict on a task's headline from what is known.

    Args:
        evaluation: All results.
        topic: The task's headline.
        summary: For registered claims and registration.
    """
    case = case_of(evaluation, topic, summary.hypotheses, summary.registration)
    if case is None:
        return Explanation((("", NOTHING_EN),), (("", NOTHING_ZH),))
    return Explanation(explain_en(case), explain_zh(case))
