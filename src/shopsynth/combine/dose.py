"""The dose: how much synthetic data joins the real data, and how much each row weighs.

In: settings, synthetic rows, validation values. Out: doses to try, the rows of one, the best one.

The choice is one optimisation: maximise the validation utility of the downstream task over ratio
and weight. It reads validation only, never test. It walks the ratios at one weight first and then
other weights at the best ratio: ratio and weight both scale the synthetic share of the loss, so a
full grid mostly tries the same share twice. Where the recipe asks for it, the methods are weighed
against each other last, one after the other.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf
from typing import Self

import numpy as np
import polars as pl

from shopsynth.combine.settings import CombineSettings
from shopsynth.schema import COMPANIONS, EmptyDataError, SyntheticDataset, derived_seed

_EVERY_ROW_COUNTS = 1.0


@dataclass(frozen=True, order=True)
class Dose:
    """An amount of synthetic data.

    Attributes:
        ratio: Synthetic events per real event.
        weight: Loss weight of a synthetic row; a real one weighs 1.
        sources: Methods whose rows weigh another share of that, and the share; by name.
    """

    ratio: float
    weight: float
    sources: tuple[tuple[str, float], ...] = ()

    @property
    def sources_text(self) -> str:
        """The sources as one cell of a table.

        Example:
            >>> Dose(1.0, 0.5, (("markov", 0.3), ("mask", 0.1))).sources_text
            'markov 0.3, mask 0.1'
        """
        return ", ".join(f"{name} {share:g}" for name, share in self.sources)

    @classmethod
    def of_row(cls, ratio: float, weight: float, sources: str) -> Self:
        """Read a dose from the cells of a table.

        Example:
            >>> Dose.of_row(1.0, 0.5, "markov 0.3").sources
            (('markov', 0.3),)
        """
        pairs = (each.rsplit(" ", 1) for each in sources.split(", ") if each)
        return cls(ratio, weight, tuple((name, float(share)) for name, share in pairs))


def dose_grid(settings: CombineSettings, on_hand: float = inf) -> list[Dose]:
    """List the doses to try first: every ratio at one weight.

    Args:
        settings: The recipe's block.
        on_hand: Synthetic events per real event that were made. A larger ratio would be this one
            under a false name, so it is cut to it; with none on hand ratios stay as they are.

    Example:
        >>> doses = dose_grid(CombineSettings(doses=(0.25, 1.0, 2.0), weight=1.0), on_hand=0.8)
        >>> [(dose.ratio, dose.weight) for dose in doses]
        [(0.25, 1.0), (0.8, 1.0)]
    """
    ratios = settings.doses if settings.ratio == "auto" else (settings.ratio,)
    weight = _EVERY_ROW_COUNTS if settings.weight == "auto" else settings.weight
    made = sorted({min(float(ratio), on_hand or inf) for ratio in ratios})
    return [Dose(ratio, float(weight)) for ratio in made]


def next_weights(settings: CombineSettings, best: Dose) -> list[Dose]:
    """List the doses to try second: the other weights at the best ratio.

    Args:
        settings: The recipe's block; a fixed weight leaves nothing to try.
        best: What :func:`choose_dose` took from the first doses.
    """
    if settings.weight != "auto":
        return []
    weights = sorted(set(settings.weights) - {best.weight})
    return [Dose(best.ratio, float(weight)) for weight in weights]


def next_sources(settings: CombineSettings, best: Dose, source: str) -> list[Dose]:
    """List the doses to try last: the best one with the rows of one method weighed down or up.

    Args:
        settings: The recipe's block; without ``source_weights`` there is nothing to try.
        best: The best dose so far.
        source: Name of the method.
    """
    others = tuple(pair for pair in best.sources if pair[0] != source)
    return [
        Dose(best.ratio, best.weight, tuple(sorted((*others, (source, float(share))))))
        for share in sorted(set(settings.source_weights))
    ]


def choose_dose(rows: pl.DataFrame) -> Dose:
    """Choose the dose with the best validation mean, or a smaller one that is as good.

    Of all doses within half a standard error of the best mean, the one with the smallest ratio is
    taken, then the better mean: such a difference is noise, and every synthetic row costs training
    time and carries risk of its own. Half an error and not the full one of pruning rules, because
    the doses are judged on the same units: their difference is surer than either mean.

    Args:
        rows: Columns ``ratio``, ``weight``, ``sources``, ``value``: validation values of each dose,
            one a unit or run. With a single row a dose its error is unknown and the best mean wins.
            Rows with ratio 0 (real data alone) are for the picture and are not chosen.

    Raises:
        EmptyDataError: If there is no dose to choose from.
    """
    doses = (
        rows.filter(pl.col("ratio") > 0, pl.col("value").is_not_nan())
        .sort("ratio", "weight", "sources", "value")
        .group_by("ratio", "weight", "sources", maintain_order=True)
        .agg(
            pl.col("value").mean().alias("mean"),
            (pl.col("value").std() / pl.len().sqrt()).fill_null(0.0).alias("error"),
        )
    )
    if doses.is_empty():
        raise EmptyDataError(
            f"choose_dose: expected validation values of at least one dose above 0, got "
            f"{rows.height} row(s); train a dose first"
        )
    best = doses.sort(-pl.col("mean"), "ratio", "weight", "sources").row(0, named=True)
    as_good = doses.filter(pl.col("mean") >= best["mean"] - best["error"] / 2)
    chosen = as_good.sort("ratio", -pl.col("mean"), "weight", "sources").row(0, named=True)
    return Dose.of_row(chosen["ratio"], chosen["weight"], chosen["sources"])


def take_dose(synthetic: Sequence[SyntheticDataset], n_events: int) -> pl.DataFrame:
    """Take whole synthetic users until their events reach a number.

    Doses nest: a larger one holds all users of a smaller one. Users of one data set come in an
    order drawn from its own seed, because augmenters walk through real users in turn and a plain
    prefix would copy the first of them only. Several data sets are interleaved so that each gives
    the same share of its events.

    Args:
        synthetic: One or many data sets.
        n_events: Events wanted; with fewer on hand all are taken.

    Returns:
        Columns of ``events`` (the union; absent ones null) and ``origin``, the synthesizer's name.
        Users and queries of a later data set whose ids are taken already get its number behind
        theirs.
    """
    parts = [_distinct_events(number, synthetic) for number in range(len(synthetic))]
    if not parts or n_events <= 0:
        return pl.DataFrame(schema={"user_id": pl.String, "origin": pl.String})
    queue = (
        pl.concat(
            [
                _queue(number, part, made.seed)
                for number, (part, made) in enumerate(zip(parts, synthetic, strict=True))
            ]
        )
        .sort("done", "number", "user_id")
        .with_columns((pl.col("n_events").cum_sum() - pl.col("n_events")).alias("before"))
        .filter(pl.col("before") < n_events)
    )
    rows = pl.concat(parts, how="diagonal_relaxed")
    return rows.join(queue.select("user_id"), on="user_id", how="semi", maintain_order="left")


def _distinct_events(number: int, synthetic: Sequence[SyntheticDataset]) -> pl.DataFrame:
    """Return one data set's events with ``origin``, its users renamed if their ids are taken."""
    made = synthetic[number]
    events = made.data.ordered_events().with_columns(pl.lit(made.synthesizer).alias("origin"))
    own = [key for key in COMPANIONS.values() if key in events.columns]
    return events.with_columns(pl.col(own) + _ending(number, synthetic))


