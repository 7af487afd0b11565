"""Each filter of reviews in a run: what was planted to fall falls with its reason, others stay."""

import json

import numpy as np
import polars as pl
import pytest

from fakes.planted_reviews import ITEMS, planted_reviews
from fakes.planted_texts import NAME, planted_texts
from shopsynth.pipeline import make_recipe, run
from shopsynth.pipeline.stages import filters
from shopsynth.schema import Dataset, RecipeError

pytest.importorskip("sklearn")

TOLD = "my sister wrote that it was {} and that was all she said about it"
TWINS = {"good": "wonderful", "bad": "terrible"}


def review_recipe(folder, method=NAME, **combine):
    values = {
        "shop": {name: {"path": f"{name}.parquet"} for name in ("items", "reviews")},
        "split": {"by": "review", "validation": 0.2, "test": 0.3},
        "privacy": {"mode": "public"},
        "generate": [{"synthesizer": method}],
        "combine": {"ratio": 1.0, "weight": 1.0, "contamination_run": 4, **combine},
        "train": {"tasks": ["content"], "models": ["tfidf_linear"], "headline": "tfidf_linear"},
        "evaluate": {"seeds": 1},
        "pipeline": {"executor": "inline"},
    }
    return make_recipe(values, base=folder)


class BagOfWords:
    """Encodes a text by the words of the shop that it has; wonderful is good."""

    def encode(self, texts, kind):
        means = {own: word for word, own in TWINS.items()}
        words = planted_reviews()["text"].str.split(" ").explode().unique().sort().to_list()
        said = [{means.get(word, word) for word in text.lower().split()} for text in texts]
        return np.array([[word in has for word in words] for has in said], np.float32) + 0.001


def planted(train, test):
    """Lay out reviews by what should take them; a third of all are bad, of the real ones half."""
    good = next(text for text in test if text.startswith("good"))
    rows = {
        "held out": (test[0].upper(), None, 5.0),
        "strange": ("zqxj wvkz qqqq xxyzzy", None, 5.0),
        "titled": (train[1], "write to b@gmail.com", 5.0),
        "abuse": (f"{train[2]} you idiot", None, 1.0),
        "run": (TOLD.format(test[1]), None, 5.0),
        "run of train": (TOLD.format(train[3]), None, 5.0),
        "means test": (good.replace("good", TWINS["good"]), None, 5.0),
    }
    rows |= {f"plain {place}": (text, None, 5.0 if place % 2 else 1.0)
             for place, text in enumerate(train[4:14])}  # fmt: skip
    made = [(name, ITEMS["item_id"][0], *row) for name, row in rows.items()]
    names = dict.fromkeys(("review_id", "item_id", "text", "title"), pl.String)
    return pl.DataFrame(made, schema=names | {"rating": pl.Float64}, orient="row")


def rows_of(result, stage, name):
    parts = result.manifests[stage].parts(name)
    return pl.concat([pl.read_parquet(result.workspace / ref.key) for ref in parts])


@pytest.fixture(scope="module")
def reviewed(tmp_path_factory):
    """Run the split, plant reviews by it, and give what runs combine: what stays, why others go."""
    folder = tmp_path_factory.mktemp("reviewed")
    planted_reviews(200).drop("user_id").write_parquet(folder / "reviews.parquet")
    ITEMS.write_parquet(folder / "items.parquet")
    with planted_texts(Dataset(items=ITEMS), "reviews"):
        cut = run(review_recipe(folder), folder / "ws", until="split")
    train, test = (
        rows_of(cut, "split", f"{part}/reviews")["text"].unique().sort().to_list()
        for part in ("train", "test")
    )

    def combined(**combine):
        result = run(review_recipe(folder, **combine), folder / "ws", until="combine")
        rejects = rows_of(result, "combine", f"rejects/{NAME}").filter(table="reviews")
        reasons = {json.loads(each)["review_id"]: why for why, each in
                   rejects.select("reason", "record").rows()}  # fmt: skip
        return rows_of(result, "combine", f"kept/{NAME}"), reasons

    made = Dataset(items=ITEMS, reviews=planted(train, test))
    with planted_texts(made, "reviews"):
        yield combined


FALLS = {
    "likelihood_band": {"strange": "unlike_any_review"},
    "pii_and_toxicity": {"titled": "personal_data", "abuse": "toxic"},
    "contamination": {"run": "holds_run_of_test"},
    "embedding_near_duplicates": {
        "run": "means_what_test_means",
        "means test": "means_what_test_means",
    },
}


@pytest.mark.parametrize("name", FALLS)
def test_each_filter_takes_what_was_planted_for_it(reviewed, monkeypatch, name):
    monkeypatch.setattr(filters, "load_encoder", lambda _: BagOfWords())
    kept, reasons = reviewed(text_filters=[name], likelihood_outside=0.0, embedding_threshold=0.99)
    assert reasons["held out"] == "exact_duplicate_of_test"
    assert reasons.items() >= FALLS[name].items()
    stays = {f"plain {place}" for place in range(10)} - reasons.keys()
    assert len(stays) >= 6
    assert stays <= set(kept["review_id"])
    assert ("run of train" in reasons) == (name == "likelihood_band")


@pytest.mark.parametrize("vectors", ["words", "embedding"])
def test_a_selection_gives_each_class_its_share(reviewed, monkeypatch, vectors):
    monkeypatch.setattr(filters, "load_encoder", lambda _: BagOfWords())
    kept, reasons = reviewed(
        text_filters=["coverage_aware_selection"], selection_share=0.5, selection_vectors=vectors
    )
    assert kept.height == 8
    assert abs((kept["rating"] == 5.0).sum() - 4) <= 1
    assert list(reasons.values()).count("covers_nothing_more") == 7


def test_a_filter_of_queries_is_refused_where_only_reviews_are_made(reviewed, tmp_path):
    recipe = review_recipe(tmp_path, text_filters=["round_trip", "contamination"])
    with pytest.raises(RecipeError) as told:
        run(recipe, tmp_path / "ws")
    said = "round_trip is for methods that make judgments, got methods that make reviews"
    assert said in str(told.value)
    assert "contamination is for" not in str(told.value)
