"""Pairs of arms: the same model, units and runs with one kind of rows and with another.

In: per-unit values of one task and slice. Out: every comparison asked for, with all that an
interval of the difference, of the ratio or of a shifted difference needs. Units are drawn once a
slice, and one matrix product serves all models, arms and metrics of it.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from shopsynth.evaluate.bootstrap import (
    Estimate,
    estimate,
    level_covariance,
    resample_means,
    run_levels,
    welch_freedom,
)
from shopsynth.evaluate.units import Quantity, Run, UnitTable
from shopsynth.schema import derived_seed

_TAIL = 0.025
_MANY = 1e6
"""Degrees of freedom from which Student's t is normal to six digits."""

_NOWHERE = (float("nan"), float("nan"))


@dataclass(frozen=True)
class Paired:
    """Two arms, run by run on the same units.

    Attributes:
        ours: Mean over units of each run, shape ``(runs,)``.
        theirs: The same of the other arm.
        ours_resampled: Mean over runs on resampled units, shape ``(resamples,)``.
        theirs_resampled: The same of the other arm, on the same draws.
        runs: Generator and trainer seed of each run.
        n_units: Units behind every mean.
    """

    ours: np.ndarray
    theirs: np.ndarray
    ours_resampled: np.ndarray
    theirs_resampled: np.ndarray
    runs: tuple[Run, ...]
    n_units: int

    def difference(self) -> Estimate:
        """Estimate ours minus theirs, in units of the metric."""
        return self._estimate(1.0)

    def shifted(self, margin: float, sign: int) -> Estimate:
        """Estimate by how much ours stays above a loss of a share of theirs.

        Above 0, ours is not worse than theirs by more than the margin; the p-value is that of the
        null hypothesis that ours is worse by exactly the margin.

        Args:
            margin: Tolerated loss, as a share of theirs.
            sign: 1 where the metric improves by rising, -1 where it improves by falling.
        """
        return self._estimate(1.0 - sign * margin, sign)

    def _estimate(self, share: float, sign: int = 1) -> Estimate:
        return estimate(
            sign * (self.ours - share * self.theirs),
            sign * (self.ours_resampled - share * self.theirs_resampled),
            self.n_units,
            self.runs,
        )

    @property
    def base(self) -> float:
        """Mean of theirs, of which relative figures are a share."""
        return float(self.theirs.mean())

    @property
    def relative(self) -> float:
        """Ours minus theirs as a share of theirs; NaN where theirs is not above 0."""
        if not self.base > 0:
            return float("nan")
        return float((self.ours - self.theirs).mean()) / self.base

    @property
    def n_agree(self) -> int:
        """Runs whose difference has the sign of the mean difference."""
        differences = self.ours - self.theirs
        return int(np.count_nonzero(differences * differences.mean() > 0))

    def relative_interval(self) -> tuple[float, float]:
        """Return the 95 % interval of :attr:`relative`, theirs being uncertain as well.

        Two intervals, as for a difference, of which the wider counts: percentiles of the ratio on
        resampled units, and Fieller's set of all ratios that Student's t on both levels does not
        reject. Where theirs cannot be told from 0 there is no interval: both ends are NaN.

        Source:
            Fieller, Some problems in interval estimation, J. R. Stat. Soc. B 1954.
        """
        if self.n_units < 2 or not self.base > 0 or not self.theirs_resampled.min() > 0:
            return _NOWHERE
        changes = self.ours_resampled / self.theirs_resampled - 1
        low, high = (float(end) for end in np.quantile(changes, [_TAIL, 1 - _TAIL]))
        return max((low, high), self._fieller(), key=_width)

    def _fieller(self) -> tuple[float, float]:
        """Solve (d - θb)² ≤ t² Var(d - θb) for θ, with difference d, base b and both levels."""
        from scipy.special import stdtrit

        difference = float((self.ours - self.theirs).mean())
        parts = self._covariances()
        contrast = np.array([1.0, -difference / self.base])
        freedom = welch_freedom([(float(contrast @ part @ contrast), f) for part, f in parts])
        total = np.sum([part for part, _ in parts], axis=0)
        t_square = float(stdtrit(min(freedom, _MANY), 1 - _TAIL)) ** 2
        square = self.base**2 - t_square * total[1, 1]
        linear = self.base * difference - t_square * total[0, 1]
        constant = difference**2 - t_square * total[0, 0]
        if not square > 0:
            return _NOWHERE
        root = float(np.sqrt(max(0.0, linear**2 - square * constant)))
        return (linear - root) / square, (linear + root) / square

    def _covariances(self) -> list[tuple[np.ndarray, float]]:
        """Return each level's covariance of (difference, base) and its degrees of freedom."""
        resampled = np.stack([self.ours_resampled - self.theirs_resampled, self.theirs_resampled])
        of_units = np.cov(resampled) * self.n_units / (self.n_units - 1)
        run_means = np.stack([self.ours - self.theirs, self.theirs], axis=1)
        return [
            (of_units, float(self.n_units - 1)),
            *(
                (covariance, float(freedom))
                for covariance, freedom in (
                    level_covariance(run_means, level) for level in run_levels(self.runs)
                )
            ),
        ]


