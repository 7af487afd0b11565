"""The task search: what is asked, what counts, and which slice a query is in."""

from dataclasses import replace

import polars as pl
import pytest

from fakes.search_shop import COLOURS, search_split, searches
from shopsynth.evaluate import score_units
from shopsynth.schema import EmptyDataError, Ranking, SchemaError, Split, UnknownNameError
from shopsynth.train import get_task


def members(split: Split) -> dict[str, set[str]]:
    task = get_task("search")
    frame = task.slices(split, task.holdout(split, "test").truth)
    return {name: set(frame.filter(slice=name)["unit_id"]) for name in task.slice_names}


def test_grades_become_gains_and_what_is_worth_nothing_is_no_answer():
    split = search_split()
    first = split.test.need("judgments").head(1).with_columns(grade=pl.lit(0.0))
    others = split.test.need("judgments").slice(1)
    split = replace(split, test=split.test.with_tables(judgments=pl.concat([first, others])))
    asked = get_task("search").holdout(split, "test")
    assert set(asked.truth["grade"].round(6)) == {7.0, round(2**0.5 - 1, 6)}
    assert asked.truth.height == others.height
    assert asked.requests.items.height == split.train.items.height


def test_a_query_without_an_answer_is_not_asked():
    split = search_split()
    nobody = (
        split.test.need("queries")
        .head(1)
        .with_columns(pl.lit("x").alias("query_id"), pl.lit("nothing like it").alias("text"))
    )
    queries = pl.concat([split.test.need("queries"), nobody])
    asked = get_task("search").holdout(
        replace(split, test=split.test.with_tables(queries=queries)), "test"
    )
    assert "x" not in asked.requests.need("queries")["query_id"]


def test_validation_may_be_without_judgments_and_test_may_not():
    split = search_split()
    blank = replace(
        split,
        validation=split.validation.with_tables(judgments=None),
        test=split.test.with_tables(judgments=None),
    )
    asked = get_task("search").holdout(blank, "validation")
    assert asked.truth.height == 0
    assert asked.requests.need("queries").height == split.validation.need("queries").height
    with pytest.raises(EmptyDataError, match="grade above 0"):
        get_task("search").holdout(blank, "test")


def test_a_part_that_does_not_exist_and_a_shop_without_queries_are_refused():
    split = search_split()
    with pytest.raises(UnknownNameError):
        get_task("search").holdout(split, "train")
    with pytest.raises(SchemaError, match="queries"):
        get_task("search").holdout(
            replace(split, test=split.test.with_tables(queries=None)), "test"
        )


def test_slices_hold_right_answers_short_queries_and_words_that_no_title_has():
    split = search_split()
    found = members(split)
    colour = COLOURS[5]
    assert found["all"] == found["relevant"] == found["short"]
    assert found["long"] == set()
    own = {f"q-{colour}-{word}" for word in ("cup", "couch", "tap", "lamp", "carpet")}
    assert found["unmatched"] == own
    task = get_task("search")
    truth = task.holdout(split, "test").truth
    relevant = task.slices(split, truth).filter(slice="relevant")
    assert relevant.height == truth.filter(pl.col("grade") > 1).height == truth.height / 2


def test_a_query_without_a_word_matches_nothing_and_breaks_nothing():
    shop = searches(COLOURS[5:])
    queries = shop.need("queries")
    odd = queries.with_columns(
        text=pl.Series(["!!", "a red mug of five words", *queries["text"][2:]])
    )
    split = replace(search_split(), test=shop.with_tables(queries=odd))
    found = members(split)
    assert odd["query_id"][0] in found["short"]
    assert odd["query_id"][0] not in found["unmatched"]
    assert found["long"] == {odd["query_id"][1]}


def test_the_protocol_is_told_and_its_metrics_exist():
    task = get_task("search")
    split = search_split()
    asked = task.holdout(split, "test")
    perfect = asked.truth.sort("unit_id", -pl.col("grade")).select(
        "unit_id",
        "item_id",
        pl.col("grade").cast(pl.Float32).alias("score"),
        (pl.int_range(pl.len()).over("unit_id") + 1.0).alias("rank"),
    )
    values = score_units(
        Ranking(perfect), asked.truth, task.slices(split, asked.truth), task.metrics, [10]
    )
    assert set(values["value"]) == {1.0}
    assert "full catalogue" in task.describe()["ranking"]
