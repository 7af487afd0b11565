"""Pictures of the data themselves: where histories lie, and how quantities are distributed.

In: the evaluation's ``embedding`` and ``distributions``. Out: figures with one panel a cloud or
quantity; clouds share their axes.
"""

import math
from dataclasses import dataclass

import polars as pl

from shopsynth.report.figures import PLOT_PX, Figure, Panel
from shopsynth.report.labels import QUANTITIES, plain
from shopsynth.report.numerals import count, figure, percent
from shopsynth.schema import Evaluation

_ORIGINS = ("real", "synthetic")
_CLOUD_PX = 320
_LOG_SPAN = 50.0
"""Axes whose values span more than this factor, and are all above zero, are logarithmic."""


def embedding_figure(evaluation: Evaluation) -> Figure | None:
    """Draw real, synthetic and combined histories in the same plane, side by side."""
    places = evaluation.embedding.filter(pl.col("x").is_finite() & pl.col("y").is_finite())
    clouds = {origin: _points(places, origin) for origin in _ORIGINS}
    if not all(clouds.values()):
        return None
    square = {axis: _range(places[axis]) for axis in ("x", "y")}
    shown = {"Real": ("real",), "Synthetic": ("synthetic",), "Combined: both on one map": _ORIGINS}
    panels = tuple(
        Panel(
            title,
            {
                "kind": "scatter",
                **square,
                "series": [{"name": name, "points": clouds[name]} for name in names],
            },
            _CLOUD_PX,
        )
        for title, names in shown.items()
    )
    told = {name: count(len(points)) for name, points in clouds.items()}
    return Figure(
        "embedding",
        "Do synthetic histories lie where real ones do?",
        "Each dot is one customer's history; histories with similar items lie near each other. "
        "The three pictures share their axes, which have no unit. Blank regions in the middle "
        "picture are behaviour the generator misses, dots outside the first are invented.",
        f"Scatter plots of {told['real']} real and {told['synthetic']} synthetic histories, alone "
        "and on top of each other.",
        panels,
        ("Histories", "Shown", "Middle (x, y)", "Spread (x, y)"),
        tuple(_cloud_cells(name, places.filter(origin=name)) for name in _ORIGINS),
    )


def distribution_figure(evaluation: Evaluation) -> Figure | None:
    """Draw the share of real and of synthetic rows over each quantity."""
    table = evaluation.distributions
    found = dict.fromkeys(table["quantity"])
    names = [*(name for name in QUANTITIES if name in found),
             *(name for name in found if name not in QUANTITIES)]  # fmt: skip
    if not names:
        return None
    quantities = [_quantity(name, table.filter(quantity=name)) for name in names]
    return Figure(
        "distributions",
        "The same shapes?",
        "Solid with circles: real. Dashed with triangles: synthetic. Lines that lie on each other "
        "mean alike.",
        f"Line charts of {', '.join(item.title for item in quantities)}, real and synthetic.",
        tuple(item.panel for item in quantities),
        ("Quantity", "Value", "Real", "Synthetic"),
        tuple(row for item in quantities for row in item.rows),
    )


@dataclass(frozen=True)
class _Quantity:
    title: str
    panel: Panel
    rows: tuple[tuple[str, ...], ...]


def _quantity(name: str, table: pl.DataFrame) -> _Quantity:
    title, x_unit, y_unit = QUANTITIES.get(name, (plain(name).capitalize(), "", "share"))
    wide = (
        table.filter(pl.col("origin").is_in(_ORIGINS))
        .group_by("position", maintain_order=True)
        .agg(
            pl.col("label").first(),
            *(pl.col("share").filter(origin=origin).first().alias(origin) for origin in _ORIGINS),
        )
        .sort("position")
    )
    labels = [row["label"] or figure(row["position"]) for row in wide.iter_rows(named=True)]
    named = not all(map(_is_position, wide["label"], wide["position"]))
    shares = [share for origin in _ORIGINS for share in wide[origin].drop_nulls()]
    is_log = not named and _is_wide([*wide["position"]])
    data: dict[str, object] = {
        "kind": "lines",
        "labels": labels if named else None,
        "log_x": is_log,
        "log_y": is_log and _is_wide(shares),
        "x": x_unit,
        "y": y_unit,
        "series": [
            {"name": origin, "points": _curve(wide, origin, named=named)} for origin in _ORIGINS
        ],
    }
    rows = tuple(
        (title, text, *(percent(row[origin], sign=False) for origin in _ORIGINS))
        for text, row in zip(labels, wide.iter_rows(named=True), strict=True)
    )
    return _Quantity(title, Panel(title, data, PLOT_PX), rows)


def _curve(wide: pl.DataFrame, origin: str, *, named: bool) -> list[list[float]]:
    positions = range(wide.height) if named else wide["position"]
    return [
        [place, _rounded(share)]
        for place, share in zip(positions, wide[origin], strict=True)
        if share is not None and math.isfinite(share)
    ]


def _is_position(text: str | None, position: float) -> bool:
    """Say whether a label only repeats the number it stands at."""
    return not text or text == f"{position:g}" or text == str(int(position))


def _is_wide(values: list[float]) -> bool:
    return bool(values) and min(values) > 0 and max(values) > _LOG_SPAN * min(values)


def _points(places: pl.DataFrame, origin: str) -> list[list[float]]:
    cloud = places.filter(origin=origin)
    return [[_rounded(x), _rounded(y)] for x, y in cloud.select("x", "y").iter_rows()]


def _rounded(value: float) -> float:
    # Four digits are finer than a pixel and keep the page small.
    return float(f"{value:.4g}")


def _range(values: pl.Series) -> list[float]:
    low, high = float(str(values.min())), float(str(values.max()))
    margin = 0.05 * (high - low) or 1.0
    return [_rounded(low - margin), _rounded(high + margin)]


def _cloud_cells(name: str, cloud: pl.DataFrame) -> tuple[str, ...]:
    def pair(statistic: pl.Expr) -> str:
        x, y = cloud.select(statistic).row(0)
        return f"{figure(x)}, {figure(y)}"

    return (
        name.capitalize(),
        count(cloud.height),
        pair(pl.col("x", "y").mean()),
        pair(pl.col("x", "y").std()),
    )
