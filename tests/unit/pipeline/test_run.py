"""Runs of a tiny shop: what a stage tells, fresh or resumed."""

import json

from fakes.shops import write_tiny_shop
from shopsynth.pipeline import load_recipe, run

KEY = "a key that only tests use"


def test_a_stage_that_just_ran_tells_its_facts_as_a_resumed_one_does(tmp_path, monkeypatch):
    monkeypatch.setenv("SHOPSYNTH_PSEUDONYM_KEY", KEY)
    recipe = load_recipe(write_tiny_shop(tmp_path), ('pipeline.executor="inline"',))
    fresh = run(recipe, tmp_path / "w", until="split")
    resumed = run(recipe, tmp_path / "w", until="split")
    assert (len(fresh.cached), len(resumed.cached)) == (0, 3)
    told, again = (
        # Text, not dictionaries: the report lists facts in their order.
        {name: json.dumps(manifest.to_json()) for name, manifest in result.manifests.items()}
        for result in (fresh, resumed)
    )
    assert told == again
