"""Forest plots: uplift with intervals around a zero line.

In: comparisons. Out: one :class:`Figure` over models and controls, one over slices.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from shopsynth.report.comparisons import BASELINE, SYSTEM, Comparison
from shopsynth.report.figures import Figure, Panel, row_height_px
from shopsynth.report.labels import AGAINST, MODELS, SLICES, label
from shopsynth.report.numerals import MISSING, is_number, percent, score, signed

_COLUMNS = ("Comparison", "Change", "95 % interval", "Absolute", "Without", "With", "p (Holm)",
            "Smallest detectable", "Verdict")  # fmt: skip

_LEAD_ROOM = 2.5
"""Rows reaching further than this many times the lead group's widest bound are cut at the edge and
marked with an arrow: one wild baseline would otherwise flatten what the page is about."""


@dataclass(frozen=True)
class _Group:
    title: str
    rows: tuple[tuple[str, Comparison], ...]


def uplift_figure(found: Sequence[Comparison], headline_model: str, name: str) -> Figure | None:
    """Draw real + synthetic against real and against every control, for every model.

    Args:
        found: All comparisons of the headline metric.
        headline_model: Drawn first, before the best system and the others.
        name: The metric, for the texts.
    """
    whole = [item for item in found if item.slice == "all"]
    groups = [
        _Group(
            label(MODELS, model),
            tuple(
                (label(AGAINST, item.against), item)
                for item in sorted(whole, key=lambda row: row.against != BASELINE)
                if item.model == model
            ),
        )
        for model in _in_reading_order(whole, headline_model)
    ]
    if not groups:
        return None
    return _figure(
        "uplift",
        "Does it help, and could something else explain it?",
        f"Change of {name} when the synthetic data are added, with 95 % intervals: against real "
        "data alone, and against controls that could explain a gain away.",
        groups,
    )


def slice_figure(found: Sequence[Comparison], headline_model: str, name: str) -> Figure | None:
    """Draw real + synthetic against real on every slice, for the headline model and the system."""
    wanted = [
        item
        for item in found
        if item.against == BASELINE and item.model in (headline_model, SYSTEM)
    ]
    names = list(dict.fromkeys(item.slice for item in wanted))
    groups = [
        _Group(
            label(SLICES, slice_),
            tuple((label(MODELS, item.model), item) for item in wanted if item.slice == slice_),
        )
        for slice_ in names
    ]
    if len(groups) < 2:
        return None
    return _figure(
        "slices",
        "Where it helps",
        f"Change of {name} against real data alone, by kind of item and user; the slices were "
        "fixed before anything was trained. Where real data alone score zero there is no relative "
        "change; the table has the absolute one.",
        groups,
    )


def _figure(id_: str, title: str, note: str, groups: Sequence[_Group]) -> Figure:
    rows: list[dict[str, object]] = []
    low, high = _axis(groups)
    for group in groups:
        drawn = [pair for pair in group.rows if _is_drawn(pair[1])]
        if drawn:
            rows.append({"label": group.title})
        rows += [_row(text, item, low, high) for text, item in drawn]
    told = [
        f"{group.title}, {text}: {percent(item.relative)}"
        for group in groups
        for text, item in group.rows[:1]
    ]
    return Figure(
        id_,
        title,
        note,
        f"Interval chart. {'; '.join(told)}.",
        (Panel("", {"kind": "forest", "rows": rows, "x": "relative change", "min": low,
                    "max": high}, row_height_px(len(rows))),),
        _COLUMNS,
        tuple(_cells(group.title, text, item) for group in groups for text, item in group.rows),
        marks="Right of the zero line is better. Diamonds: against real data alone. Circles: "
        "against a control. Arrows: the interval goes on beyond the picture.",
    )  # fmt: skip


def _in_reading_order(found: Iterable[Comparison], headline_model: str) -> list[str]:
    models = dict.fromkeys(item.model for item in found)
    first = {headline_model: 0, SYSTEM: 1}
    return sorted(models, key=lambda model: first.get(model, 2))


def _is_drawn(item: Comparison) -> bool:
    return all(is_number(value) for value in (item.relative, item.low, item.high))


def _row(text: str, item: Comparison, low: float, high: float) -> dict[str, object]:
    return {
        "label": text,
        "mid": item.relative,
        "low": max(item.low, low),
        "high": min(item.high, high),
        "cut_low": item.low < low,
        "cut_high": item.high > high,
        "main": item.against == BASELINE,
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
        score(item.p_holm),
        percent(item.mde, sign=False),
        item.verdict,
    )
