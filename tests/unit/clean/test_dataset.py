"""A whole shop is cleaned: keys fit afterwards, and no row is lost without a record."""

from collections.abc import Callable

import polars as pl
import pytest

from shopsynth.clean import (
    CLEANERS,
    CleanSettings,
    check_left,
    clean_dataset,
    clean_table,
    count_rejects,
)
from shopsynth.clean.settings import ORDER
from shopsynth.schema import (
    REJECT_COLUMNS,
    TABLES,
    Dataset,
    EmptyDataError,
    RecipeError,
    UnknownNameError,
)

Make = Callable[..., pl.DataFrame]


@pytest.fixture
def shop(make_events: Make) -> Dataset:
    return Dataset(
        items=pl.DataFrame(
            {"item_id": ["10", "11", "POST"], "title": ["<b>Mug</b>", "Cup", "Post"]}
        ),
        users=pl.DataFrame({"user_id": ["u", "v", "u", None]}),
        events=make_events(["u", "v", None, "u"], ["10", "POST", "10", "10"], [1, 2, 3, 1]),
        queries=pl.DataFrame({"query_id": ["q", "r"], "text": ["red\u3000mug", " "]}),
        judgments=pl.DataFrame(
            {"query_id": ["q", "r", "q"], "item_id": ["10", "10", "POST"], "grade": [1.0, 2.0, 3.0]}
        ),
        reviews=pl.DataFrame(
            {"review_id": ["1", "2", "1"], "item_id": ["10", "99", "11"], "text": ["good"] * 3}
        ),
        relations=pl.DataFrame({"head": ["10"], "relation": ["brand_of"], "tail": ["Acme"]}),
        images=pl.DataFrame({"item_id": ["10", "10"], "image": ["a.png", "a.png"]}),
    )


def test_every_table_is_cleaned_against_the_clean_catalogue(shop: Dataset) -> None:
    clean, rejects = clean_dataset(shop, CleanSettings(item_id_pattern="^[0-9]+$"))
    assert clean.counts() == {
        "items": 2, "users": 2, "events": 1, "queries": 1, "judgments": 1, "reviews": 1,
        "relations": 1, "images": 1,
    }  # fmt: skip
    assert clean.items["title"].to_list() == ["Mug", "Cup"]
    assert clean.need("queries")["text"].to_list() == ["red mug"]
    assert count_rejects(rejects).rows() == [
        ("events", "missing_user_id", 1),
        ("events", "not_a_product", 1),
        ("events", "repeat", 1),
        ("images", "repeat", 1),
        ("items", "not_a_product", 1),
        ("judgments", "unknown_item", 1),
        ("judgments", "unknown_query", 1),
        ("queries", "missing_text", 1),
        ("reviews", "repeat", 1),
        ("reviews", "unknown_item", 1),
        ("users", "missing_user_id", 1),
        ("users", "repeat", 1),
    ]


def test_nobody_loses_a_review_because_somebody_else_has_its_id() -> None:
    reviews = pl.DataFrame(
        {
            "review_id": ["1", "1", "1", "1", "1"],
            "item_id": ["10"] * 5,
            "text": ["Eve's", "Ann's", "Ann's second", "nobody's", "nobody's second"],
            "user_id": ["eve", "ann", "ann", None, None],
        }
    )
    cleaned = clean_table("reviews", reviews, pl.Series(["10"]), CleanSettings())
    assert cleaned.kept["text"].to_list() == ["Eve's", "Ann's", "nobody's"]
    alone = clean_table("reviews", reviews[1:], pl.Series(["10"]), CleanSettings())
    assert alone.kept.equals(cleaned.kept[1:])


def test_no_row_is_lost(shop: Dataset) -> None:
    clean, rejects = clean_dataset(shop, CleanSettings())
    assert dict(rejects.schema) == REJECT_COLUMNS
    for table, n in shop.counts().items():
        assert clean.counts()[table] + rejects.filter(pl.col("table") == table).height == n


def test_judgments_keep_unknown_queries_when_queries_are_not_at_hand() -> None:
    judgments = pl.DataFrame({"query_id": ["q"], "item_id": ["10"], "grade": [1.0]})
    ids = pl.Series(["10"])
    assert clean_table("judgments", judgments, ids, CleanSettings()).kept.height == 1
    none = clean_table("judgments", judgments, ids, CleanSettings(), pl.Series([], dtype=pl.String))
    assert none.rejects["reason"].to_list() == ["unknown_query"]


def test_no_event_left_says_why_and_what_to_do(make_events: Make) -> None:
    events = make_events(["u", None, None], ["99", "10", "10"], [1, 2, 3])
    shop = Dataset(items=pl.DataFrame({"item_id": ["10"]}), events=events)
    with pytest.raises(EmptyDataError) as caught:
        clean_dataset(shop, CleanSettings())
    assert str(caught.value) == (
        "clean, table events: expected at least one row to stay; 3 read, 0 kept. Rejected by "
        "reason: missing_user_id 2, unknown_item 1. What to do: check which column is mapped to "
        "user_id under [shop.events]; check that events and items use the same item ids."
    )


def test_no_row_read_is_another_message() -> None:
    with pytest.raises(EmptyDataError, match="got none; check the path"):
        check_left("events", 0, 0, {})
    check_left("events", 5, 1, {"return": 4})


def test_a_reason_of_another_stage_gets_advice_too() -> None:
    with pytest.raises(EmptyDataError, match="look at the records rejected as ragged_row"):
        check_left("events", 1, 0, {"ragged_row": 1})


def test_the_order_names_every_built_in_cleaner_and_no_other() -> None:
    assert len(ORDER) == len(set(ORDER)) == 10
    assert sorted(ORDER) == CLEANERS.names()
    for name in ORDER:
        assert CLEANERS.get(name).tables <= set(TABLES)


def test_unknown_cleaners_name_the_nearest(make_events: Make) -> None:
    settings = CleanSettings(cleaners=(*ORDER, "pric"))
    with pytest.raises(UnknownNameError, match="did you mean 'price'"):
        clean_table("events", make_events(["u"], ["10"], [1]), pl.Series(["10"]), settings)


@pytest.mark.parametrize(
    ("block", "fault"),
    [
        ({"item_id_pattern": "("}, "item_id_pattern: .*Rust's regex syntax"),
        ({"cleaners": ["text"]}, "missing_values, duplicate_items, orphans cannot be left out"),
        ({"cleaners": [*ORDER, "text"]}, "named twice"),
        ({"min_events_per_user": 0}, "min_events_per_user"),
        ({"strip_htlm": True}, "did you mean 'strip_html'"),
    ],
)
def test_settings_that_cannot_be_obeyed(block: dict[str, object], fault: str) -> None:
    with pytest.raises(RecipeError, match=fault):
        CleanSettings.parse(block, "[clean]")
