"""The control ``oversample``: real rows and copies of real users, as many as the dose has rows.

In: real and synthetic rows. Out: real rows twice over, the copies weighted, under new user ids.
"""

from typing import ClassVar

import numpy as np
import polars as pl

from shopsynth.combine.alignment import control_rows, real_rows, synthetic_rows, training_set
from shopsynth.combine.base import Material, register
from shopsynth.schema import TrainingSet, derived_seed

_MAX_TILT = 30.0
"""Beyond e³⁰ the tilt picks the extreme users only, and more changes nothing."""

_SPARE = 1.2
"""Copies drawn per copy needed on average, so that the cut to size always finds enough."""


@register("oversample")
class Oversample:
    """Answers "you only re-weighted": same size, same share of tail items, nothing new.

    Whole users are copied, those with many tail items more or less often, so that the share of tail
    rows is that of the dose as far as whole users allow.
    """

    compute_of: ClassVar[str | None] = None
    fuses: ClassVar[str | None] = None
    generated: ClassVar[bool] = True

    def build(self, material: Material, *, seed: int) -> TrainingSet:
        """Take the real rows and copies of real users; which users is drawn."""
        dose = synthetic_rows(material)
        events = material.real.ordered_events()
        tail = _tail_items(events, material.tail_max_events)
        users = (
            events.with_columns(pl.col("item_id").is_in(tail.implode()).alias("tail"))
            .group_by("user_id", maintain_order=True)
            .agg(pl.len().cast(pl.Float64).alias("n_events"), pl.col("tail").sum().alias("n_tail"))
        )
        lengths = users["n_events"].to_numpy()
        shares = users["n_tail"].to_numpy() / lengths
        target = dose.join(tail.to_frame(), on="item_id", how="semi").height / dose.height
        chances = _tilted(shares, lengths, target)
        generator = np.random.Generator(np.random.PCG64(derived_seed(seed, "oversample")))
        drawn = _draw_users(chances, lengths, dose.height, generator)
        copies = _copy_users(events, lengths.astype(np.int64), drawn)
        made = control_rows(material, copies, "oversample", dose)
        return training_set(material, "oversample", [real_rows(material), made])


def _tail_items(events: pl.DataFrame, tail_max_events: int) -> pl.Series:
    """Return the ids of items with few events, those that only the dose holds left out.

    An item without any real event cannot be copied, so the dose's cold rows count as warm here.
    """
    counts = events.group_by("item_id", maintain_order=True).agg(pl.len().alias("n"))
    return counts.filter(pl.col("n") <= tail_max_events)["item_id"]


def _tilted(shares: np.ndarray, lengths: np.ndarray, target: float) -> np.ndarray:
    """Return each user's chance so that the expected share of tail events meets the target.

    Chances are proportional to ``exp(tilt * share)``: of all choices with that expectation the one
    nearest to copying everybody alike. The expected share grows with the tilt, so halving finds it.

    Args:
        shares: Tail events of each user as a share of all, shape ``(users,)``.
        lengths: Events of each user, shape ``(users,)``.
        target: The dose's share of tail events.
    """

    def chances(tilt: float) -> np.ndarray:
        raw = np.exp(tilt * (shares - (1.0 if tilt > 0 else 0.0)))
        return np.asarray(raw / raw.sum())

    low, high = -_MAX_TILT, _MAX_TILT
    for _ in range(40):
        middle = (low + high) / 2
        events = chances(middle) * lengths
        if events @ shares < target * events.sum():
            low = middle
        else:
            high = middle
    return chances((low + high) / 2)


def _draw_users(
    chances: np.ndarray, lengths: np.ndarray, n_events: int, generator: np.random.Generator
) -> np.ndarray:
    """Draw users until their events reach a number; shape ``(copies,)``.

    Systematic draws: each user comes as often as expected, rounded up or down by chance.
    """
    n_copies = int(np.ceil(_SPARE * n_events / (chances @ lengths))) + 1
    drawn = np.empty(0, dtype=np.int64)
    while lengths[drawn].sum() < n_events:
        expected = np.cumsum(chances) * n_copies
        times = np.diff(np.floor(expected + generator.random()), prepend=0.0).astype(np.int64)
        round_ = np.repeat(np.arange(chances.size), times)
        drawn = np.concatenate([drawn, generator.permutation(round_)])
    before = np.cumsum(lengths[drawn]) - lengths[drawn]
    return np.asarray(drawn[before < n_events])


def _copy_users(events: pl.DataFrame, lengths: np.ndarray, drawn: np.ndarray) -> pl.DataFrame:
    """Copy whole histories under new ids, their sessions renamed with them.

    Args:
        events: Real events by user.
        lengths: Events of each user, in the order of ``events``.
        drawn: User number of each copy.
    """
    sizes = lengths[drawn]
    first = (np.cumsum(lengths) - lengths)[drawn]
    within = np.arange(sizes.sum()) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    copies: pl.DataFrame = events[np.repeat(first, sizes) + within].with_columns(
        pl.Series("copy", np.repeat(np.arange(drawn.size), sizes))
    )
    user_id = pl.lit("oversample-") + pl.col("copy").cast(pl.String).str.zfill(7)
    renamed = [user_id.alias("user_id")]
    if "session_id" in events.columns:
        renamed.append((user_id + "-" + pl.col("session_id")).alias("session_id"))
    return copies.with_columns(renamed).drop("copy")
