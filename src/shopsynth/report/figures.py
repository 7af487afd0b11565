"""Figures: what a picture shows, in words, as chart data and as a table.

In: evaluation tables and stage facts. Out: :class:`Figure` objects; the page draws their panels
with the script in ``templates/charts.js`` and prints their table beside it, so that no number is
reachable by sight or by mouse alone.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from shopsynth.report.labels import plain
from shopsynth.report.numerals import MISSING, count, figure, percent, score, seconds
from shopsynth.report.topics import Topic
from shopsynth.schema import TRAINED_ALONE, Evaluation

_ROW_PX = 26
_AXES_PX = 64
PLOT_PX = 260
"""Height of a chart whose size does not depend on its rows."""


@dataclass(frozen=True)
class Panel:
    """One chart.

    Attributes:
        title: Heading, empty where the figure's own says it all.
        data: What the script draws; JSON-ready, ``kind`` names the form.
        height_px: Height of the drawing.
    """

    title: str
    data: dict[str, Any]
    height_px: int


@dataclass(frozen=True)
class Figure:
    """One picture of the report.

    Attributes:
        id: Anchor on the page, unique.
        title: Heading.
        note: What it measures, one or two sentences.
        alt: What it shows, for those who do not see it.
        panels: Charts side by side.
        columns: Headings of the table.
        rows: Cells of the table, the first of each names the row.
        marks: What the picture's marks mean; of no use beside the table alone.
    """

    id: str
    title: str
    note: str
    alt: str
    panels: tuple[Panel, ...]
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    marks: str = ""


def row_height_px(n_rows: int) -> int:
    """Return the height of a chart with ``n_rows`` horizontal rows."""
    return _AXES_PX + _ROW_PX * max(n_rows, 1)


def dose_figure(evaluation: Evaluation, topic: Topic, suffix: str = "") -> Figure | None:
    """Draw the validation score over the amount of synthetic data, one line a weight.

    Args:
        evaluation: All results.
        topic: The task's headline.
        suffix: Of the figure's id, where a page has several.
    """
    rows = evaluation.dose.filter(
        pl.col("cutoff").eq_missing(topic.cutoff),
        task=topic.task, model=topic.model, metric=topic.metric,
    ).sort("weight", "sources", "ratio")  # fmt: skip
    if rows.height == 0:
        return None
    name = topic.metric_name
    series = [
        {
            "name": ", ".join(filter(None, (f"weight {figure(weight)}", sources))),
            "points": [
                [row["ratio"], *_numbers(row, "value", "low", "high"), bool(row["chosen"])]
                for row in part.iter_rows(named=True)
            ],
        }
        for (weight, sources), part in rows.group_by("weight", "sources", maintain_order=True)
        if isinstance(weight, float) and isinstance(sources, str)
    ]
    chosen = rows.filter(pl.col("chosen"))
    verdict = (
        f"Chosen: {figure(chosen['ratio'][0])} synthetic rows per real row at weight "
        f"{figure(chosen['weight'][0])}{_among_sources(chosen['sources'][0])}."
        if chosen.height
        else "No dose was chosen."
    )
    return Figure(
        f"dose{suffix}",
        "How much synthetic data",
        f"{name} of {topic.model_name} on real validation data, with 95 % intervals. {verdict} "
        "The test data had no part in this choice.",
        f"Dose curve of {rows.height} points. {verdict}",
        (Panel("", {"kind": "dose", "series": series, "y": f"validation {name}",
                    "x": "synthetic rows per real row"}, 340),),
        ("Synthetic per real", "Weight", "Share of it", name, "95 % interval", "Chosen"),
        tuple(
            (figure(row["ratio"]), figure(row["weight"]), row["sources"], score(row["value"]),
             f"{score(row['low'])} to {score(row['high'])}", "yes" if row["chosen"] else "")
            for row in rows.iter_rows(named=True)
        ),
    )  # fmt: skip


def _among_sources(sources: str) -> str:
    return f", of which some methods take a share: {sources}" if sources else ""


def stage_figure(stages: Sequence[Mapping[str, object]]) -> Figure | None:
    """Draw the wall-clock and CPU seconds of every stage."""
    if not stages:
        return None
    names = [f"{row['name']}{' (cached)' if row['cached'] else ''}" for row in stages]
    wall, cpu, peak = (
        [float(str(row[key])) for row in stages] for key in ("wall_s", "cpu_s", "peak_rss_mb")
    )
    total = f"{seconds(sum(wall))} on the clock, {seconds(sum(cpu))} of CPU time"
    return Figure(
        "costs",
        "Time by stage",
        f"In all {total}; the most memory any stage held was {count(max(peak))} MB.",
        f"Bar chart of {len(names)} stages, in all {total}.",
        (Panel("", {"kind": "bars", "labels": names, "x": "seconds",
                    "series": [{"name": "clock", "values": [round(x, 2) for x in wall]},
                               {"name": "CPU", "values": [round(x, 2) for x in cpu]}]},
               row_height_px(2 * len(names))),),
        ("Stage", "Clock", "CPU", "Peak memory"),
        tuple(
            (name, seconds(a), seconds(b), f"{count(c)} MB")
            for name, a, b, c in zip(names, wall, cpu, peak, strict=True)
        ),
    )  # fmt: skip


def reject_figure(rejects: pl.DataFrame) -> Figure | None:
    """Draw how many rows cleaning took out, by reason."""
    rows = rejects.sort("n", "table", "reason", descending=[True, False, False])
    if rows.height == 0:
        return None
    names = [f"{plain(row['reason'])} ({row['table']})" for row in rows.iter_rows(named=True)]
    total = count(int(rows["n"].sum()))
    return Figure(
        "rejects",
        "Rows taken out by cleaning",
        f"{total} rows were set aside with a reason; none was lost silently.",
        f"Bar chart of {len(names)} reasons, {total} rows.",
        (Panel("", {"kind": "bars", "labels": names, "x": "rows",
                    "series": [{"name": "rows", "values": rows["n"].to_list()}]},
               row_height_px(len(names))),),
        ("Reason", "Rows", "Share"),
        tuple(
            (name, count(n), percent(n / max(rows["n"].sum(), 1), sign=False))
            for name, n in zip(names, rows["n"], strict=True)
        ),
    )  # fmt: skip


def fidelity_figure(evaluation: Evaluation) -> Figure | None:
    """Draw each distance and coverage beside what held-out real rows reach."""
    metric = pl.col("metric")
    rows = evaluation.fidelity.filter(~metric.str.contains(TRAINED_ALONE, literal=True))
    if rows.height == 0:
        return None
    names = [plain(row["metric"]) for row in rows.iter_rows(named=True)]
    # A count of events would leave no room for the shares: the table alone tells it.
    drawn = _dumbbells(rows.filter(~metric.str.contains(": count", literal=True)))
    return Figure(
        "fidelity",
        "How alike synthetic and real data are",
        "What the synthetic data reach on each measure, beside what other real data reach on it. "
        "The nearer the two, the more alike the data.",
        f"Dot chart of {len(drawn)} measures, synthetic beside held-out real data.",
        (Panel("", {"kind": "dumbbell", "rows": drawn, "x": "value of the measure"},
               24 + round(1.6 * row_height_px(len(drawn)))),),
        ("Measure", "Table", "Synthetic", "Other real data"),
        tuple(
            (name, row["table"], figure(row["value"]), figure(row["ceiling"]))
            for name, row in zip(names, rows.iter_rows(named=True), strict=True)
        ),
        marks="Triangles: synthetic. Circles: other real data.",
    )  # fmt: skip


def utility_figure(evaluation: Evaluation) -> Figure | None:
    """Draw what models trained on synthetic rows alone are worth, beside those of real rows."""
    metric = pl.col("metric")
    rows = evaluation.fidelity.filter(metric.str.contains(TRAINED_ALONE, literal=True))
    if rows.height == 0:
        return None
    drawn = _dumbbells(rows)
    return Figure(
        "trained-alone",
        "Models that saw no real row",
        "Trained on synthetic data alone and asked the real test questions, beside the same model "
        "trained on real data. It tells what the synthetic data hold; whether they help beside "
        "real data is another question, answered above.",
        f"Dot chart of {len(drawn)} models, trained on synthetic data beside trained on real data.",
        (Panel("", {"kind": "dumbbell", "rows": drawn, "x": "value of the metric",
                    "names": ["trained on real", "trained on synthetic"]},
               24 + round(1.6 * row_height_px(len(drawn)))),),
        ("Model", "Asked", "Trained on synthetic", "Trained on real", "Share of real"),
        tuple(
            (plain(model.removesuffix(f" {TRAINED_ALONE}")), plain(asked.partition(" (")[0]),
             score(value), score(ceiling),
             percent(value / ceiling, sign=False) if ceiling > 0 else MISSING)
            for _, name, value, ceiling in rows.iter_rows()
            for model, _, asked in [name.partition(": ")]
        ),
        marks="Triangles: trained on synthetic data. Circles: trained on real data.",
    )  # fmt: skip


def _dumbbells(rows: pl.DataFrame) -> list[dict[str, object]]:
    return [
        {"label": _short(plain(row["metric"])), "value": value, "ceiling": ceiling}
        for row in rows.iter_rows(named=True)
        for value, ceiling in [_numbers(row, "value", "ceiling")]
        if value is not None
    ]


def _short(measure: str) -> str:
    """Shorten ``"length: KS distance (0 is best)"`` to what it measures and which way is good."""
    what = measure.partition(" (")[0].partition(":")[0]
    best = next((f" ({n} is best)" for n in (0, 1, 0.5) if f"({n} is best" in measure), "")
    return what.removesuffix(f" {TRAINED_ALONE}") + best


def _numbers(row: Mapping[str, object], *names: str) -> list[float | None]:
    values = [row[name] for name in names]
    return [v if isinstance(v, float) and math.isfinite(v) else None for v in values]
