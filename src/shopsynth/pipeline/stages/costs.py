"""What each arm cost.

In: results of tuning, fitting and fusing. Out: one row a task, arm and model.
"""

from collections.abc import Mapping, Sequence
from itertools import chain
from typing import Any

from shopsynth.pipeline.base import TaskResult

_SUMS = ("fits", "failed", "trials", "cpu_s", "wall_s")


def add_up(results: Sequence[TaskResult]) -> tuple[dict[str, Any], ...]:
    """Add up what tuning and fits cost, by task, arm and model, in order of appearance.

    Args:
        results: Their facts name ``task``, ``arm`` and ``model``; those of a fit have ``rows``,
            ``steps`` and ``skipped``, those of tuning ``trials``.

    Returns:
        Rows of ``task``, ``arm``, ``model``, ``fits``, ``failed`` of them, ``trials``,
        ``steps`` and ``rows`` (mean of the fits that worked), ``cpu_s`` and ``wall_s`` (sums),
        ``peak_rss_mb`` (largest; of the worker process, with what it held before) and ``reason``
        (of the first failure, else empty).
    """
    groups: dict[tuple[str, str, str], list[TaskResult]] = {}
    for result in results:
        place = (result.facts["task"], result.facts["arm"], result.facts["model"])
        groups.setdefault(place, []).append(result)
    return tuple(_row(place, members) for place, members in groups.items())


def _row(place: tuple[str, str, str], members: Sequence[TaskResult]) -> dict[str, Any]:
    fits = [each.facts for each in members if "skipped" in each.facts]
    good = [fit for fit in fits if not fit["skipped"]]
    reasons = [fit["skipped"] for fit in fits if fit["skipped"]]
    task, arm, model = place
    return {
        "task": task,
        "arm": arm,
        "model": model,
        "fits": len(fits),
        "failed": len(reasons),
        "trials": sum(each.facts.get("trials", 0) for each in members),
        "steps": round(sum(fit["steps"] for fit in good) / max(1, len(good))),
        "rows": round(sum(fit["rows"] for fit in good) / max(1, len(good))),
        "cpu_s": round(sum(each.cost.cpu_s for each in members), 2),
        "wall_s": round(sum(each.cost.wall_s for each in members), 2),
        "peak_rss_mb": max(each.cost.peak_rss_mb for each in members),
        "reason": reasons[0] if reasons else "",
    }


def merge(*costs: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Put rows of the same task, arm and model together: what choosing doses cost, and fits."""
    merged: dict[tuple[str, str, str], dict[str, Any]] = {}
    for row in chain.from_iterable(costs):
        place = (row["task"], row["arm"], row["model"])
        if place not in merged:
            merged[place] = dict(row)
            continue
        known = merged[place]
        known |= {name: round(known[name] + row[name], 2) for name in _SUMS}
        # Means of fits; choosing a dose has none.
        known |= {name: max(known[name], row[name]) for name in ("steps", "rows", "peak_rss_mb")}
        known["reason"] = known["reason"] or row["reason"]
    return list(merged.values())
