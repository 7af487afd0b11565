"""Parts never overlap and add up, train ends before the cut, and parts can be split apart."""

from datetime import UTC, datetime, timedelta
from typing import Literal

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from shopsynth.schema import Dataset, EmptyDataError
from shopsynth.split import (
    PARTS,
    SplitSettings,
    assign_parts,
    count_times,
    find_cuts,
    merge_counts,
    split_dataset,
)

FIXED = settings(derandomize=True, deadline=None, database=None, max_examples=60)
START = datetime(2030, 1, 1, tzinfo=UTC)

shares = st.floats(0.05, 0.45)
rows = st.lists(
    st.tuples(st.sampled_from("uvwxyz"), st.sampled_from("abc"), st.integers(0, 3000)),
    min_size=1,
    max_size=60,
)
Row = tuple[str, str, int]
Way = Literal["time", "leave_one_out"]


def shop(events: list[Row]) -> Dataset:
    """Seconds make times, so that some minutes hold several events."""
    return Dataset(
        items=pl.DataFrame({"item_id": list("abcd")}),
        events=pl.DataFrame(
            [(u, i, START + timedelta(seconds=s), n) for n, (u, i, s) in enumerate(events)],
            schema={
                "user_id": pl.String,
                "item_id": pl.String,
                "timestamp": pl.Datetime("us", "UTC"),
                "row": pl.Int64,
            },
            orient="row",
        ),
    )


@pytest.mark.parametrize("by", ["time", "leave_one_out"])
@FIXED
@given(events=rows, validation=shares, test=shares)
def test_parts_are_disjoint_and_add_up(
    by: Way, events: list[Row], validation: float, test: float
) -> None:
    whole = shop(events)
    try:
        split = split_dataset(whole, SplitSettings(by=by, validation=validation, test=test))
    except EmptyDataError:
        times = count_times(whole.need("events")).height
        longest = whole.need("events")["user_id"].value_counts()["count"].max()
        assert (times if by == "time" else longest) in (1, 2)
        return
    parts = [part.need("events") for part in (split.train, split.validation, split.test)]
    assert all(part.height for part in parts)
    assert all(part["row"].is_sorted() for part in parts)
    assert_frame_equal(pl.concat(parts).sort("row"), whole.need("events"))


@FIXED
@given(events=rows, validation=shares, test=shares)
def test_no_part_reaches_beyond_its_cut(events: list[Row], validation: float, test: float) -> None:
    frame = shop(events).need("events")
    rules = SplitSettings(validation=validation, test=test)
    try:
        cuts = find_cuts(count_times(frame), rules)
    except EmptyDataError:
        return
    times = (
        assign_parts(frame, rules, cuts)
        .group_by("part")
        .agg(pl.col("timestamp").min().alias("first"), pl.col("timestamp").max().alias("last"))
    )
    first = dict(times.select("part", "first").iter_rows())
    last = dict(times.select("part", "last").iter_rows())
    assert last["train"] < cuts.validation <= first["validation"]
    assert last["validation"] < cuts.test <= first["test"]
    minute = assign_parts(frame, rules, cuts).with_columns(pl.col("timestamp").dt.truncate("1m"))
    assert minute.group_by("timestamp").agg(pl.col("part").n_unique())["part"].max() == 1


@FIXED
@given(events=rows, validation=shares, test=shares)
def test_no_other_cut_is_nearer(events: list[Row], validation: float, test: float) -> None:
    frame = shop(events).need("events")
    rules = SplitSettings(validation=validation, test=test)
    counts = count_times(frame)
    if counts.height < len(PARTS):
        return
    cuts = find_cuts(counts, rules)

    def share_from(moment: datetime) -> float:
        return frame.filter(pl.col("timestamp") >= moment).height / frame.height

    share = share_from(cuts.test)
    others = [share_from(minute) for minute in counts["timestamp"][2:]]
    assert abs(share - test) <= min(abs(other - test) for other in others) + 1e-12


@pytest.mark.parametrize("by", ["time", "leave_one_out"])
@FIXED
@given(events=rows)
def test_users_can_be_split_apart(by: Way, events: list[Row]) -> None:
    frame = shop(events).need("events")
    rules = SplitSettings(by=by)
    parts = [
        frame.filter(mine)
        for u in ("uvw", "xyz")
        if (mine := frame["user_id"].is_in(list(u))).any()
    ]
    cuts = None
    if by == "time":
        counts = merge_counts([count_times(part) for part in parts])
        if counts.height < len(PARTS):
            return
        cuts = find_cuts(counts, rules)
        assert cuts == find_cuts(count_times(frame), rules)
    apart = pl.concat([assign_parts(part, rules, cuts) for part in parts])
    assert_frame_equal(apart.sort("row"), assign_parts(frame, rules, cuts))
