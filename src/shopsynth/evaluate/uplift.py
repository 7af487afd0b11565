"""Uplift: what the candidate arm gains over real data and over every control, and the verdict.

In: per-unit values on test. Out: paired differences with intervals, p-values and a verdict a row.

Families of hypotheses. *Primary*: candidate against real on slice ``all``, headline metric and
cutoff, one a task and model (``system`` included), corrected together by Holm. *Secondary*: all
other rows of candidate against real (slices, further metrics), corrected together as a second
family, so that a claim about a slice pays for the number of slices looked at. Rows against controls
need no correction, because beating all of them is a joint condition (PROOF §4): their ``p_holm`` is
their own p-value.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain

import numpy as np
import polars as pl

from shopsynth.evaluate.bootstrap import (
    Estimate,
    Run,
    UnitMatrix,
    estimate_columns,
    unit_matrices,
)
from shopsynth.evaluate.holm import holm
from shopsynth.evaluate.hypotheses import EXPLORATORY, PRIMARY, SECONDARY
from shopsynth.evaluate.system import SYSTEM
from shopsynth.schema import EVALUATION_COLUMNS, derived_seed

HELPS = "helps"
HELPS_MODEL = "helps this model"
NO_EFFECT = "no effect shown"
HARMS = "harms"

ALPHA = 0.05
"""Rate of false alarms of a family."""

_Place = tuple[str, str, str, int, str]


@dataclass(frozen=True)
class _Row:
    """One comparison before and after its verdict.

    Attributes:
        place: Task, model, metric, cutoff, slice.
        against: The arm compared with.
        effect: The paired difference.
        relative: The difference as a share of ``against``; NaN where that is 0.
        n_seeds: Paired runs.
        n_agree: Those whose difference has the sign of the effect.
    """

    place: _Place
    against: str
    effect: Estimate
    relative: float
    n_seeds: int
    n_agree: int
    p_holm: float = 1.0
    verdict: str = NO_EFFECT
    role: str = EXPLORATORY


def compare_arms(
    units: pl.DataFrame,
    *,
    baseline: str = "real",
    candidate: str = "combined",
    controls: Sequence[str],
    headline_model: str,
    headline_metric: str,
    cutoff: int,
    min_seeds: int = 3,
    resamples: int = 10_000,
    seed: int = 0,
) -> pl.DataFrame:
    """Compare the candidate with real data and with every control that ran.

    The headline metric is compared on every slice, other metrics on slice ``all``; the cutoff is
    the headline's. A row against real ``helps`` if its interval lies above 0, its ``p_holm`` is
    below 5 %, both arms have ``min_seeds`` seeds and the candidate beats every control at the same
    place, interval and all, over as many seeds. It ``harms`` if its interval lies below 0, its
    ``p_holm`` is below 5 % and the seeds suffice. Where the best system (:func:`add_system`) is not
    helped as well, the verdict is ``helps this model``. Without rows of ``system`` a model stands
    for itself.

    Args:
        units: Columns of ``EVALUATION_COLUMNS["units"]``, from test; see :func:`add_system`.
        baseline: The arm of real rows.
        candidate: The arm that is judged.
        controls: Arms that could explain an uplift away. One without units has no row; as it may
            explain whatever is seen, nothing ``helps`` where it is missing.
        headline_model: The model whose rows come first.
        headline_metric: The metric of the primary hypotheses.
        cutoff: List length of all comparisons.
        min_seeds: With fewer common seeds every verdict is ``no effect shown``.
        resamples: Bootstrap draws.
        seed: Of the draws.

    Returns:
        Columns of ``EVALUATION_COLUMNS["uplift"]``: the headline model first, then ``system``, then
        the others by name; ``mde`` is what would have been found with 80 % power at 5 %.

    Raises:
        InputError: If runs do not have the same units.
    """
    others = [baseline, *(control for control in controls if control not in (baseline, candidate))]
    wanted = _asked(units, [candidate, *others], headline_metric, cutoff)
    rows = list(
        chain.from_iterable(
            _differences(matrix, candidate, others, resamples, seed)
            for matrix in unit_matrices(wanted)
        )
    )
    rows = _correct(rows, baseline, headline_metric)
    rows = _judge(rows, others, min_seeds)
    order = {headline_model: 0, SYSTEM: 1}
    rows.sort(key=lambda row: _sort_key(row, order, others, headline_metric))
    return pl.DataFrame(
        [_as_record(row, candidate) for row in rows],
        schema=EVALUATION_COLUMNS["uplift"],
        orient="row",
    )


def _asked(
    units: pl.DataFrame, arms: Sequence[str], headline_metric: str, cutoff: int
) -> pl.DataFrame:
    """Keep what is compared: the headline metric on every slice, other metrics on all units."""
    return units.filter(
        pl.col("cutoff") == cutoff,
        (pl.col("metric") == headline_metric) | (pl.col("slice") == "all"),
        pl.col("arm").is_in(arms),
    )


def _differences(
    matrix: UnitMatrix, candidate: str, others: Sequence[str], resamples: int, seed: int
) -> list[_Row]:
    """Estimate candidate minus every other arm, paired by unit and seed."""
    pairs: list[tuple[tuple[str, str, int], str, list[int], list[int]]] = []
    for (model, arm, metric, cutoff), mine in matrix.runs.items():
        for other in others if arm == candidate else ():
            theirs = matrix.runs.get((model, other, metric, cutoff), {})
            if paired := _pair_runs(mine, theirs):
                columns = [mine[run] for run in paired], [theirs[r] for r in paired.values()]
                pairs.append(((model, metric, cutoff), other, *columns))
    if not pairs:
        return []
    left = list(chain.from_iterable(pair[2] for pair in pairs))
    right = list(chain.from_iterable(pair[3] for pair in pairs))
    ends = np.cumsum([len(pair[2]) for pair in pairs])
    effects = estimate_columns(
        matrix.values[:, left] - matrix.values[:, right],
        [range(end - len(pair[2]), end) for pair, end in zip(pairs, ends, strict=True)],
        resamples=resamples,
        seed=derived_seed(seed, "uplift", matrix.task, matrix.slice),
    )
    means = matrix.values.mean(axis=0)
    rows = []
    for ((model, metric, cutoff), other, ours, theirs_), effect in zip(pairs, effects, strict=True):
        base = float(means[theirs_].mean())
        n_agree = int(np.count_nonzero((means[ours] - means[theirs_]) * effect.point > 0))
        relative = effect.point / base if base else float("nan")
        place = (matrix.task, model, metric, cutoff, matrix.slice)
        rows.append(_Row(place, other, effect, relative, len(theirs_), n_agree))
    return rows


def _pair_runs(mine: Collection[Run], theirs: Collection[Run]) -> dict[Run, Run]:
    """Find the other arm's run for each run: the same, else that of an arm without generator."""
    return {
        run: other
        for run in sorted(mine)
        for other in [run if run in theirs else (0, run[1])]
        if other in theirs
    }


