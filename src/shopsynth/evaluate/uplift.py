"""Uplift: what the candidate arm gains over real data and over every control, and the verdict.

In: per-unit values on test and the registered plan. Out: the tables ``uplift`` and ``hypotheses``.
The rules are in ``verdict.py``, the statistics in ``pairing.py`` and ``bootstrap.py``.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

import polars as pl

from shopsynth.evaluate.claims import judge_hypotheses
from shopsynth.evaluate.hypotheses import ALL, Hypothesis
from shopsynth.evaluate.pairing import Paired, Place, copied_models, pair_arms
from shopsynth.evaluate.system import SYSTEM
from shopsynth.evaluate.units import UnitTable, UnitValues, as_unit_values
from shopsynth.evaluate.verdict import Comparison, Rules, compare, judge
from shopsynth.schema import EVALUATION_COLUMNS


@dataclass(frozen=True)
class Uplift:
    """What a comparison of arms says.

    Attributes:
        uplift: Columns of ``EVALUATION_COLUMNS["uplift"]``.
        hypotheses: Columns of ``EVALUATION_COLUMNS["hypotheses"]``, in the order of the plan.
    """

    uplift: pl.DataFrame
    hypotheses: pl.DataFrame


def compare_arms(
    units: pl.DataFrame | UnitValues,
    *,
    plan: Sequence[Hypothesis],
    headline_model: str,
    headline_metrics: Mapping[str, str],
    cutoff: int,
    controls: Mapping[str, Sequence[str]],
    baseline: str = "real",
    candidate: str = "combined",
    side_information: str = "side_information",
    oracle: str = "oracle",
    better: Mapping[str, str] | None = None,
    unasked: Collection[str] = (),
    made_of: Mapping[str, Sequence[str]] | None = None,
    margin: float = 0.01,
    min_seeds: int = 3,
    resamples: int = 10_000,
    seed: int = 0,
) -> Uplift:
    """Compare the candidate with real data, with every other arm that ran, and judge the plan.

    Compared are what the plan names, the headline metric on every slice, and other metrics on slice
    ``all``, at the headline's cutoff (0 for a metric without list length). The oracle is compared
    with real data as well: that difference is the ceiling. Without any control nothing ``helps``.

    Args:
        units: Columns of ``EVALUATION_COLUMNS["units"]``, from test; see :func:`add_system`.
        plan: The registered hypotheses, from :func:`register`.
        headline_model: The model whose rows come first.
        headline_metrics: By task, the metric of the headline.
        cutoff: List length of the headline.
        controls: By task, arms that could explain an uplift away. One without units has no row;
            as it may explain whatever is seen, nothing ``helps`` where it is missing.
            ``side_information`` and ``oracle`` are no controls, wherever they are listed.
        baseline: The arm of real rows.
        candidate: The arm that is judged.
        side_information: The arm that the candidate must not fall behind, where it ran.
        oracle: The arm with more real rows.
        better: By metric, ``higher`` or ``lower``; ``higher`` for a metric it does not name.
        unasked: Tasks with side information whose arm of it was not asked for: there nothing more
            than ``helps this model`` is said.
        made_of: By model, the models that it is made of; these and it are one architecture.
        margin: Loss against side information that is tolerated, relative.
        min_seeds: With fewer different generator seeds or trainer seeds every verdict is
            ``no effect shown``.
        resamples: Bootstrap draws.
        seed: Of the draws.

    Returns:
        The headline model's rows first, then those of ``system``, then the others by name.
        ``absolute``, ``relative`` and their interval are differences as they are, so that a metric
        that improves by falling improves below 0. ``mde`` is what would have been found with 80 %
        power at 5 %.

    Raises:
        InputError: If runs do not have the same units.
    """
    known = (baseline, candidate, side_information, oracle)
    rules = Rules(
        baseline=baseline,
        candidate=candidate,
        controls={
            task: tuple(name for name in names if name not in known)
            for task, names in controls.items()
        },
        side_information=side_information,
        oracle=oracle,
        min_seeds=min_seeds,
        margin=margin,
        better=better or {},
        unasked=frozenset(unasked),
        made_of=made_of or {},
    )
    every = dict.fromkeys(chain.from_iterable(rules.controls.values()))
    others = [baseline, *every, side_information, oracle]
    arms = [*((candidate, other) for other in others), (oracle, baseline)]
    pairs: dict[tuple[Place, str, str], Paired] = {}
    copied: dict[str, frozenset[str]] = {}
    for table in as_unit_values(units).tables:
        asked = _asked(table, plan, headline_metrics.get(table.task), cutoff)
        pairs.update(pair_arms(table, arms, asked, resamples=resamples, seed=seed))
        if table.slice == ALL:
            copied[table.task] = copied_models(table, SYSTEM, candidate)
    found = compare(pairs, rules)
    judged, evidence = judge(found, rules, plan, copied)
    order = {headline_model: 0, SYSTEM: 1}
    rows = sorted(judged.values(), key=lambda row: _sort_key(row, order, arms, headline_metrics))
    return Uplift(
        uplift=pl.DataFrame(
            [_as_record(row) for row in rows], schema=EVALUATION_COLUMNS["uplift"], orient="row"
        ),
        hypotheses=judge_hypotheses(plan, judged, evidence, rules),
    )


def _asked(
    table: UnitTable, plan: Sequence[Hypothesis], headline: str | None, cutoff: int
) -> Collection[tuple[str, int]]:
    """List the metrics with cutoffs that are compared on one slice."""
    registered = {
        (hypothesis.metric, length)
        for hypothesis in plan
        if (hypothesis.task, hypothesis.slice) == (table.task, table.slice)
        for length in (hypothesis.cutoff, 0)
    }
    return {
        (metric, length)
        for _, _, metric, length in table.columns
        if (metric, length) in registered
        or (length in (cutoff, 0) and (metric == headline or table.slice == ALL))
    }


def _sort_key(
    row: Comparison,
    order: Mapping[str, int],
    arms: Sequence[tuple[str, str]],
    headline_metrics: Mapping[str, str],
) -> tuple[object, ...]:
    place = row.place
    return (
        place.task,
        order.get(place.model, 2),
        place.model,
        place.metric != headline_metrics.get(place.task),
        place.metric,
        place.cutoff,
        place.slice != ALL,
        place.slice,
        arms.index((row.arm, row.against)),
    )


def _as_record(row: Comparison) -> dict[str, object]:
    return {
        "task": row.place.task,
        "model": row.place.model,
        "metric": row.place.metric,
        "cutoff": row.place.cutoff,
        "slice": row.place.slice,
        "arm": row.arm,
        "against": row.against,
        "absolute": row.effect.point,
        "relative": row.pair.relative,
        "low": row.effect.low,
        "high": row.effect.high,
        "p_holm": row.p_holm,
        "mde": row.effect.detectable,
        "verdict": row.verdict,
        "role": row.role,
        "seeds": len(row.pair.runs),
        "seeds_agree": row.pair.n_agree,
    }
