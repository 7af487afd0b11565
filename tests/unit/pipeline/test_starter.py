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


def chinese(folder, *, english):
    """Searches and reviews, of which so many are English."""
    word = {True: "red mug", False: "红色茶杯"}
    n = range(60)
    searches = "product_uid,product_title,search_term,relevance\n" + "".join(
        f"p{i % 9},{word[i % 9 < english]} {i % 9},{word[i % 6 < english]} {i % 6},{i % 3 + 1}\n"
        for i in n
    )
    reviews = "review,label\n" + "".join(
        f"{word[i % 6 < english]} {i},{('good', 'bad')[i % 2]}\n" for i in n
    )
    (folder / "searches.csv").write_text(searches)
    (folder / "reviews.csv").write_text(reviews)
    return [
        starter_recipe([str(folder / f"{name}.csv")], folder) for name in ("searches", "reviews")
    ]


def test_a_shop_that_is_mostly_chinese_gets_an_encoder_that_reads_it(tmp_path):
    searches, reviews = (recipe_of(each, tmp_path) for each in chinese(tmp_path, english=1))
    named = {"bi_encoder": {"model": "e5-small"}, "search_hybrid": {"model": "e5-small"}}
    assert searches.train.options == named
    assert reviews.train.options == {"embedding_linear": {"model": "e5-small"}}
    check_recipe(searches, "report")
    check_recipe(reviews, "report")
    for starter in chinese(tmp_path, english=5):
        assert recipe_of(starter, tmp_path).train.options == {}


def test_commands_name_the_file_that_is_written(tmp_path):
    (tmp_path / "shop.csv").write_text(ITEMS)
    starter = starter_recipe([str(tmp_path / "shop.csv")], tmp_path, name="mine.toml")
    assert starter.text.count("shopsynth clean mine.toml") == 2
    assert "recipe.toml" not in starter.text


def test_an_order_without_times_is_split_by_leaving_one_out(tmp_path):
    (tmp_path / "log.csv").write_text(LOG)
    starter = starter_recipe([str(tmp_path / "log.csv")], tmp_path)
    assert starter.command == "run"
    recipe = recipe_of(starter, tmp_path)
    assert recipe.split.by == "leave_one_out"
    assert not {"content_knn", "hybrid"} & set(recipe.train.models)


REVIEWS = "text,sentiment\n" + "".join(
    f"{'good' if n % 2 else 'bad'} thing {n},{'pos' if n % 2 else 'neg'}\n" for n in range(60)
)
RATED = "asin,reviewText,overall\n" + "".join(
    f"i{n % 7},thing {n},{n % 5 + 1}\n" for n in range(60)
)


@pytest.mark.parametrize(("content", "by_class"), [(REVIEWS, "label"), (RATED, "rating")])
def test_reviews_with_a_class_are_enough_for_a_run(tmp_path, content, by_class):
    (tmp_path / "told.csv").write_text(content)
    starter = starter_recipe([str(tmp_path / "told.csv")], tmp_path)
    assert starter.command == "run"
    assert f"The class is the {by_class} of a review" in starter.text
    recipe = recipe_of(starter, tmp_path)
    assert recipe.train.tasks == ("content",)
    assert recipe.split.by == "review"
    assert recipe.privacy.mode == "deidentify"
    check_recipe(recipe, "report")


def test_reviews_without_a_class_go_no_further_than_clean(tmp_path):
    (tmp_path / "told.csv").write_text("asin,reviewText\n" + "a,nice thing\nb,bad thing\n" * 9)
    starter = starter_recipe([str(tmp_path / "told.csv")], tmp_path)
    assert starter.command == "clean"
    assert "reviews with a label or a rating" in starter.notes[-1]


def test_three_files_of_a_search_are_enough_for_a_run(tmp_path):
    (tmp_path / "goods.csv").write_text(ITEMS)
    asked = "".join(f"q{n},word {n}\n" for n in range(6))
    (tmp_path / "asked.csv").write_text("query_id,text\n" + asked)
    graded = "".join(f"q{n % 6},i{n % 5},{n % 3}\n" for n in range(30))
    (tmp_path / "judged.csv").write_text("query_id,item_id,grade\n" + graded)
    names = ("goods.csv", "asked.csv", "judged.csv")
    starter = starter_recipe([str(tmp_path / name) for name in names], tmp_path)
    assert starter.command == "run"
    recipe = recipe_of(starter, tmp_path)
    assert recipe.train.tasks == ("search",)
    assert set(recipe.shop.sources()) == {"items", "queries", "judgments"}
    check_recipe(recipe, "report")
