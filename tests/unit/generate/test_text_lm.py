"""text_lm: learns a planted language, keeps to what it is asked for, gives no real text back."""

import importlib.util
import json
from typing import Any

import numpy as np
import polars as pl
import pytest
import torch

from fakes.planted_reviews import BAD, COLOURS, GOOD, ITEMS, KINDS, PLACES, THINGS, planted_reviews
from shopsynth.generate import Conditions, make_synthesizer
from shopsynth.generate.language.decoding import Taste
from shopsynth.generate.language.drawing import TRIES
from shopsynth.generate.language.fitting import fit_texts
from shopsynth.generate.language.options import TextLmOptions
from shopsynth.privacy import PrivateView
from shopsynth.schema import (
    SILENT,
    Dataset,
    EmptyDataError,
    InputError,
    MissingExtraError,
    RecipeError,
    SourceError,
)

SMALL: dict[str, Any] = {
    "dim": 32, "layers": 1, "heads": 2, "vocabulary": 330, "length": 12, "dropout": 0.0,
    "max_epochs": 25, "batch_tokens": 256, "learning_rate": 0.01,
}  # fmt: skip
QUICK = SMALL | {"max_epochs": 2}


def view_of(reviews, items=ITEMS):
    data = Dataset(items=items, reviews=reviews)
    return PrivateView(data, mode="public", fingerprint="f" * 64, max_events_per_user=8)


@pytest.fixture(scope="module")
def real():
    return planted_reviews()


@pytest.fixture(scope="module")
def learned(real):
    return make_synthesizer("text_lm", SMALL).fit(view_of(real), seed=1)


def share(found: pl.Series) -> float:
    return float(found.sum()) / found.len()


def known_words(texts):
    words = {*GOOD, *BAD, *COLOURS, *THINGS, *PLACES}
    return texts.str.split(" ").list.eval(pl.element().is_in(list(words))).list.all().mean()


class TestNext:
    def test_made_texts_are_new_sentences_of_the_language(self, learned, real):
        reviews = learned.sample(200, seed=1).data.need("reviews")
        assert known_words(reviews["text"]) > 0.8
        assert reviews["text"].str.split(" ").list.len().median() == 4
        assert not set(reviews["text"]) & set(real["text"])
        assert learned.drawn_.n_copies > 0
        assert learned.steps_ > 100
        assert learned.loss_ < 2.5

    def test_a_text_keeps_to_the_wanted_rating(self, learned):
        rows = pl.DataFrame({"rating": [1.0, 5.0]})
        made = learned.sample(200, seed=1, conditions=Conditions(rows=rows)).data.need("reviews")
        assert made["rating"].to_list() == [1.0, 5.0] * 100
        first = made["text"].str.split(" ").list.first()
        assert share(first.gather_every(2, 1).is_in(GOOD)) > 0.85
        assert share(first.gather_every(2, 0).is_in(BAD)) > 0.85

    def test_items_have_the_category_that_the_text_was_told(self, learned):
        rows = pl.DataFrame({"category": ["pots"]})
        made = learned.sample(60, seed=1, conditions=Conditions(rows=rows)).data.need("reviews")
        assert "category" not in made.columns
        kind_of = dict(ITEMS.select("item_id", "category").rows())
        assert {kind_of[item] for item in made["item_id"]} == {"pots"}
        things = made["text"].str.split(" ").list.get(2, null_on_oob=True).drop_nulls()
        assert share(pl.Series([KINDS.get(thing) == "pots" for thing in things])) > 0.8

    def test_what_is_likely_surprises_less(self, learned):
        model = learned._model
        about = pl.DataFrame({"rating": [5.0] * 3, "category": ["cups"] * 3})
        texts = pl.Series(["good red cup now", "bad red cup now", "now cup red good"])
        usual, opposite, shuffled = model.surprise(texts, about)
        assert usual < opposite
        assert usual < shuffled
        assert model.surprise(texts.head(0), about.head(0)).size == 0


