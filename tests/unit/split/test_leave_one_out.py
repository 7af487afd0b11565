"""leave_one_out: the last event is test, the one before validation, for each user alone."""

from datetime import UTC, datetime

import polars as pl

from shopsynth.schema import TIMESTAMP
from shopsynth.split import SplitSettings, assign_parts

SETTINGS = SplitSettings(by="leave_one_out")


def assign(users: list[str], positions: list[int]) -> list[str]:
    events = pl.DataFrame({"user_id": users, "item_id": users, "position": positions})
    return assign_parts(events, SETTINGS)["part"].to_list()


def test_the_last_two_events_are_held_out() -> None:
    assert assign(["u"] * 4, [1, 2, 3, 4]) == ["train", "train", "validation", "test"]


def test_order_counts_not_rows() -> None:
    assert assign(["u"] * 4, [4, 1, 3, 2]) == ["test", "train", "validation", "train"]


def test_ties_keep_row_order() -> None:
    assert assign(["u"] * 3, [7, 7, 7]) == ["train", "validation", "test"]


def test_users_do_not_mix() -> None:
    assert assign(["u", "v", "u", "v", "u", "v"], [1, 9, 2, 8, 3, 7]) == [
        "train", "test", "validation", "validation", "test", "train",
    ]  # fmt: skip


def test_short_histories_stay_in_train() -> None:
    assert assign(["u", "u", "v"], [1, 2, 1]) == ["train"] * 3


def test_times_win_over_positions() -> None:
    times = [datetime(2030, 1, day, tzinfo=UTC) for day in (3, 2, 1)]
    events = pl.DataFrame(
        {
            "user_id": ["u"] * 3,
            "item_id": ["a"] * 3,
            "timestamp": pl.Series(times, dtype=TIMESTAMP),
            "position": [1, 2, 3],
        }
    )
    assert assign_parts(events, SETTINGS)["part"].to_list() == ["test", "validation", "train"]
