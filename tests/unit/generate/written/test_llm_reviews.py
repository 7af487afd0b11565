"""llm_reviews: of the rating and the aspects that were drawn, and of nothing made up."""

import numpy as np
import polars as pl
import pytest

from shopsynth.generate import make_synthesizer


def made(view, options, n=6, seed=3, **more):
    method = make_synthesizer("llm_reviews", {**options, **more}).fit(view, seed=1)
    return method, method.sample(n, seed=seed).data.need("reviews")


def review(text="The mug is fine and the handle is strong", quotes=None, title="Fine"):
    told = {"quality": "the handle is strong"} if quotes is None else quotes
    return {
        "title": title,
        "text": text,
        "mentions": [{"aspect": name, "quote": quote} for name, quote in told.items()],
    }


@pytest.fixture
def reviewed(view_of):
    reviews = pl.DataFrame(
        {
            "review_id": ["r1", "r2", "r3", "r4"],
            "item_id": ["i1", "i1", "i2", "i2"],
            "text": ["The mug is fine, the handle is strong!", "b", "c", "d"],
            "rating": [5.0, 5.0, 5.0, 1.0],
        }
    )
    return view_of(reviews=reviews)


def test_ratings_and_aspects_are_drawn_and_asked_for(reviewed, served):
    with served() as (fake, options):
        _, reviews = made(reviewed, options, n=60)
    assert reviews.columns == ["review_id", "item_id", "text", "rating"]
    shares = reviews["rating"].value_counts(normalize=True)
    found = dict(shares.iter_rows())
    assert set(found) == {1.0, 5.0}
    assert found[5.0] == pytest.approx(0.75, abs=0.15)
    bodies = [body["messages"][1]["content"] for body in fake.bodies]
    assert all('"best_rating": 5.0' in body for body in bodies)
    n_aspects = np.array(
        [body.split('"aspects": "')[1].split('"')[0].count(";") for body in bodies]
    )
    assert set(n_aspects) == {0, 1, 2}
    assert not any("handle is strong" in body for body in bodies)


def test_wanted_ratings_come_equally_often(view_of, served):
    with served() as (_, options):
        _, reviews = made(view_of(), options, n=60, ratings=[2.0, 4.0], language="en")
    assert "title" in reviews.columns
    assert set(reviews["locale"]) == {"en"}
    counts = dict(reviews["rating"].value_counts().iter_rows())
    assert set(counts) == {2.0, 4.0}
    assert min(counts.values()) > 18


def test_without_reviews_ratings_are_one_to_five(view_of, served):
    with served() as (_, options):
        _, reviews = made(view_of(), options, n=40)
    assert set(reviews["rating"]) == {1.0, 2.0, 3.0, 4.0, 5.0}


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (review("Nice mug", {"quality": "Nice"}), "too_short"),
        (review("the mug is fine the handle is strong"), "copies_a_review"),
        (review(quotes={}), "aspect_missing"),
        (review(quotes={"quality": "it broke"}), "quote_not_in_text"),
        (review(quotes={"quality": "..."}), "quote_not_in_text"),
        (review("The mug holds 900 ml and the handle is strong"), "number_not_in_record"),
        (review(title="Pink!"), "colour_or_material_not_in_record"),
    ],
)
def test_what_is_no_such_review_is_rejected(view_of, served, reasons, items, answer, reason):
    real = pl.DataFrame(
        {"review_id": ["r"], "item_id": ["i1"], "text": ["The mug is fine, the handle is strong!"]}
    )
    with served(lambda record, body: answer) as (_, options):
        view = view_of(items.head(1), reviews=real)
        method, reviews = made(view, options, n=1, tries=1, aspects=["quality"])
    assert reviews.is_empty()
    assert reviews.columns == ["review_id", "item_id", "text", "rating"]
    assert reasons(method.written_.rejects) == {reason: 1}


def test_chinese_reviews_need_no_blanks(view_of, served):
    items = pl.DataFrame({"item_id": ["a"], "title": ["保温杯"]})
    answer = review("杯子很好用，质量不错，推荐", {"quality": "质量不错"}, "不错")
    with served(lambda record, body: answer) as (_, options):
        _, reviews = made(view_of(items), options, n=1, aspects=["quality"])
    assert reviews.height == 1