def companions_of(
    number: int, synthetic: Sequence[SyntheticDataset], table: str
) -> pl.DataFrame | None:
    """Return one data set's users or queries, renamed as :func:`take_dose` renames its events.

    Args:
        number: Of the data set.
        synthetic: All data sets.
        table: A table of :data:`COMPANIONS`.
    """
    frame = synthetic[number].data.tables().get(table)
    if frame is None:
        return None
    return frame.with_columns(pl.col(COMPANIONS[table]) + _ending(number, synthetic))


def _ending(number: int, synthetic: Sequence[SyntheticDataset]) -> str:
    """Return what ids of a data set get behind them: something where earlier ones have them."""
    users = synthetic[number].data.need("events").select("user_id")
    earlier = [other.data.need("events").select("user_id") for other in synthetic[:number]]
    taken = bool(earlier) and users.join(pl.concat(earlier), on="user_id", how="semi").height > 0
    return f"-{number + 1}" if taken else ""


def _queue(number: int, events: pl.DataFrame, seed: int) -> pl.DataFrame:
    """Put one data set's users in a drawn order and say how much of it is done before each.

    Returns:
        Columns ``user_id``, ``n_events``, ``number``, ``done`` (share of the data set's events).
    """
    users = events.group_by("user_id", maintain_order=True).agg(pl.len().alias("n_events"))
    generator = np.random.Generator(np.random.PCG64(derived_seed(seed, "dose")))
    return users[generator.permutation(users.height)].select(
        "user_id",
        pl.col("n_events").cast(pl.Int64),
        pl.lit(number).alias("number"),
        ((pl.col("n_events").cum_sum() - pl.col("n_events")) / pl.col("n_events").sum()).alias(
            "done"
        ),
    )
