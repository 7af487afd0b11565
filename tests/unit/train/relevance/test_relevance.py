"""The task relevance: which pairs are asked, what counts, and which slice a pair is in."""

from dataclasses import replace

import polars as pl
import pytest

from fakes.search_shop import search_split
from shopsynth.evaluate import score_units
from shopsynth.schema import EmptyDataError, Holdout, Ranking, SchemaError, UnknownNameError
from shopsynth.train import get_task
from shopsynth.train.relevance import RANKERS


def test_every_judged_pair_is_asked_without_its_grade():
    split = search_split()
    asked = get_task("relevance").holdout(split, "test")
    judged = split.test.need("judgments").sort("query_id", "item_id")
    questions = asked.requests.need("judgments")
    assert questions.select("query_id", "item_id").equals(judged.select("query_id", "item_id"))
    assert questions["grade"].null_count() == questions.height
    assert asked.truth["grade"].to_list() == judged["grade"].to_list()
    assert asked.truth["unit_id"].to_list() == questions["unit_id"].to_list()
    assert asked.truth["unit_id"].is_unique().all()
    assert asked.requests.items.height == split.train.items.height


def test_a_pair_that_was_judged_twice_has_its_mean_grade():
    split = search_split()
    first = split.test.need("judgments").head(1)
    again = pl.concat([split.test.need("judgments"), first.with_columns(grade=pl.lit(1.0))])
    split = replace(split, test=split.test.with_tables(judgments=again))
    truth = get_task("relevance").holdout(split, "test").truth
    found = truth.filter(
        (pl.col("item_id") == first["item_id"][0])
        & pl.col("unit_id").str.starts_with(first["query_id"][0] + "\t")
    )
    assert found["grade"].to_list() == [(first["grade"][0] + 1.0) / 2]


def test_validation_may_be_without_judgments_and_test_may_not():
    split = search_split()
    blank = replace(
        split,
        validation=split.validation.with_tables(judgments=None),
        test=split.test.with_tables(judgments=None),
    )
    task = get_task("relevance")
    assert task.holdout(blank, "validation").truth.height == 0
    with pytest.raises(EmptyDataError, match="expected judged pairs, got none for 10 queries"):
        task.holdout(blank, "test")
    with pytest.raises(UnknownNameError, match="no questions are asked"):
        task.holdout(split, "train")
    with pytest.raises(SchemaError, match="needs the table queries"):
        task.holdout(replace(split, test=split.test.with_tables(queries=None)), "test")


def test_slices_follow_the_words_of_the_query():
    split = search_split()
    task = get_task("relevance")
    truth = task.holdout(split, "test").truth
    members = task.slices(split, truth)
    by_name = {name: members.filter(slice=name) for name in task.slice_names}
    assert by_name["all"].height == by_name["short"].height == truth.height
    assert by_name["long"].height == 0
    own_words = {"cup", "couch", "tap", "lamp", "carpet"}
    said = by_name["unmatched"]["unit_id"].str.split("\t").list.first().str.split("-").list.last()
    assert set(said) == own_words
    assert by_name["unmatched"].height == truth.height / 2


def test_a_prediction_of_every_pair_is_scored_and_pairs_are_drawn_down():
    split = search_split()
    task = get_task("relevance")
    asked = task.holdout(split, "test")
    predicted = asked.truth.select(
        "unit_id",
        "item_id",
        (pl.col("grade") + 0.5).cast(pl.Float32).alias("score"),
        pl.lit(1.0).alias("rank"),
    )
    units = score_units(
        Ranking(predicted), asked.truth, task.slices(split, asked.truth), task.metrics, [10]
    )
    assert units.filter(slice="all")["value"].mean() == pytest.approx(0.5)
    few = asked.drawn_down(4)
    assert few.requests.need("judgments")["unit_id"].to_list() == few.truth["unit_id"].to_list()
    again = Holdout.of(asked.frames(), asked.requests.items)
    assert again.requests.need("judgments").equals(asked.requests.need("judgments"))


def test_it_tells_what_the_harness_asks():
    task = get_task("relevance")
    assert (task.unit, task.table, task.metrics) == ("pair", "judgments", ("rmse",))
    assert task.side_information in RANKERS.names()
    assert {"truth", "test input"} <= task.describe().keys()
