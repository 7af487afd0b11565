"""Shops of words: searches and reviews walk through all stages as events do."""

import polars as pl
import pytest

from fakes.search_shop import searches
from shopsynth.pipeline import export, make_recipe, preview, run
from shopsynth.pipeline.workspace import open_workspace
from shopsynth.schema import RecipeError, SchemaError

pytest.importorskip("bm25s")

FILTERS = ("round_trip", "likelihood_band", "pii_and_toxicity")
CONTROLS = ("oversample", "noise", "broken_link")


def search_recipe(folder, **more):
    """Write the shop's tables; a recipe with a lexical model, made searches and all controls."""
    shop = searches()
    for name, frame in shop.tables().items():
        frame.write_parquet(folder / f"{name}.parquet")
    return {
        "shop": {name: {"path": f"{name}.parquet"} for name in shop.tables()},
        "seed": 3,
        "clean": {"min_events_per_user": 1},
        "split": {"by": "query", "validation": 0.2, "test": 0.3, "train_labels": 0.6},
        "privacy": {"mode": "public"},
        "generate": [{"synthesizer": "title_queries", "size": 2.0}],
        "combine": {"doses": [0.5, 1.0], "weights": [1.0], "text_filters": FILTERS},
        "train": {"tasks": ["search"], "models": ["bm25"], "headline": "bm25"},
        "evaluate": {"seeds": 1, "controls": [*CONTROLS, "oracle"], "resamples": 200},
        "pipeline": {"executor": "inline"},
        **more,
    }


def read(workspace, stage, name):
    """Read the parts of a stage that are called so, of whatever seed."""
    place = open_workspace(workspace)
    found = place.manifest(stage)
    assert found is not None
    parts = found.parts(name)
    return pl.concat(
        [pl.read_parquet(place.store.local_path(ref.key)) for ref in parts], how="diagonal"
    )


@pytest.fixture(scope="module")
def walked(tmp_path_factory):
    folder = tmp_path_factory.mktemp("search")
    recipe = make_recipe(search_recipe(folder), base=folder)
    return run(recipe, folder / "ws"), folder / "ws", recipe


def test_made_searches_reach_the_arms_and_the_report(walked):
    result, workspace, _ = walked
    arms = {row["arm"] for row in result.summary["metrics"]}
    assert {"real", "combined", "synthetic", "oracle", *CONTROLS} <= arms
    assert {row["table"] for row in result.summary["fidelity"]} >= {"queries"}
    audits = {row["name"] for row in result.summary["privacy"]["audits"]}
    assert "copies_of_text_ngrams" in audits
    pages = [path.read_text() for path in workspace.rglob("report.html")]
    assert "grade 3" in pages[0]


def test_the_report_tells_the_labels_held_back_and_no_reserve_of_texts(walked):
    result, workspace, _ = walked
    told = result.manifests["split"].facts
    assert set(told["rows"]) == {"train", "validation", "test"}
    assert told["judgments"]["reserve"] > 0
    assert told["judgments"]["train"] == read(workspace, "split", "train/judgments").height


def test_each_arm_holds_what_its_name_says(walked):
    _, workspace, _ = walked
    origins = {
        arm: set(read(workspace, "combine", f"arms/search/{arm}")["origin"])
        for arm in ("real", "combined", "synthetic", "oracle", *CONTROLS)
    }
    assert origins == {
        "real": {"real"},
        "combined": {"real", "title_queries"},
        "synthetic": {"title_queries"},
        "oracle": {"real", "reserve"},
        "oversample": {"real", "oversample"},
        "noise": {"real", "noise"},
        "broken_link": {"real", "broken_link"},
    }


def test_no_made_search_says_what_a_held_out_one_says(walked):
    _, workspace, _ = walked
    made = set(read(workspace, "combine", "queries/title_queries")["text"].str.to_lowercase())
    asked = read(workspace, "split", "validation/queries")["text"].to_list()
    asked += read(workspace, "split", "test/queries")["text"].to_list()
    dropped = read(workspace, "combine", "rejects/title_queries")
    assert dropped.height > 0
    assert not made.intersection(asked)


