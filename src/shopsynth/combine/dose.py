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
from shopsynth.schema import (
    COMPANIONS,
    OWNERS,
    Dataset,
    EmptyDataError,
    SyntheticDataset,
    derived_seed,
)

_EVERY_ROW_COUNTS = 1.0


@dataclass(frozen=True, order=True)
class Dose:
    """An amount of synthetic data.

    Attributes:
        ratio: Synthetic rows per real row.
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
        on_hand: Synthetic rows per real row that were made. A larger ratio would be this one
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


def take_dose(
    synthetic: Sequence[SyntheticDataset], n_rows: int, table: str = "events"
) -> pl.DataFrame:
    """Take whole synthetic owners (users, queries, reviews) until their rows reach a number.

    Doses nest: a larger one holds all owners of a smaller one. Owners of one data set come in an
    order drawn from its own seed, because augmenters walk through real ones in turn and a plain
    prefix would copy the first of them only. Several data sets are interleaved so that each gives
    the same share of its rows.

    Args:
        synthetic: One or many data sets.
        n_rows: Rows wanted; with fewer on hand all are taken.
        table: The table that is mixed, of :data:`OWNERS`.

    Returns:
        Columns of the table (the union; absent ones null) and ``origin``, the synthesizer's name.
        Owners, users and queries of a later data set whose ids are taken already get its number
        behind theirs.
    """
    owner = OWNERS[table]
    parts = [_distinct_rows(number, synthetic, table) for number in range(len(synthetic))]
    if not parts or n_rows <= 0:
        return pl.DataFrame(schema={owner: pl.String, "origin": pl.String})
    queue = (
        pl.concat(
            [
                _queue(number, part, made.seed, owner)
                for number, (part, made) in enumerate(zip(parts, synthetic, strict=True))
            ]
        )
        .sort("done", "number", owner)
        .with_columns((pl.col("n_rows").cum_sum() - pl.col("n_rows")).alias("before"))
        .filter(pl.col("before") < n_rows)
    )
    rows = pl.concat(parts, how="diagonal_relaxed")
    return rows.join(queue.select(owner), on=owner, how="semi", maintain_order="left")


def owned_rows(data: Dataset, table: str) -> pl.DataFrame:
    """Return a table's rows by owner, those of a user in time order, so that parts do not matter.

    Args:
        data: A shop.
        table: Of :data:`OWNERS`.
    """
    if table == "events":
        return data.ordered_events()
    return data.need(table).sort(OWNERS[table], maintain_order=True)


def _distinct_rows(number: int, synthetic: Sequence[SyntheticDataset], table: str) -> pl.DataFrame:
    """Return one data set's rows with ``origin``, its owners renamed if their ids are taken."""
    made = synthetic[number]
    rows = owned_rows(made.data, table).with_columns(pl.lit(made.synthesizer).alias("origin"))
    keys = dict.fromkeys((OWNERS[table], *COMPANIONS.values()))
    own = [key for key in keys if key in rows.columns]
    return rows.with_columns(pl.col(own) + _ending(number, synthetic, table))


def companions_of(
    number: int, synthetic: Sequence[SyntheticDataset], companion: str, table: str = "events"
) -> pl.DataFrame | None:
    """Return one data set's users or queries, renamed as :func:`take_dose` renames its rows.

    Args:
        number: Of the data set.
        synthetic: All data sets.
        companion: A table of :data:`COMPANIONS`.
        table: The table that is mixed.
    """
    frame = synthetic[number].data.tables().get(companion)
    if frame is None:
        return None
    return frame.with_columns(pl.col(COMPANIONS[companion]) + _ending(number, synthetic, table))


def _ending(number: int, synthetic: Sequence[SyntheticDataset], table: str) -> str:
    """Return what ids of a data set get behind them: something where earlier ones have them."""
    owner = OWNERS[table]
    owners = synthetic[number].data.need(table).select(owner)
    earlier = [other.data.need(table).select(owner) for other in synthetic[:number]]
    taken = bool(earlier) and owners.join(pl.concat(earlier), on=owner, how="semi").height > 0
    return f"-{number + 1}" if taken else ""


def _queue(number: int, rows: pl.DataFrame, seed: int, owner: str) -> pl.DataFrame:
    """Put one data set's owners in a drawn order and say how much of it is done before each.

    Returns:
        Columns of the owner, ``n_rows``, ``number``, ``done`` (share of the data set's rows).
    """
    owners = rows.group_by(owner, maintain_order=True).agg(pl.len().alias("n_rows"))
    generator = np.random.Generator(np.random.PCG64(derived_seed(seed, "dose")))
    return owners[generator.permutation(owners.height)].select(
        owner,
        pl.col("n_rows").cast(pl.Int64),
        pl.lit(number).alias("number"),
        ((pl.col("n_rows").cum_sum() - pl.col("n_rows")) / pl.col("n_rows").sum()).alias("done"),
    )
