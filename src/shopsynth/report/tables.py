"""Tables of the report, as headings and cells.

In: evaluation tables and the report's context. Out: :class:`Table` objects that both the page and
the Markdown print.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from shopsynth.report.comparisons import (
    BASELINE,
    SYSTEM,
    Comparison,
    relative_text,
    slices_in_order,
)
from shopsynth.report.context import ReportContext
from shopsynth.report.labels import (
    ARMS,
    SIGNS,
    SLICES,
    label,
    metric_label,
    model_label,
    plain,
)
from shopsynth.report.numerals import MISSING, count, figure, percent, score, signed
from shopsynth.report.summary_parts import SummaryAudit
from shopsynth.report.topics import Topic
from shopsynth.schema import Evaluation


@dataclass(frozen=True)
class Table:
    """A small table.

    Attributes:
        columns: Headings.
        rows: Cells; the first names the row.
    """

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def arms_table(evaluation: Evaluation, topic: Topic) -> Table:
    """List every arm's score of every model on the headline metric, with intervals.

    Args:
        evaluation: All results.
        topic: The task's headline; its model is the first column, followed by the best system.
    """
    rows = evaluation.metrics.filter(
        pl.col("cutoff").eq_missing(topic.cutoff),
        task=topic.task, metric=topic.metric, slice="all",
    )  # fmt: skip
    cells = {
        (row["arm"], row["model"]): _with_interval(row, "\n") for row in rows.iter_rows(named=True)
    }
    order = {topic.model: 0, SYSTEM: 1}
    models = sorted(dict.fromkeys(rows["model"]), key=lambda model: order.get(model, 2))
    known = [arm for arm in ARMS if arm in set(rows["arm"])]
    arms = [*known, *(arm for arm in dict.fromkeys(rows["arm"]) if arm not in ARMS)]
    return Table(
        ("Trained on", *(model_label(model) for model in models)),
        tuple(
            (label(ARMS, arm), *(cells.get((arm, model), MISSING) for model in models))
            for arm in arms
        ),
    )


def slices_table(found: Sequence[Comparison], topic: Topic) -> Table:
    """List real and combined on every slice for every model, gains and losses alike.

    Args:
        found: All comparisons of the candidate on the headline metric.
        topic: The task's headline; its model comes first in every slice.
    """
    rows = [item for item in found if item.against == BASELINE]
    names = slices_in_order(rows)
    order = {topic.model: 0, SYSTEM: 1}
    rows.sort(key=lambda item: (names.index(item.slice), order.get(item.model, 2)))
    return Table(
        ("Slice, model", "Verdict", "Real", "Combined", "Difference, 95 % interval",
         "Relative, 95 % interval", "Detectable from", "Role", "Test questions"),
        tuple(_slice_cells(item) for item in rows),
    )  # fmt: skip


def _slice_cells(item: Comparison) -> tuple[str, ...]:
    return (
        f"{label(SLICES, item.slice)}, {model_label(item.model)}",
        f"{SIGNS[item.outcome]} {item.verdict}",
        score(item.value_without),
        score(item.value_with),
        f"{signed(item.absolute)} [{signed(item.absolute_low)}, {signed(item.absolute_high)}]",
        relative_text(item),
        percent(item.mde, sign=False),
        item.role,
        count(item.units) if item.units else MISSING,
    )


def metrics_table(evaluation: Evaluation) -> Table:
    """List every measured mean."""
    return Table(
        (
            "Task",
            "Model",
            "Trained on",
            "Metric",
            "Slice",
            "Value, 95 % interval",
            "Units",
            "Seeds",
        ),
        tuple(
            (
                plain(row["task"]),
                model_label(row["model"]),
                label(ARMS, row["arm"]),
                metric_label(row["metric"], row["cutoff"]),
                label(SLICES, row["slice"]),
                _with_interval(row),
                count(row["units"]),
                count(row["seeds"]),
            )
            for row in evaluation.metrics.iter_rows(named=True)
        ),
    )


def audit_table(audits: Sequence[SummaryAudit]) -> Table:
    """List privacy audits with their bound, their outcome and what they could not see."""
    return Table(
        ("Audit", "Measured", "Bound", "Outcome", "What it could not detect"),
        tuple(
            (
                plain(audit.name),
                figure(audit.value),
                figure(audit.threshold),
                _outcome(audit),
                audit.power or MISSING,
            )
            for audit in audits
        ),
    )


def generator_table(context: ReportContext) -> Table:
    """List every generator with its options and what it made."""
    return Table(
        ("Generator", "Users, queries, reviews or texts", "Rows", "Options"),
        tuple(
            (
                plain(str(row["name"])),
                count(float(str(row["users"]))),
                count(float(str(row["events"]))),
                _options(row.get("options")),
            )
            for row in context.generators
        ),
    )


def fact_table(facts: dict[str, object]) -> Table:
    """List named facts: counts in groups of three, lists joined, nothing as a dash."""
    return Table(
        ("Fact", "Value"), tuple((plain(name), _fact(value)) for name, value in facts.items())
    )


@dataclass(frozen=True)
class History:
    """One synthetic customer, query or review for the eye.

    Attributes:
        user: The synthetic user's id, the query's text or the review's class.
        source: The generator, empty where unknown.
        steps: Item title, or the review's text, and time or grade (empty where there is none), in
            order.
    """

    user: str
    source: str
    steps: tuple[tuple[str, str], ...]


def histories(samples: pl.DataFrame) -> tuple[History, ...]:
    """Group sample rows by whose they are, in the order given.

    Args:
        samples: Columns as in :class:`ReportContext`.
    """
    rows = samples.with_columns(
        pl.coalesce("title", "item_id").alias("title"),
        pl.coalesce(
            *(
                pl.col(name) if name == "note" else pl.col(name).dt.strftime("%Y-%m-%d %H:%M")
                for name in ("note", "timestamp")
                if name in samples.columns
            ),
            pl.lit(""),
        ).alias("when"),
        (pl.col("synthesizer") if "synthesizer" in samples.columns else pl.lit("")).alias("source"),
    )
    return tuple(
        History(
            str(user),
            plain(part["source"][0] or ""),
            tuple(part.select("title", pl.col("when").fill_null("")).iter_rows()),
        )
        for (user, _), part in rows.group_by("user_id", "source", maintain_order=True)
    )


def _with_interval(row: dict[str, float | None], between: str = " ") -> str:
    return f"{score(row['value'])}{between}[{score(row['low'])}, {score(row['high'])}]"


def _outcome(audit: SummaryAudit) -> str:
    if audit.threshold is None:
        return "shown only"
    return "passed" if audit.passed else "failed"


def _options(options: object) -> str:
    if not isinstance(options, dict) or not options:
        return "defaults"
    return ", ".join(f"{name} = {_fact(value)}" for name, value in options.items())


def _fact(value: object) -> str:
    if value is None:
        return MISSING
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return count(value)
    if isinstance(value, float):
        return figure(value)
    if isinstance(value, list | tuple):
        return ", ".join(_fact(item) for item in value) or MISSING
    if isinstance(value, dict):
        return ", ".join(f"{plain(str(name))} {_fact(item)}" for name, item in value.items())
    return str(value)
