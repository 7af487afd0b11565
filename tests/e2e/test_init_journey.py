"""Files of words that nobody described: ``init`` writes a recipe that is sound and runs."""

import json

import polars as pl
import pytest
from typer.testing import CliRunner

from fakes.planted_reviews import planted_reviews
from fakes.search_shop import searches
from fakes.small_options import SMALL_OPTIONS
from shopsynth.cli.main import app
from shopsynth.pipeline import load_recipe
from shopsynth.pipeline.checks import check_recipe

pytest.importorskip("bm25s")
pytest.importorskip("sklearn")

QUICK = (
    "evaluate.seeds=1", 'evaluate.controls=["noise"]', "evaluate.resamples=100",
    "combine.doses=[1.0]", "combine.weights=[1.0]", "clean.min_events_per_user=1",
    'pipeline.executor="inline"', 'privacy.mode="public"',
)  # fmt: skip


def called(*arguments):
    done = CliRunner().invoke(app, [str(one) for one in arguments], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.output


def walked(folder, files, *changes):
    """Write a recipe from files, check it as it is, run it with less work; give its summary."""
    recipe, workspace = folder / "recipe.toml", folder / "ws"
    said = called("init", *files, "--output", recipe)
    assert "Check it, then: shopsynth run" in said
    check_recipe(load_recipe(recipe), "report")
    sets = [part for change in (*QUICK, *changes) for part in ("--set", change)]
    called("run", recipe, "--workspace", workspace, *sets)
    (summary,) = workspace.rglob("summary.json")
    return json.loads(summary.read_text())


def test_items_queries_and_judgments_in_three_files(tmp_path):
    tables = searches().tables()
    names = {"items": "goods.csv", "queries": "asked.csv", "judgments": "judged.csv"}
    for table, name in names.items():
        tables[table].write_csv(tmp_path / name)
    summary = walked(
        tmp_path,
        [tmp_path / name for name in names.values()],
        'train.models=["bm25"]',
        'train.headline="bm25"',
    )
    assert {row["table"] for row in summary["fidelity"]} >= {"queries"}
    assert {"real", "combined", "noise"} <= {row["arm"] for row in summary["metrics"]}


def test_texts_with_a_class(tmp_path):
    pytest.importorskip("torch")
    pytest.importorskip("tokenizers")
    told = planted_reviews(260).select(
        "text", sentiment=pl.when(rating=5.0).then(pl.lit("good")).otherwise(pl.lit("bad"))
    )
    told.write_csv(tmp_path / "told.csv")
    options = ", ".join(
        f"{name} = {json.dumps(value)}" for name, value in SMALL_OPTIONS["text_lm"].items()
    )
    summary = walked(
        tmp_path,
        [tmp_path / "told.csv"],
        'train.models=["tfidf_linear"]',
        f'generate=[{{synthesizer = "text_lm", options = {{{options}}}}}]',
    )
    found = {
        row["arm"]: row["value"]
        for row in summary["metrics"]
        if (row["metric"], row["slice"]) == ("macro_f1", "all")
    }
    assert {"real", "combined", "noise"} <= set(found)
    # The first word tells the class.
    assert found["real"] > 0.8
