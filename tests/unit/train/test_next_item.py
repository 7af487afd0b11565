"""The task's questions, answers and slices on shops small enough to read."""

from datetime import UTC, datetime

import polars as pl
import pytest

from shopsynth.schema import (
    SLICE_COLUMNS,
    TIMESTAMP,
    Dataset,
    EmptyDataError,
    Split,
    UnknownNameError,
)
from shopsynth.train import get_task, make_ranker

ITEMS = pl.DataFrame({"item_id": list("abcdefg")})


def at(*rows: tuple[str, str, int]) -> pl.DataFrame:
    """Events of user, item, hour."""
    return pl.DataFrame(
        [(u, i, datetime(2024, 1, 1, h, tzinfo=UTC)) for u, i, h in rows],
        schema={"user_id": pl.String, "item_id": pl.String, "timestamp": TIMESTAMP},
        orient="row",
    )


def split_of(
    train: pl.DataFrame, validation: pl.DataFrame, test: pl.DataFrame, by: str = "time"
) -> Split:
    slices = pl.DataFrame(
        [("item", "c", "cold"), ("item", "c", "tail"), ("user", "u1", "short")],
        schema=SLICE_COLUMNS,
        orient="row",
    )
    first, second, third = (Dataset(items=ITEMS, events=e) for e in (train, validation, test))
    return Split(first, second, third, slices=slices, by=by)


TRAIN = at(("u1", "a", 1), ("u2", "b", 1), ("u2", "b", 2))
VALIDATION = at(("u1", "d", 6), ("u1", "c", 5), ("u1", "b", 5), ("u1", "b", 5), ("u3", "a", 5))
TEST = at(("u3", "e", 9), ("u4", "e", 9), ("u1", "f", 9))


def test_the_first_basket_after_the_cut_is_the_answer() -> None:
    holdout = get_task("next_item").holdout(split_of(TRAIN, VALIDATION, TEST), "validation")
    assert holdout.truth.rows() == [("u1", "b", 1.0), ("u1", "c", 1.0)]
    assert holdout.requests.need("events").select("user_id", "item_id").rows() == [("u1", "a")]
    assert holdout.requests.items.equals(ITEMS)
    assert holdout.exclude_seen is False


def test_at_test_validation_belongs_to_the_history() -> None:
    holdout = get_task("next_item").holdout(split_of(TRAIN, VALIDATION, TEST), "test")
    assert holdout.truth.rows() == [("u1", "f", 1.0), ("u3", "e", 1.0)]
    history = holdout.requests.need("events").select("user_id", "item_id").rows()
    assert history == [("u1", i) for i in "acbbd"] + [("u3", "a")]


def test_a_session_id_binds_events_of_different_times() -> None:
    later = at(("u1", "b", 5), ("u1", "c", 6), ("u1", "d", 6), ("u2", "e", 5), ("u2", "f", 6))
    sessions = later.with_columns(pl.Series("session_id", ["s", "s", "t", None, None]))
    split = split_of(TRAIN, sessions, TEST)
    truth = get_task("next_item").holdout(split, "validation").truth
    assert truth.select("unit_id", "item_id").rows() == [("u1", "b"), ("u1", "c"), ("u2", "e")]


@pytest.mark.parametrize("by", ["time", "leave_one_out"])
def test_positions_and_leave_one_out_have_one_answer(by: str) -> None:
    def placed(rows: list[tuple[str, str, int]]) -> pl.DataFrame:
        return pl.DataFrame(rows, schema=["user_id", "item_id", "position"], orient="row")

    split = split_of(
        placed([("u1", "a", 0), ("u1", "b", 1)]),
        placed([("u1", "d", 3), ("u1", "c", 2)]),
        placed([("u1", "e", 4)]),
        by,
    )
    truth = get_task("next_item").holdout(split, "validation").truth
    assert truth.rows() == [("u1", "c", 1.0)]


def test_leave_one_out_takes_one_of_a_basket() -> None:
    split = split_of(TRAIN, at(("u1", "c", 5), ("u1", "b", 5)), TEST, "leave_one_out")
    assert get_task("next_item").holdout(split, "validation").truth.rows() == [("u1", "c", 1.0)]


def test_slices_join_items_and_users() -> None:
    split = split_of(TRAIN, VALIDATION, TEST)
    task = get_task("next_item")
    slices = task.slices(split, task.holdout(split, "validation").truth)
    assert slices.rows() == [
        ("u1", "b", "all"),
        ("u1", "c", "all"),
        ("u1", "c", "cold"),
        ("u1", "b", "short"),
        ("u1", "c", "short"),
        ("u1", "c", "tail"),
    ]


def test_strangers_only_is_an_error_that_says_what_to_do() -> None:
    split = split_of(TRAIN, at(("u9", "a", 5)), TEST)
    with pytest.raises(EmptyDataError, match=r"validation.*2 users before.*larger share"):
        get_task("next_item").holdout(split, "validation")


def test_unknown_names_list_the_known_ones() -> None:
    with pytest.raises(UnknownNameError, match="next_item"):
        get_task("next_itme")
    with pytest.raises(UnknownNameError, match="did you mean 'sasrec'"):
        make_ranker("next_item", "sasrek", {})
    with pytest.raises(UnknownNameError, match="validation"):
        get_task("next_item").holdout(split_of(TRAIN, VALIDATION, TEST), "train")
