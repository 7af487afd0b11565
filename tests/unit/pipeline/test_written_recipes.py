"""A recipe that asks a language model: checked before anybody is asked."""

import pytest

from shopsynth.pipeline.checks import check_recipe
from shopsynth.pipeline.recipe import load_recipe
from shopsynth.schema import PrivacyError, RecipeError

RECIPE = """
[shop.items]
path = "items.csv"
[shop.reviews]
path = "reviews.csv"
[shop.events]
path = "events.csv"
[privacy]
mode = "MODE"
[[generate]]
synthesizer = "llm_reviews"
[generate.options]
answers = "answers"
aspects = ["fit"]
[generate.options.endpoint]
base_url = "https://llm.example/v1"
model = "writer-4"
api_key_env = "WRITER_KEY"
allowed_hosts = ["HOST"]
concurrency = 8
input_price = 0.5
output_price = 1.5
budget = 20.0
"""


@pytest.fixture
def recipe_of(tmp_path):
    def build(mode="deidentify", host="llm.example"):
        file = tmp_path / "recipe.toml"
        text = RECIPE.replace("MODE", mode).replace("HOST", host)
        file.write_text(text, encoding="utf-8")
        return load_recipe(file)

    return build


def test_a_recipe_names_endpoint_limits_and_budget(recipe_of):
    recipe = recipe_of()
    check_recipe(recipe, "generate")
    assert recipe.generate[0].options["endpoint"]["budget"] == 20.0


def test_a_host_that_is_not_on_the_list_is_refused_before_a_row_is_read(recipe_of):
    with pytest.raises(RecipeError, match=r"llm\.example is not on the list"):
        check_recipe(recipe_of(host="llm.other"), "generate")


@pytest.mark.parametrize("mode", ["dp", "unsafe_nonprivate"])
def test_modes_in_which_nothing_may_be_shown_are_refused(recipe_of, mode):
    with pytest.raises(PrivacyError):
        check_recipe(recipe_of(mode), "generate")
