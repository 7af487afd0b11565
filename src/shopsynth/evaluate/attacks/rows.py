"""People as rows of attributes: a users table, or what can be told of a history.

In: users tables or histories of all three sides. Out: the same rows as small integers, samples of
them, and how many columns two rows agree in.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np
import polars as pl

from shopsynth.evaluate.attacks.chance import draw
from shopsynth.evaluate.attacks.people import People, Sides
from shopsynth.evaluate.histories import Histories
from shopsynth.schema import derived_seed

_N_ASKED = 4_000
"""People a side. Of 2,000 an excess of .05 over a half could not be told from none."""

_N_RELEASED = 10_000
"""Rows of the release, and of its stand-in, in pairwise attacks."""

_CELLS = 20_000_000

_SPARE = {"user_id", "item_id", "session_id", "review_id", "query_id"}
"""Columns that name a row and say nothing about a person."""


@dataclass(frozen=True)
class Rows:
    """Attributes of people as numbers: equal numbers in a column are equal cells.

    Attributes:
        names: Of the columns.
        train: Shape ``(people, columns)``, likewise the others.
        heldout: People the synthesizer could not read.
        made: The release.
    """

    names: tuple[str, ...]
    train: np.ndarray
    heldout: np.ndarray
    made: np.ndarray

    @classmethod
    def encode(cls, sides: Sides) -> Self:
        """Number the cells of every column that all three tables have, ids left out."""
        tables = (sides.train, sides.heldout, sides.synthetic)
        names = [
            name
            for name in sides.train.columns
            if name not in _SPARE and all(name in table.columns for table in tables)
        ]
        columns = []
        for name in names:
            cells = pl.concat([table[name].cast(pl.String) for table in tables])
            columns.append(cells.rank("dense").fill_null(0).cast(pl.Int32).to_numpy())
        sizes = [table.height for table in tables]
        shape = (sum(sizes), len(names))
        coded = np.column_stack(columns) if columns else np.empty(shape, dtype=np.int32)
        train, heldout, made = np.split(coded, np.cumsum(sizes)[:-1])
        return cls(tuple(names), train, heldout, made)

    @classmethod
    def of_histories(cls, people: People) -> Self:
        """Describe every history by seven attributes that do not tell the date.

        The month of a first purchase tells train from later people by itself, so it is no
        attribute here; sizes are told in powers of two.
        """
        sides = (people.train, people.heldout, people.made)
        names, described = zip(*(_describe(each) for each in sides), strict=True)
        shared = [name for name in names[0] if all(name in each for each in names)]
        places = [[each.index(name) for name in shared] for each in names]
        train, heldout, made = (
            table[:, place] for table, place in zip(described, places, strict=True)
        )
        return cls(tuple(shared), train, heldout, made)

    @cached_property
    def sampled(self) -> "Asked":
        """People to attack, a release, and train rows of others that stand in for it."""
        generator = np.random.Generator(np.random.PCG64(derived_seed(0, "audit", "rows")))
        order = generator.permutation(len(self.train))
        n_asked = min(_N_ASKED, len(order) // 2, len(self.heldout))
        others = order[n_asked:][:_N_RELEASED]
        heldout = draw(len(self.heldout), n_asked, "control rows")
        made = draw(len(self.made), min(_N_RELEASED, others.size), "released rows")
        return Asked(
            self.names,
            self.train[order[:n_asked]],
            self.heldout[heldout],
            self.made[made],
            self.train[others],
        )


@dataclass(frozen=True)
class Asked:
    """Samples for attacks on rows: as many targets as controls.

    Attributes:
        names: Of the columns.
        targets: Train rows.
        controls: Held-out rows.
        released: Rows of the release.
        standin: Train rows of other people, as many as released ones or more.
    """

    names: tuple[str, ...]
    targets: np.ndarray
    controls: np.ndarray
    released: np.ndarray
    standin: np.ndarray


def agreement(asked: np.ndarray, known: np.ndarray, columns: Sequence[int]) -> np.ndarray:
    """Count the columns in which rows agree; ``uint8`` of shape ``(asked, known)``."""
    agreed = np.zeros((len(asked), len(known)), dtype=np.uint8)
    for column in columns:
        agreed += asked[:, column, None] == known[None, :, column]
    return agreed


def most_agreed(asked: np.ndarray, known: np.ndarray, own: np.ndarray | None = None) -> np.ndarray:
    """Return in how many columns each asked row agrees with the nearest known one.

    Args:
        asked: Shape ``(asked, columns)``.
        known: Shape ``(known, columns)``.
        own: The known row that is the asked one itself and does not count, -1 for none.
    """
    best = np.zeros(len(asked), dtype=np.int64)
    if not len(known):
        return best
    step = max(1, _CELLS // len(known))
    for first in range(0, len(asked), step):
        rows = slice(first, first + step)
        agreed = agreement(asked[rows], known, range(asked.shape[1]))
        if own is not None:
            here = np.flatnonzero(own[rows] >= 0)
            agreed[here, own[rows][here]] = 0
        best[rows] = agreed.max(axis=1)
    return best


def _describe(histories: Histories) -> tuple[list[str], np.ndarray]:
    """Tell each user's first, last and favourite item, sizes, hour, weekday and pace."""
    events = pl.DataFrame({"user": histories.user, "item": histories.item})
    if histories.time_us is not None:
        events = events.with_columns(pl.Series("time_us", histories.time_us))
    item = pl.col("item")
    described = events.group_by("user", maintain_order=True).agg(
        item.first().alias("first_item"),
        item.last().alias("last_item"),
        item.mode().min().alias("favourite_item"),
        item.len().log(2).floor().alias("n_events"),
        *_times(histories),
    )
    names = [name for name in described.columns if name != "user"]
    coded = described.select(pl.col(names).cast(pl.Int32)).to_numpy()
    return names, coded.reshape(-1, len(names))


def _times(histories: Histories) -> list[pl.Expr]:
    if histories.time_us is None:
        return []
    hour = pl.col("time_us") // 3_600_000_000
    days = (pl.col("time_us").last() - pl.col("time_us").first()) / 86_400e6
    return [
        (hour.first() % 24 // 4).alias("part_of_day"),
        (hour.first() // 24 % 7).alias("weekday"),
        (days + 1).log(2).floor().alias("span"),
    ]