class TestMasked:
    def test_it_uncovers_texts_of_the_language(self, real):
        options = SMALL | {
            "objective": "masked", "passes": 12, "layers": 2, "learning_rate": 0.005,
            "max_epochs": 60, "patience": 60,
        }  # fmt: skip
        learned: Any = make_synthesizer("text_lm", options).fit(view_of(real), seed=1)
        rows = pl.DataFrame({"rating": [1.0, 5.0]})
        made = learned.sample(100, seed=1, conditions=Conditions(rows=rows)).data.need("reviews")
        first = made["text"].str.strip_chars().str.split(" ").list.first()
        assert share(first.gather_every(2, 1).is_in(GOOD)) > 0.6
        assert share(first.gather_every(2, 1).is_in(BAD)) < 0.1
        assert share(first.gather_every(2, 0).is_in(BAD)) > 0.5
        assert not set(made["text"]) & set(real["text"])
        with pytest.raises(InputError, match="objective next to tell likelihoods, got masked"):
            learned._model.surprise(made["text"], made)


class TestCopies:
    def test_texts_that_only_copy_are_left_out_and_told(self):
        """Four texts known by heart: what else comes is noise of the last, hot draws."""
        texts = ["one two three", "four five six"] * 30
        model = fit_texts(
            pl.Series(texts),
            pl.DataFrame(),
            TextLmOptions.model_validate(SMALL),
            seed=1,
            progress=SILENT,
        )
        drawn = model.draw(
            np.zeros((50, 0), dtype=np.int64),
            Taste(0.05, 0.5),
            passes=1,
            random=np.random.Generator(np.random.PCG64(1)),
            progress=SILENT,
        )
        assert drawn.rows.columns == ["text"]
        assert drawn.n_left_out + drawn.rows.height == 50
        assert drawn.n_copies + drawn.n_blank >= drawn.n_left_out * TRIES
        assert drawn.n_left_out > 25
        assert not set(drawn.rows["text"]) & set(texts)

    def test_nothing_but_copies_is_an_error(self, monkeypatch, real):
        learned = make_synthesizer("text_lm", QUICK).fit(view_of(real), seed=1)
        monkeypatch.setattr(
            "shopsynth.generate.language.copies.Copies.among",
            lambda self, texts: torch.ones(texts.len(), dtype=torch.bool).numpy(),
        )
        with pytest.raises(InputError, match="texts that copy no real one, got none"):
            learned.sample(3, seed=1)


