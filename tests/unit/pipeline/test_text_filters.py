"""Made texts that a run drops: near held-out ones, lost ones, unlikely ones, personal ones."""

from typing import Any

import polars as pl

from fakes.search_shop import search_items, searches
from shopsynth.combine import CombineSettings
from shopsynth.pipeline.stages.filters import drop_texts
from shopsynth.schema import Dataset, SyntheticDataset

MADE = {
    "held out": "Amber couch!",
    "good": "red mug",
    "lost": "red mug",
    "unlikely": "zqxj wvkz mug red qqqq",
    "personal": "red mug b@gmail.com",
    "abuse": "red mug you idiot",
}
ANSWERS = {"lost": "sofa-blue"}


def parts_of(frames: dict[str, pl.DataFrame]) -> Any:
    class Parts:
        frame = frames.__getitem__
        refs = frames.__contains__

    return Parts()


def made_searches() -> SyntheticDataset:
    judgments = [(name, ANSWERS.get(name, "mug-red"), 3.0) for name in MADE]
    data = Dataset(
        items=search_items(),
        queries=pl.DataFrame(list(MADE.items()), schema=["query_id", "text"], orient="row"),
        judgments=pl.DataFrame(judgments, schema=["query_id", "item_id", "grade"], orient="row"),
    )
    return SyntheticDataset(data, "planted", "c", 1, "s")


def asked(**settings: Any) -> tuple[set[str], dict[str, str]]:
    """Filter the planted searches: ids kept, and the reason of each that went."""
    real = searches(("red", "blue", "green", "black", "white")).need("queries")
    job = parts_of({"train/queries": real, "test/queries": searches(("amber",)).need("queries")})
    made = made_searches()
    kept, rejects = drop_texts(
        job, made, "judgments", CombineSettings.model_validate(settings), threshold=0.7, seed=1
    )
    ids = set(kept.data.need("queries")["query_id"])
    assert set(kept.data.need("judgments")["query_id"]) == ids
    gone = rejects.select(pl.col("record").str.extract(r'"query_id":"([^"]*)"'), "reason")
    assert ids | set(gone["record"]) == set(MADE)
    return ids, dict(gone.iter_rows())


def test_only_held_out_texts_are_dropped_unasked():
    ids, reasons = asked()
    assert ids == set(MADE) - {"held out"}
    assert reasons == {"held out": "exact_duplicate_of_test"}


def test_each_filter_takes_its_own():
    assert "lost" not in asked(text_filters=["round_trip"])[0]
    ids, reasons = asked(text_filters=["pii_and_toxicity"])
    assert (reasons["personal"], reasons["abuse"]) == ("personal_data", "toxic")
    assert {"good", "lost"} <= ids
    ids, reasons = asked(text_filters=["likelihood_band"])
    assert "unlikely" not in ids


def test_of_reviews_only_persons_and_abuse_are_looked_at():
    reviews = pl.DataFrame(
        {
            "review_id": ["a", "b"],
            "item_id": ["mug-red"] * 2,
            "text": ["I love this mug", "write to b@gmail.com"],
        }
    )
    made = SyntheticDataset(Dataset(items=search_items(), reviews=reviews), "planted", "c", 1, "s")
    settings = CombineSettings(text_filters=("round_trip", "pii_and_toxicity"))
    kept, rejects = drop_texts(parts_of({}), made, "reviews", settings, threshold=0.7, seed=1)
    assert kept.data.need("reviews")["review_id"].to_list() == ["a"]
    assert rejects["table"].to_list() == ["reviews"]