def _correct(rows: list[_Row], baseline: str, headline_metric: str) -> list[_Row]:
    """Give every row its ``p_holm`` within its family."""

    def family(row: _Row) -> str:
        _, _, metric, _, slice_ = row.place
        if row.against != baseline:
            return EXPLORATORY
        return PRIMARY if slice_ == "all" and metric == headline_metric else SECONDARY

    corrected = [replace(row, p_holm=row.effect.p_value) for row in rows]
    for name in (PRIMARY, SECONDARY):
        members = [i for i, row in enumerate(rows) if family(row) == name]
        adjusted = holm(np.array([rows[i].effect.p_value for i in members]))
        for i, p_holm in zip(members, adjusted, strict=True):
            corrected[i] = replace(rows[i], p_holm=float(p_holm), role=name)
    return corrected


def _judge(rows: list[_Row], others: Sequence[str], min_seeds: int) -> list[_Row]:
    """Give every row its verdict, the system's before those that depend on it.

    Args:
        rows: With their ``p_holm``.
        others: The baseline, then every control that was asked for, run or not.
        min_seeds: Seeds that a verdict needs.
    """
    baseline, *controls = others
    above = {
        (row.place, row.against) for row in rows if row.effect.low > 0 and row.n_seeds >= min_seeds
    }
    unbeaten = {
        row.place for row in rows if any((row.place, control) not in above for control in controls)
    }
    judged = [
        replace(row, verdict=_own_verdict(row, baseline, unbeaten, min_seeds)) for row in rows
    ]
    system = {
        _without_model(row.place): row.verdict
        for row in judged
        if row.against == baseline and row.place[1] == SYSTEM
    }
    return [
        replace(row, verdict=HELPS_MODEL) if _helps_model_only(row, baseline, system) else row
        for row in judged
    ]


def _own_verdict(row: _Row, baseline: str, unbeaten: set[_Place], min_seeds: int) -> str:
    if row.n_seeds < min_seeds or (row.against == baseline and row.p_holm >= ALPHA):
        return NO_EFFECT
    if row.effect.high < 0:
        return HARMS
    if not row.effect.low > 0 or (row.against == baseline and row.place in unbeaten):
        return NO_EFFECT
    return HELPS


def _helps_model_only(row: _Row, baseline: str, system: Mapping[tuple[str, ...], str]) -> bool:
    return (
        row.verdict == HELPS
        and row.against == baseline
        and row.place[1] != SYSTEM
        and system.get(_without_model(row.place), HELPS) != HELPS
    )


def _without_model(place: _Place) -> tuple[str, ...]:
    task, _, metric, cutoff, slice_ = place
    return (task, metric, str(cutoff), slice_)


def _sort_key(
    row: _Row, order: Mapping[str, int], others: Sequence[str], headline_metric: str
) -> tuple[object, ...]:
    task, model, metric, _, slice_ = row.place
    return (
        task,
        order.get(model, 2),
        model,
        metric != headline_metric,
        metric,
        slice_ != "all",
        slice_,
        others.index(row.against),
    )


def _as_record(row: _Row, candidate: str) -> dict[str, object]:
    task, model, metric, cutoff, slice_ = row.place
    return {
        "task": task,
        "model": model,
        "metric": metric,
        "cutoff": cutoff,
        "slice": slice_,
        "arm": candidate,
        "against": row.against,
        "absolute": row.effect.point,
        "relative": row.relative,
        "low": row.effect.low,
        "high": row.effect.high,
        "p_holm": row.p_holm,
        "mde": row.effect.detectable,
        "verdict": row.verdict,
        "role": row.role,
        "seeds": row.n_seeds,
        "seeds_agree": row.n_agree,
    }
