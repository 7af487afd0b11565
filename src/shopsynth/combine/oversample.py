"""The control ``oversample``: real rows and copies of real ones, as many as the dose has rows.

In: real and synthetic rows. Out: real rows twice over, the copies weighted, under new ids of their
users, queries or reviews.
"""

from typing import ClassVar

import numpy as np
import polars as pl

from shopsynth.combine.alignment import control_rows, real_rows, synthetic_rows, training_set
from shopsynth.combine.base import Material, register
from shopsynth.combine.dose import owned_rows
from shopsynth.schema import COMPANIONS, TrainingSet, derived_seed

_MAX_TILT = 30.0
"""Beyond e³⁰ the tilt picks the extreme users only, and more changes nothing."""

_SPARE = 1.2
"""Copies drawn per copy needed on average, so that the cut to size always finds enough."""


@register("oversample")
class Oversample:
    """Answers "you only re-weighted": same size, same share of tail items, nothing new.

    Whole owners (users, queries, reviews) are copied, those with many tail items more or less
    often, so that the share of tail rows is that of the dose as far as whole owners allow.
    """

    compute_of: ClassVar[str | None] = None
    fuses: ClassVar[str | None] = None
    generated: ClassVar[bool] = True

    def build(self, material: Material, *, seed: int) -> TrainingSet:
        """Take the real rows and copies of real owners; which ones is drawn."""
        dose, owner = synthetic_rows(material), material.owner
        rows = owned_rows(material.real, material.table)
        tail = _tail_items(rows, material.tail_max_events)
        owners = (
            rows.with_columns(pl.col("item_id").is_in(tail.implode()).alias("tail"))
            .group_by(owner, maintain_order=True)
            .agg(pl.len().cast(pl.Float64).alias("n_rows"), pl.col("tail").sum().alias("n_tail"))
        )
        lengths = owners["n_rows"].to_numpy()
        shares = owners["n_tail"].to_numpy() / lengths
        target = dose.join(tail.to_frame(), on="item_id", how="semi").height / dose.height
        chances = _tilted(shares, lengths, target)
        generator = np.random.Generator(np.random.PCG64(derived_seed(seed, "oversample")))
        drawn = _draw_owners(chances, lengths, dose.height, generator)
        copies = _copy_owners(rows, owner, lengths.astype(np.int64), drawn)
        made = control_rows(material, copies, "oversample", dose)
        companions = _copy_companions(material, owners[owner].gather(drawn))
        return training_set(material, "oversample", [real_rows(material), made], companions)


def _tail_items(rows: pl.DataFrame, tail_max_events: int) -> pl.Series:
    """Return the ids of items with few rows, those that only the dose holds left out.

    An item without any real row cannot be copied, so the dose's cold rows count as warm here.
    """
    counts = rows.group_by("item_id", maintain_order=True).agg(pl.len().alias("n"))
    return counts.filter(pl.col("n") <= tail_max_events)["item_id"]


def _tilted(shares: np.ndarray, lengths: np.ndarray, target: float) -> np.ndarray:
    """Return each owner's chance so that the expected share of tail rows meets the target.

    Chances are proportional to ``exp(tilt * share)``: of all choices with that expectation the one
    nearest to copying everybody alike. The expected share grows with the tilt, so halving finds it.

    Args:
        shares: Tail rows of each owner as a share of all, shape ``(owners,)``.
        lengths: Rows of each owner, shape ``(owners,)``.
        target: The dose's share of tail rows.
    """

    def chances(tilt: float) -> np.ndarray:
        raw = np.exp(tilt * (shares - (1.0 if tilt > 0 else 0.0)))
        return np.asarray(raw / raw.sum())

    low, high = -_MAX_TILT, _MAX_TILT
    for _ in range(40):
        middle = (low + high) / 2
        rows = chances(middle) * lengths
        if rows @ shares < target * rows.sum():
            low = middle
        else:
            high = middle
    return chances((low + high) / 2)


def _draw_owners(
    chances: np.ndarray, lengths: np.ndarray, n_rows: int, generator: np.random.Generator
) -> np.ndarray:
    """Draw owners until their rows reach a number; shape ``(copies,)``.

    Systematic draws: each owner comes as often as expected, rounded up or down by chance.
    """
    n_copies = int(np.ceil(_SPARE * n_rows / (chances @ lengths))) + 1
    drawn = np.empty(0, dtype=np.int64)
    while lengths[drawn].sum() < n_rows:
        expected = np.cumsum(chances) * n_copies
        times = np.diff(np.floor(expected + generator.random()), prepend=0.0).astype(np.int64)
        round_ = np.repeat(np.arange(chances.size), times)
        drawn = np.concatenate([drawn, generator.permutation(round_)])
    before = np.cumsum(lengths[drawn]) - lengths[drawn]
    return np.asarray(drawn[before < n_rows])


def _copy_owners(
    rows: pl.DataFrame, owner: str, lengths: np.ndarray, drawn: np.ndarray
) -> pl.DataFrame:
    """Copy all rows of some owners under new ids, a user's sessions renamed with them.

    Args:
        rows: Real rows by owner.
        owner: The column that names them.
        lengths: Rows of each owner, in the order of ``rows``.
        drawn: Owner number of each copy.
    """
    sizes = lengths[drawn]
    first = (np.cumsum(lengths) - lengths)[drawn]
    within = np.arange(sizes.sum()) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    copies: pl.DataFrame = rows[np.repeat(first, sizes) + within].with_columns(
        pl.Series("copy", np.repeat(np.arange(drawn.size), sizes))
    )
    copy_id = _copy_ids(pl.col("copy"))
    renamed = [copy_id.alias(owner)]
    if "session_id" in rows.columns:
        renamed.append((copy_id + "-" + pl.col("session_id")).alias("session_id"))
    return copies.with_columns(renamed).drop("copy")


def _copy_companions(material: Material, copied: pl.Series) -> dict[str, pl.DataFrame]:
    """Copy the users, or queries, whose rows were copied, under the ids of the copies.

    Args:
        material: Has the table of owners, if the shop has it.
        copied: Real id of each copy.
    """
    pairs = pl.DataFrame({material.owner: copied}).with_row_index("copy")
    return {
        name: pairs.join(real, on=material.owner, maintain_order="left")
        .with_columns(_copy_ids(pl.col("copy")).alias(material.owner))
        .select(real.columns)
        for name, real in material.real.tables().items()
        if COMPANIONS.get(name) == material.owner
    }


def _copy_ids(number: pl.Expr) -> pl.Expr:
    return pl.lit("oversample-") + number.cast(pl.String).str.zfill(7)
