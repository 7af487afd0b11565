"""tuned_lm: a given model learns a shop's texts by few weights, and tells what does not fit."""

import sys
from typing import Any

import polars as pl
import pytest
import torch

from fakes.planted_reviews import ITEMS, planted_reviews
from fakes.tiny_lm import save_tiny_lm
from shopsynth.generate import Conditions, make_synthesizer
from shopsynth.generate.language.controls import Controls
from shopsynth.generate.language.given_model import load_given
from shopsynth.generate.language.tuning import prompts_of
from shopsynth.privacy import PrivateView
from shopsynth.schema import Dataset, InputError, MissingExtraError, RecipeError, SourceError

SMALL: dict[str, Any] = {
    "length": 10,
    "max_epochs": 3,
    "learning_rate": 0.02,
    "batch_texts": 16,
    "dropout": 0.0,
}
REVIEWS = planted_reviews(80)


def view_of(reviews=REVIEWS):
    data = Dataset(items=ITEMS, reviews=reviews)
    return PrivateView(data, mode="public", fingerprint="f" * 64, max_events_per_user=8)


@pytest.fixture(scope="module")
def llama(tmp_path_factory):
    return save_tiny_lm(tmp_path_factory.mktemp("models") / "llama", REVIEWS["text"])


@pytest.fixture(scope="module")
def learned(llama):
    return make_synthesizer("tuned_lm", SMALL | {"model": str(llama)}).fit(view_of(), seed=1)


class TestTuning:
    def test_held_out_texts_surprise_less_than_before(self, learned):
        assert learned.loss_ < learned.loss_before_ - 0.05
        assert learned.steps_ == 3 * 5

    def test_only_the_adapters_have_changed(self, learned, llama):
        given, _ = load_given(str(llama))
        tuned = learned._model.network.get_base_model().state_dict()
        names = {name: name.replace(".weight", ".base_layer.weight") for name in given.state_dict()}
        for name, part in given.state_dict().items():
            there = tuned[names[name]] if names[name] in tuned else tuned[name]
            assert torch.equal(part, there), name
        trained = [n for n, p in learned._model.network.named_parameters() if p.requires_grad]
        assert trained
        assert all("lora_" in name for name in trained)

    def test_reviews_have_what_was_asked_for_and_copy_nothing(self, learned):
        rows = pl.DataFrame({"rating": [1.0, 5.0]})
        reviews = learned.sample(20, seed=1, conditions=Conditions(rows=rows)).data.need("reviews")
        assert reviews["rating"].to_list() == [1.0, 5.0] * 10
        assert reviews["item_id"].is_in(ITEMS["item_id"].implode()).all()
        assert not set(reviews["text"]) & set(REVIEWS["text"])
        assert reviews["text"].str.len_chars().min() >= 1
        again = learned.sample(20, seed=1, conditions=Conditions(rows=rows)).data.need("reviews")
        assert again.equals(reviews)
        assert not learned.sample(20, seed=2).data.need("reviews")["text"].equals(reviews["text"])

    @pytest.mark.parametrize(("kind", "adapter"), [("gpt2", "lora"), ("llama", "adalora")])
    def test_other_networks_and_adapters(self, tmp_path, kind, adapter):
        folder = save_tiny_lm(tmp_path, REVIEWS["text"], kind=kind)
        options = SMALL | {"model": str(folder), "adapter": adapter, "rank": 2}
        learned: Any = make_synthesizer("tuned_lm", options).fit(view_of(), seed=1)
        assert learned.loss_ < learned.loss_before_
        assert learned.sample(3, seed=1).data.need("reviews").height == 3

    def test_training_ends_when_held_out_texts_surprise_more(self, llama):
        options = SMALL | {"model": str(llama), "learning_rate": 5.0, "max_epochs": 9}
        learned: Any = make_synthesizer("tuned_lm", options).fit(view_of(), seed=1)
        assert learned.steps_ < 9 * 5

    def test_a_loss_that_is_no_number_is_told(self, llama):
        options = SMALL | {"model": str(llama), "learning_rate": 1e38}
        with pytest.raises(InputError, match=r"expected a finite loss.*lower learning_rate"):
            make_synthesizer("tuned_lm", options).fit(view_of(), seed=1)


def test_prompts_tell_what_is_known_in_lines(llama):
    _, tokenizer = load_given(str(llama))
    about = pl.DataFrame(
        {"rating": [5.0, 1.5, None] * 3, "kind": ["cups", None, "pots"] * 3, "kept": [True] * 9}
    )
    controls = Controls.fit(about)
    prompts = prompts_of(tokenizer, controls, controls.levels(about.head(3), 3))
    assert {prompt[0] for prompt in prompts} == {tokenizer.bos_token_id}
    assert tokenizer.batch_decode([prompt[1:] for prompt in prompts]) == [
        "rating: 5\nkind: cups\nkept: 1\ntext:",
        "rating: 1.5\nkept: 1\ntext:",
        "kind: pots\nkept: 1\ntext:",
    ]


class TestWhatDoesNotFit:
    def fit(self, model):
        make_synthesizer("tuned_lm", SMALL | {"model": str(model)}).fit(view_of(), seed=1)

    def test_no_model(self):
        with pytest.raises(RecipeError, match=r"options\.model: expected the folder.*text_lm"):
            self.fit("")

    def test_a_tokenizer_of_another_model(self, tmp_path):
        save_tiny_lm(tmp_path, REVIEWS["text"], rows=100)
        with pytest.raises(SourceError, match=r"at most 100 pieces, as the weights have, got 3"):
            self.fit(tmp_path)

    def test_a_tokenizer_without_an_end(self, tmp_path):
        save_tiny_lm(tmp_path, REVIEWS["text"], end=False)
        with pytest.raises(SourceError, match="a token that ends texts"):
            self.fit(tmp_path)

    def test_a_name_on_a_hub_without_a_network(self, monkeypatch):
        monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
        told = r"loading failed \(.*Without a network give the path.*text_lm.*smollm2"
        with pytest.raises(SourceError, match=told):
            self.fit("nobody/no-such-model-of-ours")

    def test_a_folder_without_a_model(self, tmp_path):
        with pytest.raises(SourceError, match="loading failed"):
            self.fit(tmp_path)

    def test_a_model_that_reads_too_little(self, llama):
        told = REVIEWS.with_columns(kind=pl.lit("a very long value indeed, " * 12))
        options = SMALL | {"model": str(llama), "conditions": ["kind"]}
        with pytest.raises(SourceError, match="one that reads at least"):
            make_synthesizer("tuned_lm", options).fit(view_of(told), seed=1)

    def test_a_missing_library(self, monkeypatch, llama):
        monkeypatch.setitem(sys.modules, "peft", None)
        with pytest.raises(
            MissingExtraError, match=r"transformers and peft.*shopsynth\[text,torch"
        ):
            self.fit(llama)
