"""Low data: few users train, others are asked, and nobody learns from those between."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Literal

import polars as pl
import pytest

from shopsynth.schema import Dataset, EmptyDataError, RecipeError, Split, UnknownNameError
from shopsynth.split import (
    PARTS,
    SplitSettings,
    group_users,
    part_by_group,
    part_names,
    split_dataset,
)

START = datetime(2030, 1, 1, tzinfo=UTC)
N_USERS = 300
Way = Literal["time", "leave_one_out"]
BOTH = pytest.mark.parametrize("by", ["time", "leave_one_out"])


def low(train: float = 0.3, asked: float = 0.4, by: Way = "time") -> SplitSettings:
    return SplitSettings(by=by, train_users=train, asked_users=asked, validation=0.2, test=0.2)


@pytest.fixture
def shop() -> Dataset:
    """Every user has ten events, one a day; each buys an item that nobody else buys, on day one."""
    rows = [
        (f"u{user}", f"own{user}" if day == 0 else f"i{day}", START + timedelta(days=day))
        for user in range(N_USERS)
        for day in range(10)
    ]
    time = pl.Datetime("us", "UTC")
    schema = pl.Schema({"user_id": pl.String(), "item_id": pl.String(), "timestamp": time})
    events = pl.DataFrame(rows, schema=schema, orient="row")
    reviews = events.select(
        pl.format("r{}", pl.int_range(pl.len())).alias("review_id"),
        "item_id",
        pl.lit("good").alias("text"),
        "user_id",
    )
    nobody = reviews.head(1).with_columns(
        pl.lit("r-nobody").alias("review_id"), pl.lit(None, pl.String).alias("user_id")
    )
    users = pl.DataFrame({"user_id": [f"u{n}" for n in range(N_USERS + 50)]})
    return Dataset(
        items=events.select("item_id").unique(maintain_order=True),
        users=users,
        events=events,
        reviews=pl.concat([reviews, nobody]),
    )


def users_of(part: Dataset | None, table: str = "events") -> set[str]:
    assert part is not None
    return set(part.need(table)["user_id"].drop_nulls())


def groups_of(shop: Dataset, settings: SplitSettings) -> dict[str, set[str]]:
    ids = shop.need("users")["user_id"]
    groups = group_users(ids, settings)
    return {name: set(ids.filter(groups == name)) for name in ("train", "asked", "reserve")}


def test_shares_are_met_about() -> None:
    ids = pl.Series([f"customer-{n}" for n in range(20_000)])
    counts = dict(group_users(ids, low(0.1, 0.25)).value_counts().iter_rows())
    assert counts["train"] == pytest.approx(2_000, rel=0.06)
    assert counts["asked"] == pytest.approx(5_000, rel=0.06)


def test_fewer_train_users_are_part_of_more_and_the_same_users_are_asked(shop: Dataset) -> None:
    found = [groups_of(shop, low(share, 0.25)) for share in (0.1, 0.25, 0.5, 0.75)]
    for few, more in pairwise(found):
        assert few["train"] < more["train"]
        assert few["asked"] == more["asked"]
    assert found[-1]["reserve"] == set()


def test_no_row_is_in_two_parts_and_each_part_holds_its_group(shop: Dataset) -> None:
    split = split_dataset(shop, low())
    groups = groups_of(shop, low())
    acting = set(shop.need("events")["user_id"])
    assert users_of(split.train) == users_of(split.validation) == groups["train"] & acting
    assert users_of(split.test) == users_of(split.asked) == groups["asked"] & acting
    assert users_of(split.reserve) == groups["reserve"] & acting


@BOTH
def test_what_is_known_before_each_question_is_all_there(shop: Dataset, by: Way) -> None:
    """The same rows are before the cuts as with all users, only in other parts."""
    whole = split_dataset(shop, SplitSettings(by=by, validation=0.2, test=0.2))
    few = split_dataset(shop, low(by=by))
    groups = groups_of(shop, low(by=by))

    def rows(part: Dataset | None, group: str) -> pl.DataFrame:
        assert part is not None
        mine = pl.col("user_id").is_in(list(groups[group]))
        return part.need("events").filter(mine).sort("user_id", "timestamp")

    def all_of(part: Dataset | None) -> pl.DataFrame:
        assert part is not None
        return part.need("events").sort("user_id", "timestamp")

    assert all_of(few.train).equals(rows(whole.train, "train"))
    assert all_of(few.validation).equals(rows(whole.validation, "train"))
    assert all_of(few.test).equals(rows(whole.test, "asked"))
    assert all_of(few.reserve).equals(rows(whole.train, "reserve"))
    before = pl.concat([rows(whole.train, "asked"), rows(whole.validation, "asked")])
    assert all_of(few.asked).equals(before.sort("user_id", "timestamp"))


@BOTH
def test_validation_users_are_asked_and_never_learned_from(shop: Dataset, by: Way) -> None:
    """A network knows its training users by heart; judged on them, the wrong model is chosen."""
    settings = low(by=by).model_copy(update={"validation_users": 0.2})
    split, whole = split_dataset(shop, settings), split_dataset(shop, low(by=by))
    ids = shop.need("events")["user_id"]
    judges = set(ids.filter(group_users(ids, settings) == "validation"))
    assert users_of(split.validation) == judges <= users_of(whole.reserve)
    assert not judges & (users_of(split.train) | users_of(split.reserve) | users_of(split.test))
    assert split.train.need("events").equals(whole.train.need("events"))
    assert split.test.need("events").equals(whole.test.need("events"))
    mine = pl.col("user_id").is_in(sorted(judges))
    known = split.before("validation")[-1].need("events").filter(mine)
    asked = split.validation.need("events")
    last = known.group_by("user_id").agg(pl.col("timestamp").max().alias("last"))
    assert set(last["user_id"]) == judges
    assert (
        asked.join(last, on="user_id").select((pl.col("timestamp") > pl.col("last")).all()).item()
    )


def test_item_slices_count_train_users_alone_and_user_slices_each_users_own_past(
    shop: Dataset,
) -> None:
    split = split_dataset(shop, low())
    members = {
        name: set(split.slices.filter(pl.col("slice") == name)["id"]) for name in ("cold", "short")
    }
    own = {f"own{user[1:]}" for user in users_of(split.asked) | users_of(split.reserve)}
    assert members["cold"] >= own
    assert not members["cold"] & {f"own{user[1:]}" for user in users_of(split.train)}
    # Everybody did six things before validation, so nobody is short: least of all for being asked.
    assert members["short"] == set()
    assert not set(split.slices["id"]) & users_of(split.reserve)


@BOTH
def test_reviews_go_with_their_user(shop: Dataset, by: Way) -> None:
    split = split_dataset(shop, low(by=by))
    pair = ["user_id", "item_id"]
    for part in (split.train, split.validation, split.test, split.asked, split.reserve):
        assert part is not None
        told = part.need("reviews").drop_nulls("user_id").select(pair).sort(pair)
        assert told.equals(part.need("events").select(pair).sort(pair))
    assert "r-nobody" in split.train.need("reviews")["review_id"].to_list()


def test_users_who_never_act_are_known_to_train_if_they_are_train_users(shop: Dataset) -> None:
    split = split_dataset(shop, low())
    idle = {f"u{n}" for n in range(N_USERS, N_USERS + 50)}
    known = users_of(split.train, "users") & idle
    assert known == groups_of(shop, low())["train"] & idle
    assert known
    assert not users_of(split.asked, "users") & idle


def test_with_all_users_nothing_is_new(shop: Dataset) -> None:
    settings = SplitSettings(asked_users=0.9)
    split = split_dataset(shop, settings)
    assert split.asked is None
    assert split.reserve is None
    assert part_names(settings) == PARTS
    assert set(group_users(pl.Series(["a", "b"]), settings)) == {"train"}
    rows = pl.DataFrame({"user_id": ["a"], "part": ["test"]})
    assert part_by_group(rows, settings).equals(rows)


def test_rows_of_nobody_keep_their_part() -> None:
    rows = pl.DataFrame({"item_id": ["a", "b"], "part": ["test", "train"]})
    assert part_by_group(rows, low()).equals(rows)
    unnamed = rows.with_columns(pl.lit(None, pl.String).alias("user_id"))
    assert part_by_group(unnamed, low())["part"].to_list() == ["test", "train"]


def test_what_is_before_a_question(shop: Dataset) -> None:
    few = split_dataset(shop, low())
    whole: Split = split_dataset(shop, SplitSettings())
    assert few.before("validation") == (few.train, few.asked)
    assert few.before("test") == (few.asked,)
    assert whole.before("test") == (whole.train, whole.validation)
    with pytest.raises(UnknownNameError, match="no questions are asked about a part 'train'"):
        few.before("train")


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"train_users": 0.8}, "expected at most 1 together.*0.8 \\+ 0 \\+ 0.25"),
        ({"train_users": 0.5, "by": "query"}, "cuts users, and by = .query. cuts texts"),
        ({"train_users": 0.0}, "train_users"),
    ],
)
def test_impossible_shares_are_refused(values: dict[str, object], message: str) -> None:
    with pytest.raises(RecipeError, match=message):
        SplitSettings.parse(values, "split")


def test_shares_that_add_up_to_one_are_fine() -> None:
    for train, asked in ((0.75, 0.25), (0.7, 0.3), (0.9, 0.1), (0.6, 0.4)):
        assert low(train, asked).low_data


def test_a_group_without_rows_is_refused_with_advice(shop: Dataset) -> None:
    tiny = shop.with_tables(events=shop.need("events").head(10))
    with pytest.raises(EmptyDataError, match="raise train_users or asked_users"):
        split_dataset(tiny, low(0.01, 0.01))
