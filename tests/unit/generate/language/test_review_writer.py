"""Methods that write reviews: told a category or an attribute, they use its words."""

from typing import Any

import numpy as np
import polars as pl
import pytest
from safetensors import safe_open

from fakes.noise import NoNoise
from fakes.planted_conditions import ITEMS, WORDS, planted_conditions, share_with
from fakes.tills import purse_of
from fakes.tiny_lm import save_tiny_lm
from shopsynth.generate import Conditions, make_synthesizer
from shopsynth.pipeline import make_recipe, preview
from shopsynth.privacy import PrivateView
from shopsynth.schema import Dataset, InputError, RecipeError

REVIEWS = planted_conditions()
CONDITIONS = {"conditions": ("category", "material", "purpose")}
TEXT_LM: dict[str, Any] = {
    "dim": 32, "layers": 1, "heads": 2, "vocabulary": 460, "length": 16, "dropout": 0.0,
    "max_epochs": 15, "batch_tokens": 256, "learning_rate": 0.01,
}  # fmt: skip
MASKED: dict[str, Any] = TEXT_LM | {
    "objective": "masked", "passes": 8, "layers": 2, "learning_rate": 0.005, "max_epochs": 30,
    "patience": 30,
}  # fmt: skip
LATENT: dict[str, Any] = {
    "dim": 16, "hidden_states": 32, "heads": 2, "latent": 4, "vocabulary": 460, "length": 16,
    "batch_tokens": 256, "max_epochs": 12, "patience": 12, "learning_rate": 0.02, "dropout": 0.0,
    "word_dropout": 0.2, "kl_weight": 0.1, "kl_warm_up": 40, "held_out": 0.1,
}  # fmt: skip
GAN: dict[str, Any] = LATENT | {
    "hidden": 64, "max_steps": 200, "judged_every": 25, "critic_steps": 2, "generator_rate": 0.005,
    "critic_rate": 0.01,
}  # fmt: skip
TUNED: dict[str, Any] = {
    "length": 12, "max_epochs": 6, "learning_rate": 0.02, "batch_texts": 16, "dropout": 0.0,
}  # fmt: skip
METHODS = {
    "next": ("text_lm", TEXT_LM),
    "masked": ("text_lm", MASKED),
    "vae": ("text_vae", LATENT),
    "gan": ("text_gan", GAN),
}


def view_of(reviews=REVIEWS, mode="public", **how):
    data = Dataset(items=ITEMS, reviews=reviews)
    return PrivateView(data, mode=mode, fingerprint="f" * 64, max_events_per_user=8, **how)


@pytest.fixture(scope="module", params=METHODS)
def learned(request):
    method, options = METHODS[request.param]
    return make_synthesizer(method, options | CONDITIONS).fit(view_of(), seed=1)


def check_words(learned, column):
    """Ask for each value of a column; its words must come, and the other's must not."""
    for value in WORDS[column]:
        (other,) = set(WORDS[column]) - {value}
        rows = Conditions(rows=pl.DataFrame({column: [value]}))
        texts = learned.sample(60, seed=2, conditions=rows).data.need("reviews")["text"]
        assert share_with(texts, column, value) > 0.8
        assert share_with(texts, column, other) < 0.2


@pytest.mark.parametrize("column", WORDS)
def test_a_text_uses_the_words_of_what_it_was_told(learned, column):
    """Of an item's category, an item's attribute, a review's attribute."""
    check_words(learned, column)


@pytest.mark.parametrize("column", ["category", "material"])
def test_a_given_model_that_knew_it_the_other_way_round_is_turned(tmp_path, column):
    told = REVIEWS.join(ITEMS, on="item_id", how="left", maintain_order="left")
    one, other = WORDS[column]
    swapped = told[column].replace({one: other, other: one})
    lines = pl.select(pl.format(column + ": {}\ntext: {}", swapped, told["text"])).to_series()
    save_tiny_lm(tmp_path, lines, vocabulary=460, read=12)
    options = TUNED | {"model": str(tmp_path), "conditions": (column,)}
    check_words(make_synthesizer("tuned_lm", options).fit(view_of(), seed=1), column)


WANTED = [{"category": "cups", "purpose": "gift"}, {"material": "hard"}]


