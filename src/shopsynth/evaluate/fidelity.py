"""Fidelity: how near synthetic histories are to real ones, each figure beside what real rows reach.

In: real train events, real held-out events, synthetic events. Out: one row a figure.

A figure alone says little, as two real samples differ too. The ceiling is that difference: train
users cut at random into two halves and compared in the same way (for transitions: train against
held-out). Distances shrink as samples grow: whole synthetic data against whole real data would seem
twice as near as one half is to the other. So as many synthetic users as are in a half stand against
the other half. Fidelity is not utility: rows can be near and useless, or useful and far.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import polars as pl

from shopsynth.evaluate.histories import Histories, shared_catalogue
from shopsynth.schema import EVALUATION_COLUMNS, derived_seed


@dataclass(frozen=True)
class _Figure:
    """One comparison of histories with reference histories.

    Attributes:
        name: What a product manager reads.
        measure: Takes the reference and the compared histories.
        timed: Whether it needs times.
    """

    name: str
    measure: Callable[[Histories, Histories], float]
    timed: bool = False


def measure_fidelity(
    train: pl.DataFrame, heldout: pl.DataFrame, synthetic: pl.DataFrame, *, seed: int = 0
) -> pl.DataFrame:
    """Compare synthetic events with real ones.

    Figures about times are left out where events have none, and the hour of day where real times
    are whole days.

    Args:
        train: Real events the synthesizer may have learned from.
        heldout: Real later events, validation and test.
        synthetic: Synthetic events. With fewer users than half of train the figures are the worse
            for it.
        seed: Of the halves and of the synthetic users compared.

    Returns:
        Columns of ``EVALUATION_COLUMNS["fidelity"]``, table ``events``.
    """
    tables = (train, heldout, synthetic)
    catalogue = shared_catalogue(tables)
    real, later, made = (Histories.encode(table, catalogue) for table in tables)
    first, second = _halves(real, seed)
    as_many = _sample(made, second.n_users, seed)
    timed = real.time_us is not None and made.time_us is not None
    rows = [
        (figure.name, figure.measure(first, as_many), figure.measure(first, second))
        for figure in _FIGURES
        if timed or not figure.timed
    ]
    if timed and np.unique(real.hours()).size > 1:
        rows.append(
            (
                "hour of day: total variation (0 is best)",
                _total_variation(first.hours(), as_many.hours()),
                _total_variation(first.hours(), second.hours()),
            )
        )
    rows.append(
        (
            "next-item pairs of later real histories that occur (1 is best; ceiling: in train)",
            _transition_coverage(later, _sample(made, real.n_users, seed)),
            _transition_coverage(later, real),
        )
    )
    return pl.DataFrame(
        [("events", *row) for row in rows], schema=EVALUATION_COLUMNS["fidelity"], orient="row"
    )


def _halves(real: Histories, seed: int) -> tuple[Histories, Histories]:
    """Cut the users into two random halves."""
    generator = np.random.Generator(np.random.PCG64(derived_seed(seed, "fidelity")))
    in_first = np.zeros(real.n_users, dtype=bool)
    in_first[generator.permutation(real.n_users)[: real.n_users // 2]] = True
    return real.select(in_first), real.select(~in_first)


def _sample(made: Histories, n_users: int, seed: int) -> Histories:
    """Draw users; all of them where there are no more."""
    generator = np.random.Generator(np.random.PCG64(derived_seed(seed, "fidelity sample")))
    keep = np.zeros(made.n_users, dtype=bool)
    keep[generator.permutation(made.n_users)[:n_users]] = True
    return made.select(keep)


def _popularity(real: Histories, made: Histories) -> float:
    """Jensen–Shannon divergence of the items' shares, in bits: 0 equal, 1 disjoint."""
    p, q = _shares(real.counts()), _shares(made.counts())
    middle = (p + q) / 2
    return 0.5 * (_relative_entropy(p, middle) + _relative_entropy(q, middle))


def _relative_entropy(p: np.ndarray, q: np.ndarray) -> float:
    positive = p > 0
    return float(np.sum(p[positive] * np.log2(p[positive] / q[positive])))


def _shares(counts: np.ndarray) -> np.ndarray:
    return np.asarray(counts / max(1, counts.sum()))


def _kolmogorov_smirnov(a: np.ndarray, b: np.ndarray) -> float:
    """Largest distance between two empirical distribution functions; NaN if one is empty."""
    if not a.size or not b.size:
        return float("nan")
    points = np.concatenate([a, b])
    below_a = np.searchsorted(np.sort(a), points, side="right") / a.size
    below_b = np.searchsorted(np.sort(b), points, side="right") / b.size
    return float(np.abs(below_a - below_b).max())


def _total_variation(a: np.ndarray, b: np.ndarray) -> float:
    p, q = (_shares(np.bincount(hours, minlength=24)) for hours in (a, b))
    return float(np.abs(p - q).sum() / 2)


def _item_coverage(real: Histories, made: Histories) -> float:
    """Share of the items bought in the reference that occur in the compared histories."""
    bought = real.counts() > 0
    return float((made.counts()[bought] > 0).mean()) if bought.any() else float("nan")


def _repeat_rate(histories: Histories) -> float:
    """Share of events whose user has an event of the same item before."""
    return 1 - histories.pairs().size / max(1, histories.item.size)


def _transition_coverage(asked: Histories, known: Histories) -> float:
    """Share of neighbouring item pairs that the known histories hold as well."""
    wanted, _ = asked.runs(2)
    held, _ = known.runs(2)
    if not wanted.size:
        return float("nan")
    codes = (pairs[:, 0] * asked.n_items + pairs[:, 1] for pairs in (wanted, held))
    return float(np.isin(*codes).mean())


_FIGURES = (
    _Figure("item popularity: Jensen-Shannon divergence (0 is best)", _popularity),
    _Figure("bought items that occur: share (1 is best)", _item_coverage),
    _Figure(
        "history length: Kolmogorov-Smirnov distance (0 is best)",
        lambda real, made: _kolmogorov_smirnov(real.lengths(), made.lengths()),
    ),
    _Figure(
        "repeated items: difference of rates (0 is best)",
        lambda real, made: abs(_repeat_rate(real) - _repeat_rate(made)),
    ),
    _Figure(
        "days between events: Kolmogorov-Smirnov distance (0 is best)",
        lambda real, made: _kolmogorov_smirnov(real.gaps_days(), made.gaps_days()),
        timed=True,
    ),
)
