"""The Markov ranker against counts made by hand."""

import polars as pl
import pytest

from shopsynth.schema import Dataset, Holdout, TrainingSet
from shopsynth.train import Ranker, make_ranker

ITEMS = pl.DataFrame({"item_id": ["a", "b", "c", "d"]})
SCHEMA = ["user_id", "item_id", "position", "weight"]


def fitted(*rows: tuple[str, str, int, float], **options: object) -> Ranker:
    events = pl.DataFrame(rows, schema=SCHEMA, orient="row").with_columns(
        pl.col("user_id").cast(pl.String),
        pl.col("item_id").cast(pl.String),
        pl.col("position").cast(pl.Int64),
        pl.col("weight").cast(pl.Float64),
        pl.lit("real").alias("origin"),
    )
    training = TrainingSet(Dataset(items=ITEMS, events=events), "real")
    truth = pl.DataFrame(schema={"unit_id": pl.String, "item_id": pl.String, "grade": pl.Float64})
    return make_ranker("next_item", "markov", options).fit(
        training, Holdout(training.data, truth), seed=0
    )


def scores(ranker: Ranker, *history: tuple[str, int]) -> dict[str, float]:
    events = pl.DataFrame([("u", *event) for event in history], schema=SCHEMA[:3], orient="row")
    ranking = ranker.rank(Dataset(items=ITEMS, events=events), k=9).frame
    return dict(ranking.select("item_id", "score").iter_rows())


def test_what_followed_is_smoothed_by_popularity() -> None:
    """After a: b with weight 3 and 1, c with 1; shares of the 10: a 5, b 4, c 1."""
    ranker = fitted(
        ("u1", "a", 0, 3.0), ("u1", "b", 1, 3.0),
        ("u2", "a", 0, 1.0), ("u2", "b", 1, 1.0),
        ("u3", "a", 0, 1.0), ("u3", "c", 1, 1.0),
        back_off=5.0,
    )  # fmt: skip
    assert scores(ranker, ("b", 0), ("a", 1)) == pytest.approx(
        {"a": 2.5 / 10, "b": (4 + 2) / 10, "c": (1 + 0.5) / 10, "d": 0.0}
    )


def test_an_item_that_nothing_followed_gets_popularity() -> None:
    ranker = fitted(("u1", "a", 0, 1.0), ("u1", "b", 1, 1.0))
    assert scores(ranker, ("b", 0)) == {"a": 0.5, "b": 0.5, "c": 0.0, "d": 0.0}
    assert scores(ranker, ("z", 0)) == {"a": 0.5, "b": 0.5, "c": 0.0, "d": 0.0}


def test_a_basket_precedes_the_next_basket_as_a_whole() -> None:
    """{a, b} then {c, d}: half of each of c and d follows a; nothing follows inside a basket."""
    ranker = fitted(
        *[("u1", "a", 0, 1.0), ("u1", "b", 0, 1.0), ("u1", "c", 1, 1.0), ("u1", "d", 1, 1.0)],
        back_off=1.0,
    )
    share = (0.5 + 0.25) / 2
    assert scores(ranker, ("a", 0)) == pytest.approx(
        {"a": 0.125, "b": 0.125, "c": share, "d": share}
    )
    # The newest moment is the mean of its items; nothing followed c.
    both = scores(ranker, ("a", 3), ("c", 3))
    assert both["c"] == pytest.approx((share + 0.25) / 2)
    assert both["a"] == pytest.approx((0.125 + 0.25) / 2)


def test_users_do_not_follow_each_other_and_old_events_can_be_left_out() -> None:
    rows = [("u1", "a", 0, 1.0), ("u1", "b", 1, 1.0), ("u1", "c", 2, 1.0), ("u2", "d", 0, 1.0)]
    whole = scores(fitted(*rows), ("c", 0))
    assert set(whole.values()) == {0.25}
    newest = scores(fitted(*rows, max_history=2), ("a", 0))
    assert newest == pytest.approx({"a": 0.0, "b": 1 / 3, "c": 1 / 3, "d": 1 / 3})


def test_no_events_give_zeros() -> None:
    assert set(scores(fitted(), ("a", 0)).values()) == {0.0}
