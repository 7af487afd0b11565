"""Controls for made texts: real ones with words swapped, left out and misspelt."""

import polars as pl
import pytest

from fakes.search_shop import searches
from shopsynth.generate import make_synthesizer
from shopsynth.privacy import PrivateView
from shopsynth.schema import Dataset, EmptyDataError


def view_of(shop):
    return PrivateView(shop, mode="public", fingerprint="f" * 64, max_events_per_user=9)


def reviews(n=40):
    return Dataset(
        items=pl.DataFrame({"item_id": ["a", "b"]}),
        reviews=pl.DataFrame(
            {
                "review_id": [f"r{number}" for number in range(n)],
                "item_id": ["a", "b"] * (n // 2),
                "text": [f"This mug number {n} holds a lot of tea" for n in range(n)],
                "user_id": [f"u{number}" for number in range(n)],
                "label": ["good", "bad"] * (n // 2),
            }
        ),
    )


def test_a_disturbed_review_keeps_its_class_and_has_no_author():
    shop = reviews()
    made = make_synthesizer("noise_reviews", {}).fit(view_of(shop), seed=1).sample(90, seed=2)
    rows = made.data.need("reviews")
    assert rows.height == 90
    assert "user_id" not in rows.columns
    # The class follows from the item, as in the real rows.
    assert rows.filter(pl.col("item_id") == "a")["label"].unique().to_list() == ["good"]
    real = shop.need("reviews")
    changed = ~rows["text"].is_in(real["text"].implode())
    assert changed.sum() > 0.9 * rows.height
    assert not set(rows["review_id"]) & set(real["review_id"])


def test_a_disturbed_query_keeps_its_judgments():
    shop = searches()
    made = make_synthesizer("noise_queries", {}).fit(view_of(shop), seed=1).sample(60, seed=2).data
    queries = made.need("queries")
    assert queries.height == 60
    per_query = made.need("judgments").group_by("query_id").agg(pl.col("grade").sort())
    assert per_query.height == 60
    assert per_query["grade"].to_list() == [[0.5, 3.0]] * 60
    assert (~queries["text"].is_in(shop.need("queries")["text"].implode())).sum() > 30


def test_without_judgments_titles_are_cut_up():
    shop = searches()
    view = view_of(Dataset(items=shop.items))
    made = make_synthesizer("noise_queries", {}).fit(view, seed=1).sample(50, seed=2).data
    words = made.need("queries")["text"].str.split(" ").list.len()
    assert set(words) <= {1, 2, 3, 4}
    assert made.need("judgments")["grade"].unique().to_list() == [3.0]


def test_the_same_seed_gives_the_same_rows_and_another_others():
    method = make_synthesizer("noise_queries", {}).fit(view_of(searches()), seed=1)
    first, again, other = (method.sample(40, seed=seed).data.need("queries") for seed in (5, 5, 6))
    assert first.equals(again)
    assert not first.equals(other)


@pytest.mark.parametrize("name", ["noise_queries", "noise_reviews"])
def test_nothing_to_disturb_is_said(name):
    empty = Dataset(
        items=pl.DataFrame({"item_id": ["a"]}), reviews=reviews().need("reviews").clear()
    )
    with pytest.raises(EmptyDataError, match="expected"):
        make_synthesizer(name, {}).fit(view_of(empty), seed=1)
