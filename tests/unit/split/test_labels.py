"""Few labels: texts whose judgments, or classes, are held back for the ceiling."""

import polars as pl
import pytest

from shopsynth.schema import Dataset, RecipeError
from shopsynth.split import SplitSettings, split_dataset

ITEMS = pl.DataFrame({"item_id": ["a"]})


def shop_of_reviews(n=2000):
    texts = [f"I like mug {number}" for number in range(n)]
    reviews = pl.DataFrame(
        {"review_id": [str(number) for number in range(n)], "item_id": "a", "text": texts}
    )
    return Dataset(items=ITEMS, reviews=reviews)


def test_reviews_are_cut_by_their_text():
    shop = shop_of_reviews()
    twice = pl.concat(
        [shop.reviews, shop.need("reviews").with_columns(review_id="twice-" + pl.col("review_id"))]
    )
    split = split_dataset(Dataset(items=ITEMS, reviews=twice), SplitSettings(by="review"))
    parts = [
        set(part.need("reviews")["text"]) for part in (split.train, split.validation, split.test)
    ]
    assert not parts[0] & parts[2]
    assert not parts[1] & (parts[0] | parts[2])
    assert len(parts[2]) / shop.need("reviews").height == pytest.approx(0.1, abs=0.03)
    assert split.reserve is None


def test_labels_that_are_not_known_are_the_reserve_and_nest():
    shop = shop_of_reviews()
    few, more = (
        split_dataset(shop, SplitSettings(by="review", train_labels=share)) for share in (0.1, 0.4)
    )
    known = [set(split.train.need("reviews")["review_id"]) for split in (few, more)]
    assert known[0] < known[1]
    assert len(known[0]) / 1600 == pytest.approx(0.1, abs=0.03)
    assert few.test.need("reviews").equals(more.test.need("reviews"))
    held = []
    for split in (few, more):
        assert split.reserve is not None
        held.append(split.reserve.need("reviews").height)
    assert held[0] + len(known[0]) == held[1] + len(known[1])


def test_queries_stay_known_when_their_judgments_are_not():
    queries = pl.DataFrame(
        {"query_id": [f"q{n}" for n in range(900)], "text": [f"mug {n}" for n in range(900)]}
    )
    judgments = queries.select("query_id", item_id=pl.lit("a"), grade=pl.lit(3.0))
    shop = Dataset(items=ITEMS, queries=queries, judgments=judgments)
    split = split_dataset(shop, SplitSettings(by="query", train_labels=0.2))
    everything = split_dataset(shop, SplitSettings(by="query"))
    assert split.train.need("queries").equals(everything.train.need("queries"))
    assert split.reserve is not None
    judged, held = (
        set(part.need("judgments")["query_id"]) for part in (split.train, split.reserve)
    )
    assert judged | held == set(split.train.need("queries")["query_id"])
    assert not judged & held


def test_labels_are_held_back_of_texts_alone():
    with pytest.raises(RecipeError, match=r"train_labels = 0\.5 holds labels"):
        SplitSettings.parse({"by": "time", "train_labels": 0.5}, "split")
