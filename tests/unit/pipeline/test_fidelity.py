"""What the evaluate stage hands to fidelity: items, users, and what the arms were worth."""

import json

import polars as pl

from fakes.shops import RECIPE, tiny_tables, write_tiny_shop
from shopsynth.pipeline import run

OVERRIDES = (
    "pipeline.executor=inline", "evaluate.seeds=1", "combine.doses=[1.0]",
    "train.models=['item_knn', 'markov']", "evaluate.controls=[]",
)  # fmt: skip


def test_a_run_tells_attributes_and_models_that_saw_no_real_row(tmp_path, monkeypatch):
    monkeypatch.setenv("SHOPSYNTH_PSEUDONYM_KEY", "a key that only tests use")
    recipe = write_tiny_shop(tmp_path, RECIPE + '\n[shop.users]\npath = "users.csv"\n')
    ids = tiny_tables()["events"]["user_id"].unique().sort()
    towns = pl.when(pl.int_range(pl.len()) % 2 == 0).then(pl.lit("Oslo")).otherwise(pl.lit("Rome"))
    pl.DataFrame({"user_id": ids}).with_columns(town=towns).write_csv(tmp_path / "users.csv")
    run(recipe, tmp_path / "w", overrides=OVERRIDES)
    summary = json.loads((tmp_path / "w" / "summary.json").read_text())
    told = {row["metric"]: row for row in summary["fidelity"]}
    linked = told["attributes and behaviour: mean difference of Cramer's V (0 is best)"]
    assert 0 <= linked["value"] <= 1
    means = {
        (row["arm"], row["model"]): row["value"]
        for row in summary["metrics"]
        if (row["metric"], row["cutoff"], row["slice"]) == ("ndcg", 5, "all")
    }
    alone = {name.split()[0]: row for name, row in told.items() if "trained on synthetic" in name}
    assert set(alone) == {"item_knn", "markov"}
    for model, row in alone.items():
        assert (row["value"], row["ceiling"]) == (means["synthetic", model], means["real", model])
    page = (tmp_path / "w" / "report" / "report.md").read_text()
    assert "### Models that saw no real row" in page