@dataclass(frozen=True, order=True)
class Place:
    """Where two arms are compared."""

    task: str
    model: str
    metric: str
    cutoff: int
    slice: str


def pair_arms(
    table: UnitTable,
    arms: Sequence[tuple[str, str]],
    quantities: Collection[tuple[str, int]],
    *,
    resamples: int,
    seed: int,
) -> dict[tuple[Place, str, str], Paired]:
    """Pair arms with arms, for every model that has both.

    Args:
        table: Values of one task and slice.
        arms: Pairs (ours, theirs).
        quantities: Metrics with their cutoffs.
        resamples: Bootstrap draws.
        seed: Of the draws; a slice draws its own, so that no result depends on the other slices.

    Returns:
        By place, our arm and theirs.
    """
    wanted = {
        (Place(table.task, model, metric, cutoff, table.slice), ours, theirs): pairs
        for ours, theirs in arms
        for model, arm, metric, cutoff in table.columns
        if arm == ours and (metric, cutoff) in quantities
        if (
            pairs := pair_runs(
                table.columns[model, ours, metric, cutoff],
                table.columns.get((model, theirs, metric, cutoff), {}),
            )
        )
    }
    columns: dict[tuple[Quantity, tuple[Run, ...]], int] = {}
    for (place, ours, theirs), pairs in wanted.items():
        for arm, runs in ((ours, tuple(pairs)), (theirs, tuple(pairs.values()))):
            columns.setdefault((_quantity(place, arm), runs), len(columns))
    if not columns:
        return {}
    averages = np.stack(
        [
            np.mean([table.columns[quantity][run] for run in runs], axis=0)
            for quantity, runs in columns
        ],
        axis=1,
    )
    draws = derived_seed(seed, "uplift", table.task, table.slice)
    resampled = np.ascontiguousarray(resample_means(averages, resamples=resamples, seed=draws).T)
    means = {
        quantity: {run: float(values.mean()) for run, values in table.columns[quantity].items()}
        for quantity, _ in columns
    }

    def side(place: Place, arm: str, runs: tuple[Run, ...]) -> tuple[np.ndarray, np.ndarray]:
        quantity = _quantity(place, arm)
        run_means = np.array([means[quantity][run] for run in runs])
        return run_means, resampled[columns[quantity, runs]]

    found = {}
    for (place, ours, theirs), pairs in wanted.items():
        our_means, our_draws = side(place, ours, tuple(pairs))
        their_means, their_draws = side(place, theirs, tuple(pairs.values()))
        found[place, ours, theirs] = Paired(
            our_means, their_means, our_draws, their_draws, tuple(pairs), table.n_units
        )
    return found


def pair_runs(ours: Collection[Run], theirs: Collection[Run]) -> dict[Run, Run]:
    """Find the other arm's run for each of ours: the same, else that of an arm without generator.

    Example:
        >>> pair_runs([(0, 0), (1, 1)], [(0, 0), (0, 1)])
        {(0, 0): (0, 0), (1, 1): (0, 1)}
    """
    pairs = {}
    for generator, trainer in sorted(ours):
        for other in ((generator, trainer), (0, trainer)):
            if other in theirs:
                pairs[generator, trainer] = other
                break
    return pairs


def copied_models(table: UnitTable, model: str, arm: str) -> frozenset[str]:
    """Name the other models of an arm whose values are those of ``model``, such as ``system``'s."""
    mine = {key[2:]: runs for key, runs in table.columns.items() if key[:2] == (model, arm)}
    others = {key[0] for key in table.columns if key[1] == arm and key[0] != model}
    return frozenset(
        other
        for other in others
        if mine and all(_same(runs, table.columns.get((other, arm, *key), {}))
                        for key, runs in mine.items())
    )  # fmt: skip


def _same(one: Mapping[Run, np.ndarray], two: Mapping[Run, np.ndarray]) -> bool:
    return one.keys() == two.keys() and all(
        values is two[run] or np.array_equal(values, two[run]) for run, values in one.items()
    )


def _quantity(place: Place, arm: str) -> Quantity:
    return place.model, arm, place.metric, place.cutoff


def _width(interval: tuple[float, float]) -> float:
    """Say how wide an interval is; none at all is the widest."""
    width = interval[1] - interval[0]
    return float("inf") if np.isnan(width) else width
