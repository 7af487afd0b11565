"""Reviews in mode dp from a recipe to files: paid once, at the price that is told, no canary."""

import json
import math
from typing import Any

import polars as pl
import pytest

from fakes.planted_reviews import ITEMS, planted_reviews
from shopsynth.evaluate.attacks.texts import extracted
from shopsynth.pipeline import export, make_recipe, run

pytest.importorskip("opendp")
pytest.importorskip("sklearn")
pytest.importorskip("tokenizers")
pytest.importorskip("torch")

EPSILON = 2.0
CANARIES = pl.Series(
    [
        "my locker is 4471 beside the grey heron and the code word is plumage",
        "green can once never green cup twice black jar today always blue pot here",
    ]
)


def recipe_of(folder: Any) -> dict[str, Any]:
    """Write reviews, each canary told by six people; few and small steps."""
    told = planted_reviews(160)
    planted = pl.DataFrame(
        {
            "review_id": [f"c{n:02d}" for n in range(12)],
            "item_id": ["i0"] * 12,
            "user_id": [f"canary {n:02d}" for n in range(12)],
            "text": [CANARIES[n % 2] for n in range(12)],
            "rating": [1.0] * 12,
        }
    )
    pl.concat([told, planted]).write_parquet(folder / "reviews.parquet")
    ITEMS.write_parquet(folder / "items.parquet")
    options = {
        "dim": 16, "heads": 2, "layers": 1, "vocabulary": 300, "length": 16,
        "training_steps": 20, "training_users": 60,
    }  # fmt: skip
    return {
        "shop": {name: {"path": f"{name}.parquet"} for name in ("items", "reviews")},
        "seed": 3,
        "split": {"by": "review", "validation": 0.2, "test": 0.3},
        "privacy": {"mode": "dp", "epsilon": EPSILON, "users": 120, "source": "told at the till"},
        "generate": [{"synthesizer": "text_lm", "size": 1.0, "options": options}],
        "combine": {"doses": [0.5], "weights": [0.5]},
        "train": {"tasks": ["content"], "models": ["tfidf_linear"], "headline": "tfidf_linear"},
        "evaluate": {"seeds": 2, "min_seeds_for_verdict": 2, "controls": [], "resamples": 100},
        "pipeline": {"executor": "inline"},
    }


@pytest.mark.slow
def test_a_run_of_private_texts_pays_once_and_tells_no_canary(tmp_path, monkeypatch):
    monkeypatch.setenv("SHOPSYNTH_PSEUDONYM_KEY", "a key that only tests use")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    recipe, workspace = make_recipe(recipe_of(tmp_path), base=tmp_path), tmp_path / "ws"
    summary = run(recipe, workspace).summary
    assert summary is not None
    privacy = summary["privacy"]
    assert EPSILON - 0.1 < privacy["epsilon"] <= EPSILON
    assert {charge["actor"] for charge in privacy["mechanisms"]} == {"text_lm"}
    receipt = json.loads((workspace / "report" / "receipt.json").read_text())
    assert receipt["epsilon"] == privacy["epsilon"]
    page = (workspace / "report" / "shareable.html").read_text()
    # Rounded up: a page never promises more than was paid for.
    assert f"{math.ceil(100 * privacy['epsilon']) / 100}" in page
    entries = paid(tmp_path)
    run(recipe, workspace)
    assert paid(tmp_path) == entries
    assert sum('"reserved"' in line for line in entries) == 1

    export(workspace, "parquet", tmp_path / "out")
    made = pl.read_parquet(tmp_path / "out" / "reviews.parquet")
    assert made.height > 50
    assert extracted(CANARIES, made["text"]) == 0
    # The one names what no public word names, the other is made of the catalogue's own words.
    for said in (page, json.dumps(summary), *made["text"].drop_nulls()):
        assert "heron" not in said
        assert CANARIES[1] not in said


def paid(folder: Any) -> list[str]:
    files = sorted((folder / "state" / "shopsynth" / "ledger").glob("*.jsonl"))
    assert files
    return [line for file in files for line in file.read_text().splitlines()]
