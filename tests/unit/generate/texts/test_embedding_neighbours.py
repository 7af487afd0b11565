"""Neighbours of words: planted contexts make them, categories and parts of speech bound them."""

import json
import sys
from types import SimpleNamespace
from typing import Any

import numpy as np
import polars as pl
import pytest

from fakes.lexicons import small_wordnet
from fakes.tiny_bert import save_tiny_bert
from shopsynth.generate.texts import augment_text, make_edit
from shopsynth.generate.texts._word_vectors import model_vectors, shop_vectors
from shopsynth.schema import MissingExtraError, SourceError

NOUNS = ("kettle", "teapot", "hammer", "wrench")
FRAMES = {
    "kettle": ("brew fresh {} daily", "pour from {} slowly", "boil inside {} quickly"),
    "hammer": ("strike with {} hard", "swing the heavy {} down", "drop that {} nearby"),
}
FRAMES |= {"teapot": FRAMES["kettle"], "wrench": FRAMES["hammer"]}
TEXTS = pl.Series([frame.format(noun) for noun in NOUNS for frame in FRAMES[noun] * 3])
LOOSE = {"least_count": 2, "wordnet": False, "share": 1.0}


def words_of(texts, options, category=None, **more):
    edit: Any = make_edit("embedding_neighbours", LOOSE | options)
    made = augment_text(texts, {"embedding_neighbours": edit}, seed=1, category=category, **more)
    near = {
        word: {edit.words_[way] for way in ways if way >= 0}
        for word, ways in zip(edit.words_, edit.neighbours_, strict=True)
    }
    return near, made.variants


def test_words_in_the_same_contexts_are_neighbours():
    near, variants = words_of(TEXTS, {"least_similarity": 0.7})
    assert near["kettle"] == {"teapot"}
    assert near["wrench"] == {"hammer"}
    assert "brew fresh teapot daily" in variants.filter(row=0)["text"].to_list()


def test_chinese_words_are_found_and_have_neighbours():
    frames = ("我想买{}送给妈妈", "这款{}质量很好", "哪里的{}最便宜呢")
    texts = pl.Series([frame.format(noun) for noun in ("跑步鞋", "登山靴") for frame in frames * 4])
    near, variants = words_of(texts, {"least_similarity": 0.5})
    assert near["跑步鞋"] == {"登山靴"}
    assert variants["text"].str.contains("跑步鞋|登山靴").any()


def test_a_neighbour_must_occur_in_the_category():
    category = pl.Series(["one" if "kettle" in text else "other" for text in TEXTS])
    _, variants = words_of(TEXTS, {"least_similarity": 0.7}, category)
    assert not variants["text"].str.contains("kettle|teapot").any()
    assert variants["text"].str.contains("hammer").any()


def test_a_protected_word_neither_goes_nor_comes():
    near, variants = words_of(TEXTS, {"least_similarity": 0.7}, phrases=("kettle",))
    assert "kettle" not in near
    assert not variants["text"].str.contains("kettle").any()


def test_the_part_of_speech_and_the_number_must_be_the_same(tmp_path):
    frames = ("brew fresh {} daily", "pour from {} slowly", "boil inside {} quickly")
    texts = pl.Series(
        [f.format(w) for w in ("bottle", "shoe", "shoes", "soft") for f in frames * 3]
    )
    near, _ = words_of(texts, {"least_similarity": 0.7})
    assert near["bottle"] == {"shoe", "shoes", "soft"}
    assert near["shoe"] == {"bottle", "soft"}
    near, _ = words_of(texts, {"least_similarity": 0.7, "wordnet": str(small_wordnet(tmp_path))})
    assert near["bottle"] == {"shoe"}
    assert near["soft"] == near["shoes"] == set()