def test_labels_held_back_train_nothing_but_the_oracle(walked):
    _, workspace, _ = walked
    judged = read(workspace, "split", "train/judgments")
    reserve = read(workspace, "split", "reserve/judgments")
    assert reserve.height > 0
    assert not set(judged["query_id"]) & set(reserve["query_id"])
    real = read(workspace, "combine", "arms/search/combined").filter(origin="real")
    assert set(real["query_id"]) == set(judged["query_id"])


def test_the_rows_leave_as_beir(walked, tmp_path):
    _, workspace, _ = walked
    export(workspace, "beir", tmp_path / "out")
    qrels = pl.read_csv(tmp_path / "out" / "qrels" / "train.tsv", separator="\t")
    queries = pl.read_ndjson(tmp_path / "out" / "queries.jsonl")
    assert set(qrels["query-id"]) <= set(queries["_id"])
    assert set(qrels["score"]) <= {0, 1, 2, 3}
    with pytest.raises(SchemaError, match="expected events"):
        export(workspace, "recbole", tmp_path / "other")


def test_a_preview_shows_searches(walked):
    _, _, recipe = walked
    shown = preview(recipe, rows=5)["title_queries"]
    assert {"query", "title", "grade"} <= set(shown.columns)
    assert shown.height == 5
    # Two rows a search: one search after the other would show one or two of them.
    assert shown["query_id"].n_unique() == 3
    assert shown["grade"].to_list()[::2] == [3.0, 3.0, 3.0]


def test_a_task_without_a_method_that_makes_its_rows_is_refused(tmp_path):
    values = search_recipe(tmp_path, generate=[{"synthesizer": "markov"}])
    with pytest.raises(RecipeError, match="expected a method that makes judgments"):
        run(make_recipe(values, base=tmp_path), tmp_path / "ws")


def test_a_method_is_not_thought_to_make_another_table(tmp_path):
    entry = {"synthesizer": "title_queries", "table": "events"}
    values = search_recipe(tmp_path, generate=[entry])
    with pytest.raises(RecipeError, match="which makes judgments"):
        run(make_recipe(values, base=tmp_path), tmp_path / "ws")


def test_grades_are_told_by_the_same_rows(tmp_path):
    pytest.importorskip("lightgbm")
    train = {"tasks": ["relevance"], "models": ["lexical_gbdt"], "headline": "lexical_gbdt"}
    recipe = make_recipe(search_recipe(tmp_path, train=train), base=tmp_path)
    summary = run(recipe, tmp_path / "ws").summary
    assert summary is not None
    wrong = {
        row["arm"]: row["value"]
        for row in summary["metrics"]
        if (row["metric"], row["slice"], row["model"]) == ("rmse", "all", "lexical_gbdt")
    }
    assert {"real", "combined", *CONTROLS} <= set(wrong)
    assert all(0.0 < value < 3.0 for value in wrong.values())


def test_altered_searches_walk_beside_made_ones_and_their_rejects_are_told(tmp_path):
    options = {"edits": ["swap", "delete", "keyboard"], "margin": 0.05}
    methods = [{"synthesizer": "augmented_queries", "options": options}]
    methods += [{"synthesizer": "title_queries"}]
    evaluate = {"seeds": 1, "controls": ["oversample"], "resamples": 200}
    values = search_recipe(tmp_path, generate=methods, evaluate=evaluate)
    run(make_recipe(values, base=tmp_path), tmp_path / "ws")
    combined = read(tmp_path / "ws", "combine", "arms/search/combined")
    assert set(combined["origin"]) == {"real", "augmented_queries", "title_queries"}
    rejects = read(tmp_path / "ws", "generate", "rejects/augmented_queries")
    assert rejects.height > 0
    assert set(rejects["reason"]) <= {"too_far", "label_lost", "label_unsure", "is_a_real_text"}
