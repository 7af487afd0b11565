"""Recipe: every fault at once, nearest names, overrides as TOML, a hash that means results."""

import pytest

from shopsynth.pipeline.recipe import load_recipe, make_recipe
from shopsynth.schema import RecipeError

MINIMAL = """
[shop.events]
path = "events.csv"
columns = { user_id = "u", item_id = "i", timestamp = "t" }
"""


@pytest.fixture
def recipe_file(tmp_path):
    path = tmp_path / "recipe.toml"
    path.write_text(MINIMAL)
    return path


def test_defaults_and_base(recipe_file):
    recipe = load_recipe(recipe_file)
    assert recipe.split.by == "time"
    assert recipe.generate[0].synthesizer == "markov"
    assert recipe.base == recipe_file.parent


def test_overrides_reach_values_blocks_and_list_entries(recipe_file):
    recipe_file.write_text(MINIMAL + '[[generate]]\nsynthesizer = "markov"\n')
    recipe = load_recipe(
        recipe_file,
        ("evaluate.seeds=5", "generate.0.size=2", 'split.by="leave_one_out"', "title=My shop",
         "train.options.sasrec.dim=32"),
    )  # fmt: skip
    assert recipe.evaluate.seeds == 5
    assert recipe.generate[0].size == 2
    assert recipe.split.by == "leave_one_out"
    assert recipe.title == "My shop"
    assert recipe.train.options == {"sasrec": {"dim": 32}}


@pytest.mark.parametrize(
    ("override", "words"),
    [
        ("evaluate.seeds", "expected key=value"),
        ("=3", "expected key=value"),
        ("generate.7.size=2", "no entry '7'"),
        ("seed.x=1", "is a value, not a block"),
        ("evaluate.seds=5", "unknown key evaluate.seds; did you mean 'seeds'"),
    ],
)
def test_bad_overrides_are_named(recipe_file, override, words):
    recipe_file.write_text("seed = 3\n" + MINIMAL + '[[generate]]\nsynthesizer = "markov"\n')
    with pytest.raises(RecipeError, match=words.replace("[", r"\[")):
        load_recipe(recipe_file, (override,))


def test_all_faults_come_at_once(recipe_file):
    recipe_file.write_text(MINIMAL + "[split]\nvalidaton = 0.1\ntest = 0.9\n[privcy]\nmode='dp'\n")
    with pytest.raises(RecipeError) as caught:
        load_recipe(recipe_file)
    message = str(caught.value)
    assert "3 faults" in message
    assert "did you mean 'validation'" in message
    assert "did you mean 'privacy'" in message
    assert "split.test" in message


def test_missing_file_and_no_toml_and_wrong_encoding(tmp_path):
    with pytest.raises(RecipeError, match="expected a recipe file, found none"):
        load_recipe(tmp_path / "none.toml")
    bad = tmp_path / "bad.toml"
    bad.write_text("[shop")
    with pytest.raises(RecipeError, match="expected TOML"):
        load_recipe(bad)
    bad.write_bytes("title = 'é'".encode("latin-1"))
    with pytest.raises(RecipeError, match="expected TOML in UTF-8"):
        load_recipe(bad)
    bad.write_bytes(b"#" * (2 << 20))
    with pytest.raises(RecipeError, match="at most 1 MiB"):
        load_recipe(bad)


def test_consistency(recipe_file):
    with pytest.raises(RecipeError, match="headline"):
        load_recipe(recipe_file, ('train.headline="gru4rec"',))
    recipe_file.write_text(MINIMAL + '[[generate]]\nsynthesizer = "markov"\n' * 2)
    with pytest.raises(RecipeError, match="markov appears more than once"):
        load_recipe(recipe_file)


def test_hash_changes_with_results_not_with_workers(recipe_file):
    base = load_recipe(recipe_file)
    assert base.sha256 == load_recipe(recipe_file, ("pipeline.workers=7",)).sha256
    assert base.sha256 != load_recipe(recipe_file, ("seed=8",)).sha256


def test_values_of_cells_or_keys_do_not_leak_into_errors(tmp_path):
    with pytest.raises(RecipeError) as caught:
        make_recipe({"shop": {"events": {"path": "x", "columns": 7}}}, base=tmp_path)
    assert "7" not in str(caught.value)
