"""What each arm cost, and what was left out.

In: the cost rows of a summary. Out: a table of every arm and model, a bar chart of the arms.
"""

from collections.abc import Sequence

from shopsynth.report.figures import Figure, Panel, row_height_px
from shopsynth.report.labels import ARMS, label, model_label, plain
from shopsynth.report.numerals import count, is_number, seconds
from shopsynth.report.summary_parts import SummaryCost
from shopsynth.report.tables import Table

_COLUMNS = ("Trained on, model", "Outcome", "Fits", "Failed", "Trials", "Steps", "Rows", "CPU",
            "Clock", "Peak memory")  # fmt: skip


def cost_table(costs: Sequence[SummaryCost]) -> Table:
    """List what every arm and model cost; what failed or was left out says why.

    Args:
        costs: Of all tasks.
    """
    several = len({row.task for row in costs}) > 1
    return Table(_COLUMNS, tuple(_cells(row, several=several) for row in _in_order(costs)))


def cost_figure(costs: Sequence[SummaryCost]) -> Figure | None:
    """Draw the CPU and wall-clock seconds of every arm, over all models and tasks."""
    if not costs:
        return None
    arms = list(dict.fromkeys(row.arm for row in _in_order(costs)))
    sums = {arm: _sums([row for row in costs if row.arm == arm]) for arm in arms}
    failed = sum(row.failed for row in costs)
    told = f"{count(sum(row.fits for row in costs))} fits, {count(failed)} failed or left out"
    labels = [_arm_label(arm, costs) for arm in arms]
    return Figure(
        "fits",
        "What each arm cost",
        f"{told}; all models together. An arm that got more tuning or training than another would "
        "have an unfair start.",
        f"Bar chart of {len(arms)} arms: {told}.",
        (Panel("", {"kind": "bars", "labels": labels, "x": "seconds",
                    "series": [{"name": "clock", "values": [round(sums[a][1], 2) for a in arms]},
                               {"name": "CPU", "values": [round(sums[a][0], 2) for a in arms]}]},
               row_height_px(2 * len(arms))),),
        ("Trained on", "CPU", "Clock"),
        tuple(
            (text, seconds(sums[arm][0]), seconds(sums[arm][1]))
            for text, arm in zip(labels, arms, strict=True)
        ),
    )  # fmt: skip


def left_out(costs: Sequence[SummaryCost], task: str) -> dict[tuple[str, str], str]:
    """Say of every arm and model of a task without a single fit why it has none."""
    return {
        (row.arm, row.model): row.reason or "no fit"
        for row in costs
        if row.task == task and _is_left_out(row)
    }


def _cells(row: SummaryCost, *, several: bool) -> tuple[str, ...]:
    name = f"{label(ARMS, row.arm)}, {model_label(row.model)}"
    peak = f"{count(row.peak_rss_mb)} MB" if row.peak_rss_mb is not None else seconds(None)
    return (
        f"{plain(row.task).capitalize()}: {name}" if several else name,
        _outcome(row),
        count(row.fits),
        count(row.failed),
        count(row.trials),
        count(row.steps),
        count(row.rows),
        seconds(row.cpu_s),
        seconds(row.wall_s),
        peak,
    )


def _is_left_out(row: SummaryCost) -> bool:
    return row.failed >= row.fits and bool(row.failed or row.reason)


def _outcome(row: SummaryCost) -> str:
    if _is_left_out(row):
        return f"✕ left out: {row.reason or 'no reason was told'}"
    if row.failed:
        return f"✕ {row.failed} of {row.fits} failed: {row.reason or 'no reason was told'}"
    fitted = "✓ fitted" if row.fits else "✓ no fit of its own"
    return f"{fitted}; {row.reason}" if row.reason else fitted


def _in_order(costs: Sequence[SummaryCost]) -> list[SummaryCost]:
    """Order by task, then arm as everywhere on the page; models as they came."""
    tasks = list(dict.fromkeys(row.task for row in costs))
    ranks = {arm: rank for rank, arm in enumerate(ARMS)}
    return sorted(costs, key=lambda row: (tasks.index(row.task), ranks.get(row.arm, len(ranks))))


def _arm_label(arm: str, costs: Sequence[SummaryCost]) -> str:
    failed = sum(row.failed for row in costs if row.arm == arm)
    return f"{label(ARMS, arm)} (✕ {failed} failed)" if failed else label(ARMS, arm)


def _sums(rows: Sequence[SummaryCost]) -> tuple[float, float]:
    """Add up CPU and wall-clock seconds, as far as they are known."""
    cpu = sum(row.cpu_s for row in rows if row.cpu_s is not None and is_number(row.cpu_s))
    wall = sum(row.wall_s for row in rows if row.wall_s is not None and is_number(row.wall_s))
    return float(cpu), float(wall)
