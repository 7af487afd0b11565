"""The task content: what is asked, what is hidden, and which slice a review is in."""

from dataclasses import replace

import polars as pl
import pytest

from fakes.review_shop import review_split
from shopsynth.evaluate import score_units
from shopsynth.schema import RANKING_COLUMNS, EmptyDataError, Ranking, SchemaError, UnknownNameError
from shopsynth.train import TASKS, get_task
from shopsynth.train.content.base import classes_of


def test_it_is_found_and_says_how_it_asks():
    assert "content" in TASKS.names()
    task = get_task("content")
    assert task.table == "reviews"
    assert {"truth", "test input"} <= set(task.describe())


def test_the_class_and_the_rating_are_hidden():
    split = review_split()
    rated = split.test.need("reviews").with_columns(rating=pl.lit(5.0), title=pl.lit("Well"))
    asked = get_task("content").holdout(
        replace(split, test=split.test.with_tables(reviews=rated)), "test"
    )
    shown = asked.requests.need("reviews")
    assert shown.columns == ["review_id", "item_id", "text", "title", "unit_id"]
    assert shown["unit_id"].to_list() == asked.truth["unit_id"].to_list()
    assert dict(zip(asked.truth["unit_id"], asked.truth["item_id"], strict=True)) == dict(
        rated.select("review_id", "label").iter_rows()
    )
    assert set(asked.truth["grade"]) == {1.0}
    few = asked.drawn_down(7)
    assert few.truth.height == few.requests.need("reviews").height == 7


def test_ratings_are_classes_where_there_is_no_label():
    rated = pl.DataFrame({"rating": [1.0, 4.5, None]})
    assert classes_of(rated).to_list() == ["1", "4.5", None]
    with pytest.raises(SchemaError, match="label or rating"):
        classes_of(pl.DataFrame({"text": ["a"]}))


def test_reviews_without_a_class_are_not_asked_and_validation_may_have_none():
    split = review_split()
    task = get_task("content")
    half = split.test.need("reviews").with_columns(
        label=pl.when(pl.int_range(pl.len()) < 10).then(pl.col("label"))
    )
    some = replace(split, test=split.test.with_tables(reviews=half))
    assert task.holdout(some, "test").truth.height == 10
    blank = half.with_columns(label=pl.lit(None, pl.String))
    none = replace(
        split,
        validation=split.validation.with_tables(reviews=blank),
        test=split.test.with_tables(reviews=blank),
    )
    assert task.holdout(none, "validation").truth.height == 0
    with pytest.raises(EmptyDataError, match="reviews with a class, got none among 60"):
        task.holdout(none, "test")
    with pytest.raises(UnknownNameError):
        task.holdout(split, "tset")


def test_slices_are_thirds_of_the_training_lengths():
    split = review_split()
    task = get_task("content")
    truth = task.holdout(split, "test").truth
    frame = task.slices(split, truth)
    assert set(frame["slice"]) == set(task.slice_names)
    n_words = dict(
        split.test.need("reviews")
        .select("review_id", pl.col("text").str.split(" ").list.len())
        .iter_rows()
    )
    members = {
        name: {n_words[unit] for unit in frame.filter(slice=name)["unit_id"]}
        for name in task.slice_names
    }
    assert max(members["short"]) < min(members["long"])
    assert frame.filter(slice="all").height == truth.height
    assert 10 < frame.filter(slice="short").height < 35


def test_the_metrics_of_the_task_judge_its_answers():
    split = review_split()
    task = get_task("content")
    asked = task.holdout(split, "test")
    perfect = Ranking(
        asked.truth.select(
            "unit_id",
            "item_id",
            pl.lit(1.0, pl.Float32).alias("score"),
            pl.lit(1.0).alias("rank"),
        ).select(list(RANKING_COLUMNS))
    )
    found = score_units(perfect, asked.truth, task.slices(split, asked.truth), task.metrics, [10])
    assert found["metric"].unique(maintain_order=True).to_list() == list(task.metrics)
    means = found.group_by("metric", "slice").agg(pl.col("value").mean())
    assert means["value"].to_list() == pytest.approx([1.0] * 6)