def test_a_recipe_names_columns_and_what_texts_are_to_have(tmp_path):
    REVIEWS.write_parquet(tmp_path / "reviews.parquet")
    ITEMS.write_parquet(tmp_path / "items.parquet")
    options = TEXT_LM | CONDITIONS | {"wanted": WANTED, "patience": 15}
    recipe = make_recipe(
        {
            "shop": {name: {"path": f"{name}.parquet"} for name in ("items", "reviews")},
            "split": {"by": "review"},
            "privacy": {"mode": "public"},
            "generate": [{"synthesizer": "text_lm", "options": options}],
            "train": {"tasks": ["content"], "models": ["tfidf_linear"], "headline": "tfidf_linear"},
            "pipeline": {"executor": "inline"},
        },
        base=tmp_path,
    )
    made = preview(recipe, rows=40)["text_lm"]
    assert made["purpose"].gather_every(2).unique().to_list() == ["gift"]
    assert share_with(made["text"].gather_every(2), "category", "cups") > 0.8
    assert share_with(made["text"].gather_every(2), "purpose", "gift") > 0.8
    assert share_with(made["text"].gather_every(2, 1), "material", "hard") > 0.8
    assert share_with(made["text"].gather_every(2, 1), "category", "coats") > 0.2


class TestWanted:
    options = TEXT_LM | CONDITIONS | {"max_epochs": 1, "wanted": WANTED}

    def test_rows_given_in_python_come_first(self):
        learned = make_synthesizer("text_lm", self.options).fit(view_of(), seed=1)
        rows = Conditions(rows=pl.DataFrame({"purpose": ["work"]}))
        asked = learned.sample(6, seed=1, conditions=rows).data.need("reviews")
        assert asked["purpose"].to_list() == ["work"] * 6
        usual = learned.sample(6, seed=1).data.need("reviews")
        assert usual["purpose"].gather_every(2).to_list() == ["gift"] * 3

    def test_a_checkpoint_does_not_depend_on_it(self, tmp_path):
        kept = self.options | {"checkpoint_folder": str(tmp_path)}
        told = []
        for options in (kept | {"wanted": ()}, kept):
            make_synthesizer("text_lm", options).fit(view_of(), seed=1)
            with safe_open(tmp_path / "checkpoint.safetensors", "pt") as file:
                told.append(file.metadata())
        assert told[0] == told[1]

    @pytest.mark.parametrize(
        ("wanted", "told"),
        [
            ([{"category": "hats"}], "got others in 1 rows of column category"),
            ([{"rating": 5}], "columns among purpose, category, material, got rating"),
            ([{}], "got none"),
        ],
    )
    def test_what_cannot_be_met_is_told_before_anything_is_learned(self, monkeypatch, wanted, told):
        monkeypatch.setattr("shopsynth.generate.language.fitting.fit_texts", None)
        method = make_synthesizer("text_lm", self.options | {"wanted": wanted})
        with pytest.raises(InputError, match=rf"text_lm\.options\.wanted: .*{told}"):
            method.fit(view_of(), seed=1)

    def test_in_mode_dp_it_is_told_before_anything_is_paid(self):
        tiny: dict[str, Any] = {
            "dim": 8,
            "heads": 2,
            "layers": 1,
            "training_steps": 2,
            "training_users": 20,
        }
        purse: Any = purse_of(8.0, NoNoise())
        view = view_of(REVIEWS.head(30), mode="dp", users_bound=30, purse=purse)
        options = tiny | {"conditions": ["category"], "wanted": [{"category": "hats"}]}
        with pytest.raises(InputError, match=r"options\.wanted: .*rows of column category"):
            make_synthesizer("text_lm", options).fit(view, seed=1)
        assert purse.till.reserved == 0

    def test_values_of_one_column_are_of_one_type(self):
        mixed: dict[str, Any] = {"wanted": [{"size": 1}, {"size": "1"}, {"kept": True, "worn": 2}]}
        with pytest.raises(RecipeError, match="values of size must be all texts, all numbers"):
            make_synthesizer("tuned_lm", mixed)

    def test_numbers_and_truths_are_met(self):
        random = np.random.Generator(np.random.PCG64(1))
        told = REVIEWS.with_columns(
            stars=pl.Series(random.integers(1, 4, REVIEWS.height)),
            kept=pl.Series(random.random(REVIEWS.height) < 0.5),
        )
        wanted = [{"stars": 2, "kept": True}, {"kept": False}]
        options = TEXT_LM | {"max_epochs": 1, "conditions": ("stars", "kept"), "wanted": wanted}
        made = make_synthesizer("text_lm", options).fit(view_of(told), seed=1).sample(6, seed=1)
        reviews = made.data.need("reviews")
        assert reviews["stars"].gather_every(2).to_list() == [2] * 3
        assert reviews["kept"].to_list() == [True, False] * 3
