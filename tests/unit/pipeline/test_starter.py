"""First recipes: they say plainly how far the data go."""

import tomllib

import pytest

from shopsynth.pipeline import starter_recipe
from shopsynth.pipeline.checks import check_recipe
from shopsynth.pipeline.recipe import make_recipe
from shopsynth.schema import RecipeError

ITEMS = "item_id,title\n" + "".join(f"i{n},thing {n}\n" for n in range(5))
PAIRS = "product_uid,product_title,search_term,relevance\n" + "".join(
    f"p{n % 9},thing {n % 9},word {n % 6},{n % 3 + 1}\n" for n in range(60)
)
LOG = "user,pos,item\n" + "".join(f"u{n // 5},{n % 5},i{n % 7}\n" for n in range(40))


def recipe_of(starter, folder):
    return make_recipe(tomllib.loads(starter.text), base=folder)


@pytest.mark.parametrize(("content", "command", "later"), [(ITEMS, "clean", "split")])
def test_without_events_a_recipe_says_how_far_it_goes_and_why(tmp_path, content, command, later):
    (tmp_path / "shop.csv").write_text(content)
    starter = starter_recipe([str(tmp_path / "shop.csv")], tmp_path)
    assert starter.command == command
    assert f"shopsynth {command} recipe.toml" in starter.text
    assert "# [shop.events]" in starter.text
    assert "sasrec" not in starter.text
    assert "next_item needs rows with a user" in starter.notes[-1]
    assert f"as far as {command}" in starter.notes[-1]
    recipe = recipe_of(starter, tmp_path)
    check_recipe(recipe, command)
    with pytest.raises(RecipeError, match=r"expected a block \[shop.events\]"):
        check_recipe(recipe, later)


def test_judged_pairs_of_searches_and_products_are_enough_for_a_run(tmp_path):
    (tmp_path / "pairs.csv").write_text(PAIRS)
    starter = starter_recipe([str(tmp_path / "pairs.csv")], tmp_path)
    assert starter.command == "run"
    recipe = recipe_of(starter, tmp_path)
    assert recipe.train.tasks == ("search",)
    assert recipe.split.by == "query"
    check_recipe(recipe, "report")


def test_an_order_without_times_is_split_by_leaving_one_out(tmp_path):
    (tmp_path / "log.csv").write_text(LOG)
    starter = starter_recipe([str(tmp_path / "log.csv")], tmp_path)
    assert starter.command == "run"
    recipe = recipe_of(starter, tmp_path)
    assert recipe.split.by == "leave_one_out"
    assert not {"content_knn", "hybrid"} & set(recipe.train.models)