def test_scripts_do_not_mix(monkeypatch):
    monkeypatch.setattr("shopsynth.generate.texts._wordnet._PLACES", ())
    frames = ("brew fresh {} daily", "pour from {} slowly", "boil inside {} quickly")
    words = ("kettle", "чайник", "самовар", "théière")
    texts = pl.Series([frame.format(word) for word in words for frame in frames * 3])
    near, _ = words_of(texts, {"least_similarity": 0.7, "wordnet": True})
    assert near["kettle"] == {"théière"}
    assert near["чайник"] == {"самовар"}


def test_wordnet_that_is_named_must_be_there(tmp_path):
    with pytest.raises(SourceError, match=r"index\.noun"):
        make_edit("embedding_neighbours", {"wordnet": str(tmp_path)})


def test_texts_without_words_alter_nothing():
    for texts in (pl.Series([""]), pl.Series(["12 34", "a b"]), pl.Series([], dtype=pl.String)):
        assert words_of(texts, {})[1].is_empty()


def test_a_text_among_texts_of_many_blocks_has_the_same_neighbours(monkeypatch):
    near, _ = words_of(TEXTS, {"least_similarity": 0.7})
    monkeypatch.setattr("shopsynth.generate.texts.augment._BLOCK", 200)
    again, variants = words_of(TEXTS, {"least_similarity": 0.7})
    assert again == near
    assert variants["row"].is_sorted()


class TestVectors:
    def test_words_that_stand_alone_have_none(self):
        vectors = shop_vectors(np.array([0, 1, 2]), np.array([0, 0, 1]), 3, 1)
        assert np.linalg.norm(vectors, axis=1).round(3).tolist() == [1, 1, 0]

    def test_an_encoder_gives_the_mean_of_a_words_pieces(self, tmp_path):
        save_tiny_bert(tmp_path / "bert", ["red", "cup", "lamp"])
        one, both, none = model_vectors(["red", "red cup", ""], str(tmp_path / "bert"))
        cup = model_vectors(["cup"], str(tmp_path / "bert"))[0]
        assert np.linalg.norm(one) == pytest.approx(1)
        assert both @ one > 0.3 < both @ cup
        assert not none.any()
        near, _ = words_of(TEXTS, {"model": str(tmp_path / "bert"), "least_similarity": 0.01})
        assert set(near) >= set(NOUNS)

    @pytest.mark.parametrize("model", ["nowhere", "no/such-model"])
    def test_a_folder_that_is_none_is_told(self, model):
        with pytest.raises(SourceError, match="minilm, e5-small, or shop"):
            model_vectors(["red"], model)

    def test_a_tokenizer_of_another_model_is_told(self, tmp_path):
        save_tiny_bert(tmp_path / "bert", ["red", "cup", "lamp"], words=5)
        with pytest.raises(SourceError, match="the tokenizer they were trained with"):
            model_vectors(["lamp"], str(tmp_path / "bert"))

    def test_model2vec_is_asked_for_its_own(self, tmp_path, monkeypatch):
        (tmp_path / "config.json").write_text(json.dumps({"model_type": "model2vec"}))
        monkeypatch.setitem(sys.modules, "model2vec", None)
        with pytest.raises(MissingExtraError, match="pip install model2vec"):
            model_vectors(["red"], str(tmp_path))

        class StaticModel:
            @staticmethod
            def from_pretrained(place):
                assert place == str(tmp_path)
                return SimpleNamespace(encode=lambda words: [[3.0, 4.0]] * len(words))

        monkeypatch.setitem(sys.modules, "model2vec", SimpleNamespace(StaticModel=StaticModel))
        assert model_vectors(["red"], str(tmp_path))[0] == pytest.approx([0.6, 0.8])

    def test_without_transformers_the_extra_is_named(self, tmp_path, monkeypatch):
        save_tiny_bert(tmp_path / "bert", ["red"])
        monkeypatch.setitem(sys.modules, "transformers", None)
        with pytest.raises(MissingExtraError, match=r"shopsynth\[text\]"):
            model_vectors(["red"], str(tmp_path / "bert"))
