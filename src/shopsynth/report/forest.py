"""Forest plots: every difference with its interval around a zero line, every arm with its value.

In: comparisons, means, reasons for what is missing. Out: one :class:`Figure` over models and
controls, one over arms, one over slices. What failed is drawn in the size of what succeeded, and a
row without a number keeps its place and says why.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from shopsynth.report.comparisons import BASELINE, ORACLE, SYSTEM, Comparison, slices_in_order
from shopsynth.report.figures import Figure, Panel, row_height_px
from shopsynth.report.labels import (
    AGAINST,
    ARMS,
    LOWER_IS_BETTER,
    SIGNS,
    SLICES,
    label,
    model_label,
)
from shopsynth.report.numerals import (
    MISSING,
    count,
    is_number,
    percent,
    probability,
    score,
    signed,
)
from shopsynth.report.topics import Topic
from shopsynth.schema import Evaluation

_COLUMNS = ("Comparison", "Change", "95 % interval", "Absolute", "Without", "With", "p (Holm)",
            "Smallest detectable", "Runs that agree", "Role", "Verdict")  # fmt: skip

_LEAD_ROOM = 2.5
"""Rows reaching further than this many times the lead group's widest bound are cut at the edge and
marked with an arrow: one wild baseline would otherwise flatten what the page is about."""


@dataclass(frozen=True)
class _Group:
    title: str
    rows: tuple[tuple[str, Comparison], ...]


def uplift_figure(
    found: Sequence[Comparison], topic: Topic, ceilings: Sequence[Comparison] = (), suffix: str = ""
) -> Figure | None:
    """Draw real + synthetic against real and every control, and more real rows against real.

    Args:
        found: All comparisons of the candidate on the headline metric.
        topic: The task's headline; its model is drawn first, before the best system.
        ceilings: Comparisons of the oracle with real rows.
        suffix: Of the figure's id, where a page has several.
    """
    whole = [item for item in found if item.slice == "all"]
    above = [item for item in ceilings if item.slice == "all" and item.against == BASELINE]
    groups = [
        _Group(
            model_label(model),
            tuple(
                (_row_name(item), item)
                for item in [
                    *sorted(whole, key=lambda row: row.against != BASELINE),
                    *above,
                ]
                if item.model == model
            ),
        )
        for model in _in_reading_order([item.model for item in whole], topic.model)
    ]
    if not groups:
        return None
    return _figure(
        f"uplift{suffix}",
        "Does it help, and could something else explain it?",
        f"Change of {topic.metric_name} when the synthetic data are added, with 95 % intervals: "
        "against real data alone, against controls that could explain a gain away, and against "
        "what needs no synthesis.",
        groups,
    )


def slice_figure(found: Sequence[Comparison], topic: Topic, suffix: str = "") -> Figure | None:
    """Draw real + synthetic against real on every slice, for the headline model and the system.

    Args:
        found: All comparisons of the candidate on the headline metric.
        topic: The task's headline.
        suffix: Of the figure's id, where a page has several.
    """
    wanted = [
        item for item in found if item.against == BASELINE and item.model in (topic.model, SYSTEM)
    ]
    groups = [
        _Group(
            label(SLICES, slice_),
            tuple((model_label(item.model), item) for item in wanted if item.slice == slice_),
        )
        for slice_ in slices_in_order(wanted)
    ]
    if len(groups) < 2:
        return None
    return _figure(
        f"slices{suffix}",
        "Where it helps",
        f"Change of {topic.metric_name} against real data alone, by kind of item and user; the "
        "slices were fixed before anything was trained. Where real data alone score zero there is "
        "no relative change; the row has the absolute one.",
        groups,
    )


def arms_figure(
    evaluation: Evaluation,
    topic: Topic,
    left_out: Mapping[tuple[str, str], str] | None = None,
    suffix: str = "",
) -> Figure | None:
    """Draw the value of every arm with its interval, beside what real rows alone reach.

    Args:
        evaluation: All results.
        topic: The task's headline.
        left_out: Why an arm has no value for a model, by arm and model.
        suffix: Of the figure's id, where a page has several.
    """
    means = evaluation.metrics.filter(
        pl.col("cutoff").eq_missing(topic.cutoff),
        task=topic.task, metric=topic.metric, slice="all",
    )  # fmt: skip
    if means.height == 0:
        return None
    reasons = left_out or {}
    values = {(row["arm"], row["model"]): row for row in means.iter_rows(named=True)}
    models = _in_reading_order([*means["model"], *(model for _, model in reasons)], topic.model)
    drawn: list[dict[str, object]] = []
    cells: list[tuple[str, ...]] = []
    for model in models:
        drawn.append({"label": model_label(model)})
        for arm in _arms([key[0] for key in (*values, *reasons) if key[1] == model]):
            row, base = values.get((arm, model)), values.get((BASELINE, model))
            why = reasons.get((arm, model), "")
            drawn.append(_value_row(arm, row, base, why))
            cells.append(_value_cells(f"{model_label(model)}, {label(ARMS, arm)}", row, why))
    return Figure(
        f"arms{suffix}",
        "Every arm, by its own value",
        f"Mean {topic.metric_name} on real test data the models never saw, with 95 % intervals. "
        "Intervals of two arms may overlap where their paired difference is clear: read gains off "
        "the picture above.",
        f"Interval chart of {len(cells)} arms and models.",
        (Panel("", {"kind": "values", "rows": drawn, "x": topic.metric_name},
               row_height_px(len(drawn))),),
        ("Model, trained on", "Value", "95 % interval", "Test questions", "Runs", "Note"),
        tuple(cells),
        marks="The upright line marks the same model on real data alone.",
    )  # fmt: skip


def _row_name(item: Comparison) -> str:
    if item.arm == ORACLE:
        return "ceiling: more real rows"
    return label(AGAINST, item.against)


def _arms(found: Iterable[str]) -> list[str]:
    names = dict.fromkeys(found)
    return [*(arm for arm in ARMS if arm in names), *(arm for arm in names if arm not in ARMS)]


def _value_row(
    arm: str, row: Mapping[str, float] | None, base: Mapping[str, float] | None, why: str
) -> dict[str, object]:
    if row is None or not is_number(row["value"]):
        return {"label": label(ARMS, arm), "arm": arm, "mid": None, "text": f"✕ {why or MISSING}"}
    low, high = (row[end] if is_number(row[end]) else None for end in ("low", "high"))
    return {
        "label": label(ARMS, arm),
        "arm": arm,
        "mid": row["value"],
        "low": low,
        "high": high,
        "base": base["value"] if base and is_number(base["value"]) else None,
        "text": f"{score(row['value'])}  [{score(low)}, {score(high)}]",
    }


def _value_cells(name: str, row: Mapping[str, float] | None, why: str) -> tuple[str, ...]:
    if row is None:
        return (name, MISSING, MISSING, MISSING, MISSING, f"✕ left out: {why}")
    return (
        name,
        score(row["value"]),
        f"{score(row['low'])} to {score(row['high'])}",
        count(row["units"]),
        count(row["seeds"]),
        why,
    )


def _figure(id_: str, title: str, note: str, groups: Sequence[_Group]) -> Figure:
    rows: list[dict[str, object]] = []
    low, high = _axis(groups)
    for group in groups:
        rows.append({"label": group.title})
        rows += [_row(text, item, low, high) for text, item in group.rows]
    told = [
        f"{group.title}, {text}: {percent(item.relative)}"
        for group in groups
        for text, item in group.rows[:1]
    ]
    lower = any(item.metric in LOWER_IS_BETTER for group in groups for _, item in group.rows)
    return Figure(
        id_,
        title,
        note,
        f"Interval chart. {'; '.join(told)}.",
        (Panel("", {"kind": "forest", "rows": rows, "x": "relative change", "min": low,
                    "max": high}, row_height_px(len(rows))),),
        _COLUMNS,
        tuple(_cells(group.title, text, item) for group in groups for text, item in group.rows),
        marks=f"{'Left' if lower else 'Right'} of the zero line is better. ✓ the interval is clear "
        "of zero on the better side, ✕ on the worse side, ○ it holds zero (hollow mark). Diamonds: "
        "against real data alone. Circles: against anything else. Arrows: the interval goes on "
        "beyond the picture.",
    )  # fmt: skip


def _in_reading_order(found: Iterable[str], headline_model: str) -> list[str]:
    first = {headline_model: 0, SYSTEM: 1}
    return sorted(dict.fromkeys(found), key=lambda model: first.get(model, 2))


def _is_drawn(item: Comparison) -> bool:
    return all(is_number(value) for value in (item.relative, item.low, item.high))


def _row(text: str, item: Comparison, low: float, high: float) -> dict[str, object]:
    signed_label = f"{SIGNS[item.outcome]} {text}"
    if not _is_drawn(item):
        known = is_number(item.absolute) and is_number(item.absolute_low)
        told = (
            f"{score(item.value_without)} → {score(item.value_with)}" if known else "not measured"
        )
        return {"label": signed_label, "mid": None, "text": told}
    return {
        "label": signed_label,
        "mid": item.relative,
        "low": max(item.low, low),
        "high": min(item.high, high),
        "cut_low": item.low < low,
        "cut_high": item.high > high,
        "main": item.against == BASELINE and item.arm != ORACLE,
        "ceiling": item.arm == ORACLE,
        "clear": item.standing != "around",
        "text": f"{percent(item.relative)}  [{percent(item.low)}, {percent(item.high)}]",
    }


def _axis(groups: Sequence[_Group]) -> tuple[float, float]:
    def bounds(chosen: Iterable[_Group]) -> list[float]:
        return [
            end
            for group in chosen
            for _, item in group.rows
            if _is_drawn(item)
            for end in (item.low, item.high, 0.0)
        ]

    everything = bounds(groups) or [0.0]
    lead = [abs(end) for end in bounds(groups[:2])] or [0.0]
    room = _LEAD_ROOM * max(lead) or 1.0
    low, high = max(min(everything), -room), min(max(everything), room)
    margin = 0.04 * (high - low) or 0.01
    return low - margin, high + margin


def _cells(group: str, text: str, item: Comparison) -> tuple[str, ...]:
    return (
        f"{group}, {text}",
        percent(item.relative),
        f"{percent(item.low)} to {percent(item.high)}" if is_number(item.low) else MISSING,
        f"{signed(item.absolute)} [{signed(item.absolute_low)}, {signed(item.absolute_high)}]",
        score(item.value_without),
        score(item.value_with),
        probability(item.p_holm),
        percent(item.mde, sign=False),
        f"{item.seeds_agree} of {item.seeds}",
        item.role,
        item.verdict,
    )
