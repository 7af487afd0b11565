"""A shop of reviews walks through all stages: written anew, classified, judged, released."""

import re

import polars as pl
import pytest

from fakes.planted_reviews import ITEMS, planted_reviews
from fakes.small_options import SMALL_OPTIONS
from shopsynth.pipeline import export, make_recipe, preview, run
from shopsynth.schema import RecipeError

pytest.importorskip("torch")
pytest.importorskip("sklearn")
pytest.importorskip("tokenizers")

CONTROLS = ("oversample", "noise", "broken_link", "oracle")


@pytest.fixture(scope="module")
def walked(tmp_path_factory):
    folder = tmp_path_factory.mktemp("reviews")
    planted_reviews(260).drop("user_id").write_parquet(folder / "reviews.parquet")
    ITEMS.write_parquet(folder / "items.parquet")
    values = {
        "shop": {name: {"path": f"{name}.parquet"} for name in ("items", "reviews")},
        "seed": 3,
        "split": {"by": "review", "validation": 0.2, "test": 0.3, "train_labels": 0.5},
        "privacy": {"mode": "public"},
        "generate": [{"synthesizer": "text_lm", "options": SMALL_OPTIONS["text_lm"]}],
        "combine": {"doses": [0.5], "weights": [0.5], "text_filters": ["pii_and_toxicity"]},
        "train": {
            "tasks": ["content"],
            "models": ["tfidf_linear"],
            "headline": "tfidf_linear",
        },
        "evaluate": {"seeds": 1, "controls": CONTROLS, "resamples": 200},
        "pipeline": {"executor": "inline"},
    }
    recipe = make_recipe(values, base=folder)
    return run(recipe, folder / "ws"), folder / "ws", recipe


def test_every_arm_of_a_text_task_is_judged(walked):
    result, workspace, _ = walked
    found = {
        row["arm"]: row["value"]
        for row in result.summary["metrics"]
        if (row["metric"], row["slice"], row["model"]) == ("macro_f1", "all", "tfidf_linear")
    }
    assert {"real", "combined", "synthetic", *CONTROLS} <= set(found)
    # The first word tells the class, so real rows suffice; broken links can only blur that.
    assert found["real"] > 0.8
    assert found["oracle"] > 0.8
    assert {row["table"] for row in result.summary["fidelity"]} == {"reviews"}
    pages = [path.read_text() for path in workspace.rglob("report.html")]
    shown = [float(told) for told in re.findall(r"<h4>rating ([\d.]+)</h4>", pages[0])]
    assert len(shown) > 1
    assert shown == sorted(shown)


def test_made_reviews_leave_and_are_shown_before(walked, tmp_path):
    _, workspace, recipe = walked
    export(workspace, "parquet", tmp_path / "out")
    made = pl.read_parquet(tmp_path / "out" / "reviews.parquet")
    assert made["synthesizer"].unique().to_list() == ["text_lm"]
    assert made["review_id"].is_unique().all()
    shown = preview(recipe, rows=3)["text_lm"]
    assert {"text", "rating", "title"} <= set(shown.columns)


def test_a_method_of_events_is_refused_before_a_row_is_read_where_there_are_none(tmp_path):
    planted_reviews(30).drop("user_id").write_parquet(tmp_path / "reviews.parquet")
    values = {
        "shop": {"reviews": {"path": "reviews.parquet"}},
        "split": {"by": "review"},
        "privacy": {"mode": "public"},
        "train": {"tasks": ["content"], "models": ["tfidf_linear"], "headline": "tfidf_linear"},
    }
    told = r"markov must learn from events; .* found only .*reviews; .* For content: .*text_lm"
    # A recipe without [[generate]] has markov; one beside a method that can run is told as well.
    for methods in ({}, {"generate": [{"synthesizer": "text_lm"}, {"synthesizer": "markov"}]}):
        recipe = make_recipe(values | methods, base=tmp_path)
        with pytest.raises(RecipeError, match=told) as error:
            preview(recipe)
        assert "noise_reviews" not in str(error.value)
        with pytest.raises(RecipeError, match=told):
            run(recipe, tmp_path / "ws")
        assert not (tmp_path / "ws" / "ingest").exists()
