"""Recipe: every fault at once, nearest names, overrides as TOML, a hash that means results."""

import pytest

from shopsynth.pipeline.checks import check_recipe
from shopsynth.pipeline.recipe import load_recipe, make_recipe
from shopsynth.pipeline.stages.methods import entries
from shopsynth.schema import PrivacyError, RecipeError

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


def test_a_value_without_a_default_is_asked_for(recipe_file):
    with pytest.raises(RecipeError, match=r"generate\.0\.synthesizer: expected a value, got none"):
        load_recipe(recipe_file, ("generate=[{size=1}]",))


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


@pytest.mark.parametrize(
    ("override", "words"),
    [
        ("generate=[]", "generate"),
        ('generate=[{synthesizer="markov", table="items"}]', "generate.0.table"),
        ("train.tasks=[]", "train.tasks"),
        ('train.models=["sasrec", "sasrec"]', "train.models: sasrec appears more than once"),
        ("evaluate.cutoffs=[]", "evaluate.cutoffs"),
        ("evaluate.cutoffs=[0]", "evaluate.cutoffs.0"),
        ("evaluate.cutoffs=[5, 5]", "evaluate.cutoffs: 5 appears more than once"),
        ('evaluate.controls=["combined"]', "evaluate.controls: combined appears more than once"),
        ("evaluate.fail_under=nan", "evaluate.fail_under"),
        ("combine.ratio=inf", "combine.ratio"),
        ("combine.ratio=0", "combine.ratio"),
        ("combine.doses=[]", "combine.doses"),
        ("combine.weights=[0]", "combine.weights.0"),
    ],
)
def test_what_would_fail_after_an_hour_fails_before_a_row_is_read(recipe_file, override, words):
    with pytest.raises(RecipeError, match=words):
        load_recipe(recipe_file, (override,))


@pytest.mark.parametrize(
    ("override", "until", "words"),
    [
        ('generate=[{synthesizer="noise"}]', "combine", "at least one other synthesizer"),
        ('split.by="query"', "split", r"expected a block \[shop.queries\]"),
    ],
)
def test_a_stage_that_cannot_work_is_refused_where_it_would_run(
    recipe_file, override, until, words
):
    recipe = load_recipe(recipe_file, (override,))
    check_recipe(recipe, "ingest")
    with pytest.raises(RecipeError, match=words):
        check_recipe(recipe, until)


def test_a_method_that_mode_dp_refuses_is_told_before_an_epsilon_is_asked_for(recipe_file):
    recipe = load_recipe(recipe_file, ('generate=[{synthesizer="title_queries"}]',))
    with pytest.raises(PrivacyError, match=r"title_queries cannot run in privacy mode dp"):
        check_recipe(recipe, "generate")


def test_a_method_thought_to_make_another_table_is_refused_before_its_work_is_lost(recipe_file):
    entry = '[{synthesizer="title_queries", table="events"}]'
    recipe = load_recipe(recipe_file, (f"generate={entry}",))
    with pytest.raises(RecipeError, match="got title_queries, which makes judgments"):
        check_recipe(recipe, "generate")


def test_a_task_that_no_method_makes_rows_for_is_refused_before_anything_is_mixed(recipe_file):
    search = ('train.tasks=["search"]', 'train.models=["bm25"]', 'train.headline="bm25"')
    recipe = load_recipe(recipe_file, search)
    with pytest.raises(RecipeError, match="makes judgments, which the task search learns from"):
        check_recipe(recipe, "combine")


def test_a_shop_without_events_cannot_be_split_by_time(tmp_path):
    recipe = make_recipe({"shop": {"items": {"path": "items.csv"}}}, base=tmp_path)
    with pytest.raises(RecipeError, match=r"expected a block \[shop.events\]"):
        check_recipe(recipe, "split")


def test_noise_for_many_large_methods_stays_a_size_that_a_recipe_may_have(recipe_file):
    large = '[{synthesizer="markov", size=99}, {synthesizer="substitute", size=99}]'
    assert [entry.size for entry in entries(load_recipe(recipe_file, (f"generate={large}",)))] == [
        99, 99, 100,
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("override", "words"),
    [
        ('prove.hypotheses=[{model="sasrek"}]', "0.model: 'sasrek' is not on the menu"),
        ('prove.hypotheses=[{model="bpr"}]', "0.model: 'bpr' is not on the menu"),
        ('train.models=["sasrec", "sasrec+sasrec"]', "expected different models joined by"),
        ('train.models=["sasrec", "sasrec+"]', "expected different models joined by"),
    ],
)
def test_a_claim_that_nothing_measures_and_half_a_fusion_are_refused(recipe_file, override, words):
    recipe = load_recipe(recipe_file, (override, 'privacy.mode="public"'))
    with pytest.raises(RecipeError) as caught:
        check_recipe(recipe, "report")
    assert words in str(caught.value)


@pytest.mark.parametrize("model", ["system", "sasrec", "hybrid"])
def test_a_claim_about_a_model_of_the_menu_is_fine(recipe_file, model):
    claim = f'prove.hypotheses=[{{model="{model}"}}]'
    check_recipe(load_recipe(recipe_file, (claim, 'privacy.mode="public"')), "report")
