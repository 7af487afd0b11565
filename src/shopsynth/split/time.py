"""``time``: the past trains, the future judges.

In: events, and how many there are each minute. Out: two global cuts, the same for every user, and
the events with their ``part``. Nothing in train is later than anything in validation, nothing in
validation later than anything in test.
"""

from typing import ClassVar

import numpy as np
import polars as pl

from shopsynth.schema import SchemaError
from shopsynth.split.base import (
    PARTS,
    TEST,
    TRAIN,
    VALIDATION,
    TimeCuts,
    check_parts,
    register,
    with_part,
)
from shopsynth.split.settings import SplitSettings


@register("time")
class Time:
    """Cut all users' events at the same two moments.

    Source:
        Ji et al., A Critical Study on Data Leakage in Recommender System Offline Evaluation
        (arXiv 2010.11060).
    """

    table: ClassVar[str] = "events"

    def assign(
        self, rows: pl.DataFrame, settings: SplitSettings, cuts: TimeCuts | None
    ) -> pl.DataFrame:
        """Compare each event's time with the cuts.

        Raises:
            SchemaError: Without cuts: these rows may be one part of the shop, and cuts found in
                one part would differ from those of the others.
        """
        if cuts is None:
            raise SchemaError(
                "split by time: expected the cuts of the whole shop, got none; "
                "find them with find_cuts(merge_counts([count_times(part), ...]), settings)"
            )
        return with_part(rows, part_by_time(cuts))


def part_by_time(cuts: TimeCuts) -> pl.Expr:
    """Name the part of a row by its ``timestamp``; an empty one gives null."""
    time = pl.col("timestamp")
    return (
        pl.when(time >= cuts.test)
        .then(pl.lit(TEST))
        .when(time >= cuts.validation)
        .then(pl.lit(VALIDATION))
        .when(time.is_not_null())
        .then(pl.lit(TRAIN))
    )


def find_cuts(counts: pl.DataFrame, settings: SplitSettings) -> TimeCuts:
    """Find the cuts that come nearest to the wanted shares.

    A cut falls on the start of a minute that has events, so events of one minute, and with them
    the lines of one basket, stay together; shares are therefore approximate. Where the settings
    name both dates, these are the cuts.

    Args:
        counts: Columns ``timestamp`` (start of a minute) and ``n``, each minute once: the merged
            counts of the whole shop.
        settings: The recipe's ``[split]`` block; ``validation`` and ``test`` are shares of events.

    Raises:
        EmptyDataError: If there are fewer than three minutes: then a part would be empty.

    Example:
        >>> from datetime import datetime, UTC
        >>> days = [datetime(2030, 1, day, tzinfo=UTC) for day in range(1, 11)]
        >>> cuts = find_cuts(pl.DataFrame({"timestamp": days, "n": [1] * 10}), SplitSettings())
        >>> cuts.validation.day, cuts.test.day
        (9, 10)
    """
    if settings.validation_from is not None and settings.test_from is not None:
        return TimeCuts(settings.validation_from, settings.test_from)
    minutes = counts.filter(pl.col("n") > 0).sort("timestamp")
    if minutes.height < len(PARTS):
        # All in train, two parts empty: this refuses, with the advice.
        check_parts({TRAIN: int(minutes["n"].sum())}, settings)
    n = minutes["n"].to_numpy()
    # Share of events from each minute on. A cut at position i gives minutes i, i+1, … to the later
    # part; two minutes must stay before test and one before validation.
    share_from = n[::-1].cumsum()[::-1] / n.sum()
    test = 2 + int(np.abs(share_from[2:] - settings.test).argmin())
    between = share_from[1:test] - share_from[test]
    validation = 1 + int(np.abs(between - settings.validation).argmin())
    return TimeCuts(minutes["timestamp"][validation], minutes["timestamp"][test])