class TestReading:
    def test_columns_of_reviews_and_items_can_be_conditions(self, real):
        told = real.with_columns(size=pl.Series(["S", "M", None] * 100), recommended=True)
        items = ITEMS.with_columns(price=pl.Series([1.0 * n for n in range(10)]))
        options = QUICK | {"conditions": ["size", "recommended", "price"]}
        made: Any = make_synthesizer("text_lm", options).fit(view_of(told, items), seed=1)
        reviews = made.sample(30, seed=2).data.need("reviews")
        assert set(reviews.columns) == {"review_id", "item_id", "text", "size", "recommended"}
        assert set(reviews["size"]) == {"S", "M", None}
        assert reviews["recommended"].all()

    def test_there_may_be_no_condition(self, real):
        made: Any = make_synthesizer("text_lm", QUICK | {"conditions": []}).fit(
            view_of(real), seed=1
        )
        reviews = made.sample(5, seed=2).data.need("reviews")
        assert reviews.columns == ["review_id", "item_id", "text"]
        with pytest.raises(InputError, match="columns among none, got rating"):
            made.sample(1, seed=1, conditions=Conditions(rows=pl.DataFrame({"rating": [1.0]})))

    def test_a_shop_of_one_review_is_enough(self):
        one = planted_reviews(1).drop("user_id", "rating")
        made: Any = make_synthesizer("text_lm", QUICK).fit(view_of(one), seed=1)
        assert made.sample(3, seed=1).data.need("reviews").height <= 3

    def test_odd_texts_are_read(self):
        odd = ["", " ", "x" * 100_000, "红色😍", "<eos> <mask>\x00", "שלום"]
        reviews = planted_reviews(60)
        reviews = reviews.with_columns(text=pl.Series(odd * 10), locale=pl.lit("xx"))
        made: Any = make_synthesizer("text_lm", QUICK).fit(view_of(reviews), seed=1)
        told = made.sample(5, seed=1).data.need("reviews")
        assert set(told["locale"]) == {"xx"}

    @pytest.mark.parametrize(
        ("conditions", "told"),
        [
            (["colour"], "got colour"),
            (["text"], "got text"),
            (["when"], "got when"),
            (["rating", "rating"], "got one twice"),
        ],
    )
    def test_what_cannot_be_a_condition_is_refused(self, real, conditions, told):
        dated = real.with_columns(when=pl.datetime(2024, 1, 1))
        method = make_synthesizer("text_lm", QUICK | {"conditions": conditions})
        with pytest.raises(RecipeError, match=rf"options\.conditions: expected columns.*{told}"):
            method.fit(view_of(dated), seed=1)

    def test_a_shop_without_texts_is_refused(self, real):
        bare = PrivateView(
            Dataset(items=ITEMS), mode="public", fingerprint="f" * 64, max_events_per_user=8
        )
        for view in (bare, view_of(real.with_columns(text=pl.lit("  ")))):
            with pytest.raises(EmptyDataError, match=r"reviews with texts.*shop\.reviews"):
                make_synthesizer("text_lm", QUICK).fit(view, seed=1)
        with pytest.raises(EmptyDataError, match="texts to learn from"):
            fit_texts(
                pl.Series([None, " "], dtype=pl.String),
                pl.DataFrame({"rating": [1, 2]}),
                TextLmOptions(),
                seed=1,
                progress=SILENT,
            )

    def test_options_that_do_not_belong_are_refused(self, real):
        with pytest.raises(RecipeError, match="none of training_steps in privacy mode public"):
            make_synthesizer("text_lm", {"training_steps": 3}).fit(view_of(real), seed=1)
        with pytest.raises(RecipeError, match="heads must divide dim"):
            make_synthesizer("text_lm", {"dim": 30})
        with pytest.raises(RecipeError, match="masked needs layers of at least 2, got 1"):
            make_synthesizer("text_lm", {"objective": "masked", "layers": 1})

    def test_a_missing_library_is_told(self, monkeypatch, real):
        monkeypatch.setattr(
            "shopsynth.generate.language.review_writer.find_spec",
            lambda name: None if name == "tokenizers" else importlib.util.find_spec(name),
        )
        with pytest.raises(
            MissingExtraError, match=r"expected tokenizers.*shopsynth\[text,torch\]"
        ):
            make_synthesizer("text_lm", {}).fit(view_of(real), seed=1)


class StoppedError(Exception):
    """A kill."""


class StopAfter:
    """Progress that kills a fit."""

    def __init__(self, epochs):
        self.left = epochs

    def start(self, label, total):
        pass

    def advance(self, steps=1):
        self.left -= steps
        if self.left < 0:
            raise StoppedError


class TestCheckpoints:
    def test_a_killed_fit_goes_on_and_ends_the_same(self, tmp_path, real):
        options = QUICK | {
            "max_epochs": 4,
            "checkpoint_folder": str(tmp_path),
            "checkpoint_steps": 3,
        }
        with pytest.raises(StoppedError):
            make_synthesizer("text_lm", options).fit(view_of(real), seed=1, progress=StopAfter(1))
        assert (tmp_path / "checkpoint.safetensors").exists()
        resumed: Any = make_synthesizer("text_lm", options).fit(view_of(real), seed=1)
        whole: Any = make_synthesizer("text_lm", QUICK | {"max_epochs": 4}).fit(
            view_of(real), seed=1
        )
        assert resumed.steps_ == whole.steps_
        assert resumed.loss_ == whole.loss_
        ours, theirs = (made._model.network.state_dict() for made in (resumed, whole))
        assert all(torch.equal(ours[name], theirs[name]) for name in theirs)

    def test_a_damaged_checkpoint_is_told(self, tmp_path, real):
        (tmp_path / "checkpoint.safetensors").write_bytes(json.dumps({}).encode())
        options = QUICK | {"checkpoint_folder": str(tmp_path)}
        with pytest.raises(SourceError, match="expected a checkpoint of text_lm"):
            make_synthesizer("text_lm", options).fit(view_of(real), seed=1)
