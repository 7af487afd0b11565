"""What every way of splitting is, and where they are found.

In: rows of the table a method cuts, and what was agreed on globally (:class:`TimeCuts`).
Out: the same rows with one more column, ``part``.

Rows are assigned part by part; all rows of a user lie in one part. So a method looks at one row
or one user, and whatever is global is counted first, by sums that merge (``counts.py``).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, Protocol

import polars as pl

from shopsynth.schema import EmptyDataError, Registry, SchemaError
from shopsynth.split.settings import SplitSettings

TRAIN, VALIDATION, TEST = PARTS = ("train", "validation", "test")
"""The three values of the column ``part`` that every split has."""

RESERVE = "reserve"
"""The part that only the ceiling ``oracle`` may learn from."""

CUT_TABLE = {"time": "events", "leave_one_out": "events", "query": "queries", "review": "reviews"}
"""The table that each way of splitting cuts; others follow it or stay whole."""

_ADVICE = {
    "time": "give events of at least three different minutes, raise validation and test under "
    '[split], or choose by = "leave_one_out".',
    "leave_one_out": "at least one user with three events is needed; lower min_events_per_user "
    'under [clean] or choose by = "time".',
    "query": "give more distinct queries, or raise validation and test under [split].",
    "review": "give more reviews with different texts, or raise validation and test under [split].",
}

_LOW_DATA_ADVICE = (
    "raise train_users or asked_users under [split], whichever group has no rows there, or leave "
    "train_users at 1."
)


@dataclass(frozen=True)
class TimeCuts:
    """Two moments that cut time into three.

    Attributes:
        validation: First moment of validation; everything earlier is train. UTC.
        test: First moment of test. UTC.
    """

    validation: datetime
    test: datetime


class Splitter(Protocol):
    """One way of setting the holdout aside.

    Class attributes:
        table: The table it cuts: one of :data:`CUT_TABLE`.
    """

    table: ClassVar[str]

    def assign(
        self, rows: pl.DataFrame, settings: SplitSettings, cuts: TimeCuts | None
    ) -> pl.DataFrame:
        """Say for every row whether it is train, validation or test.

        Args:
            rows: All rows of some users (``events``), or any rows (``queries``, ``reviews``).
            settings: The recipe's ``[split]`` block.
            cuts: The moments of a split by time; ``None`` for other ways.

        Returns:
            The same rows in the same order, with the column ``part``.
        """


SPLITTERS: Registry[Splitter] = Registry(
    "split", support=frozenset({"counts", "dataset", "followers", "low_data", "slices"})
)
"""All methods of the room."""

register = SPLITTERS.register


def assign_parts(
    events: pl.DataFrame, settings: SplitSettings, cuts: TimeCuts | None = None
) -> pl.DataFrame:
    """Say for every event of one part of the shop whether it is train, validation or test.

    Args:
        events: All events of some users.
        settings: The recipe's ``[split]`` block; ``by`` must be a way that cuts events.
        cuts: What :func:`~shopsynth.split.find_cuts` found, for a split by time.

    Returns:
        The events in the same order, with the column ``part``.

    Raises:
        SchemaError: If events lack the column the split needs, or texts are cut.
    """
    splitter = SPLITTERS.get(settings.by)()
    if splitter.table != "events":
        raise SchemaError(
            f'split by {settings.by}: expected a way that cuts events ("time", "leave_one_out"), '
            f"got one that cuts {splitter.table}; assign those and let events follow them "
            "(follow_queries)"
        )
    return splitter.assign(events, settings, cuts)


def with_part(rows: pl.DataFrame, part: pl.Expr) -> pl.DataFrame:
    """Add the column ``part``.

    Raises:
        SchemaError: If the shop has an attribute of that name, which would be lost.
    """
    if "part" in rows.columns:
        raise SchemaError(
            "split: expected no column part, which this stage writes; got one as an attribute. "
            "Leave it out, or rename it in the source."
        )
    return rows.with_columns(part.alias("part"))


def check_parts(n_by_part: Mapping[str, int], settings: SplitSettings) -> None:
    """Refuse a split in which a part is empty.

    Args:
        n_by_part: Rows of the table that was cut, by part, over the whole shop; an absent part
            has none.
        settings: The recipe's ``[split]`` block, for the advice.

    Raises:
        EmptyDataError: Naming the empty parts and what to change.
    """
    if all(n_by_part.get(part, 0) for part in PARTS):
        return
    counts = ", ".join(f"{part} {n_by_part.get(part, 0)}" for part in PARTS)
    advice = _LOW_DATA_ADVICE if settings.low_data else _ADVICE[settings.by]
    raise EmptyDataError(
        f"split by {settings.by}: expected rows in every part, got {counts}. What to do: {advice}"
    )
