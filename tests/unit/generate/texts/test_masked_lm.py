"""Words from a masked language model: what it is made to expect comes, and only where it may."""

import sys
from typing import Any

import numpy as np
import polars as pl
import pytest

from fakes.tiny_bert import save_tiny_masked_bert
from shopsynth.generate.texts import augment_text
from shopsynth.generate.texts._mask_filler import _allowed, _load, _whole_words
from shopsynth.schema import MissingExtraError, SourceError

pytest.importorskip("transformers")
KNOWN = ["small red cup for tea", "not large lamp", "12", "shop", "好", "茶", "杯", "大", "[MASK]"]


def planted(folder, **expected):
    """Save a model that expects these words, by how much, whatever stands around."""
    import torch
    from transformers import AutoTokenizer, BertForMaskedLM

    place = str(save_tiny_masked_bert(folder, KNOWN))
    network: Any = BertForMaskedLM.from_pretrained(place)
    tokenizer: Any = AutoTokenizer.from_pretrained(place)
    with torch.no_grad():
        for word, more in expected.items():
            network.cls.predictions.bias[tokenizer.convert_tokens_to_ids(word)] += more
    network.save_pretrained(place)
    return place


def made(edit, texts, model, **options):
    options = {"model": model, "top": 1, "share": 1.0} | options
    return augment_text(pl.Series(texts), {edit: options}, seed=1, phrases=["tea"]).variants


def test_what_the_model_expects_comes_with_the_capitals_of_what_goes(tmp_path):
    model = planted(tmp_path / "m", lamp=100.0, cup=50.0)
    texts = ["Red Cup For tea", "a lamp", "RED CUP", "tea 5"]
    variants = made("masked_lm", texts, model)
    assert variants.select("row", "text").rows() == [
        (0, "Lamp Lamp Lamp tea"), (1, "a cup"), (2, "LAMP LAMP"),
    ]  # fmt: skip


def test_what_would_be_protected_never_comes(tmp_path):
    model = planted(tmp_path / "m", **{"not": 200.0, "large": 150.0, "12": 120.0, "shop": 100.0})
    assert made("masked_lm", ["red cup"], model)["text"].to_list() == ["shop shop"]


def test_chinese_words_are_masked_whole(tmp_path):
    model = planted(tmp_path / "m", 好=100.0, 大=50.0, lamp=200.0)
    texts = [f"{before}茶杯{behind}" for before in "买看用" for behind in "吗吧呢"]
    others = ["".join(chr(0x5000 + 10 * row + n) for n in range(10)) for row in range(20)]
    assert "买好好吗" in made("masked_lm", texts + others, model)["text"].to_list()
    got = made("contextual_insert", ["茶杯", "red"], model)["text"].to_list()
    assert got == ["茶杯好好", "red lamp"]


def test_more_than_the_likeliest_is_drawn_by_chance(tmp_path):
    model = planted(tmp_path / "m", lamp=100.0, cup=100.0)
    variants = made("masked_lm", ["red"] * 60, model, top=5)["text"]
    counts = dict(variants.value_counts().rows())
    assert set(counts) == {"lamp", "cup"}
    assert min(counts.values()) > 10


def test_insert_puts_in_what_the_text_lacks(tmp_path):
    model = planted(tmp_path / "m", lamp=100.0, cup=50.0)
    variants = made("contextual_insert", ["red lamp, tea", "tea 5 cm"], model)
    assert variants.select("row", "text").rows() == [(0, "red cup lamp, cup tea")]


def test_a_text_that_holds_a_mask_or_is_long_is_filled_where_it_should(tmp_path):
    model = planted(tmp_path / "m", lamp=100.0)
    texts = ["[MASK] red", "\ufffc red", "red " + "tea " * 400 + "red"]
    rows = dict(made("masked_lm", texts, model).select("row", "text").iter_rows())
    assert rows[0].endswith(" lamp")
    assert rows[1] == "\ufffc lamp"
    assert rows[2] == "lamp " + "tea " * 400 + "red"


def test_small_batches_give_the_same_texts_in_order(tmp_path):
    model = planted(tmp_path / "m", lamp=100.0, cup=50.0)
    texts = ["red", "lamp lamp lamp", "shop of tea", "red red"] * 3
    whole = made("masked_lm", texts, model)
    assert made("masked_lm", texts, model, batch=2, threads=0).equals(whole)
    assert whole["row"].is_sorted()


def test_the_model_that_a_package_ships_is_the_default():
    pytest.importorskip("cognition")
    for edit in ("masked_lm", "contextual_insert"):
        variants = augment_text(pl.Series(["soft red cotton dress"]), [edit], seed=1).variants
        assert variants.height == 1


def test_models_that_are_none_are_told(tmp_path, monkeypatch):
    with pytest.raises(SourceError, match="splade-tiny"):
        made("masked_lm", ["red"], str(tmp_path))
    other = save_tiny_masked_bert(tmp_path / "few", KNOWN, words=5)
    with pytest.raises(SourceError, match="at most 5 words"):
        made("masked_lm", ["red"], str(other))
    monkeypatch.setitem(sys.modules, "transformers", None)
    _load.cache_clear()
    with pytest.raises(MissingExtraError, match="take contextual_insert off"):
        made("contextual_insert", ["red"], str(tmp_path / "nothing"))


@pytest.mark.parametrize(
    ("tokens", "whole"),
    [
        (["\u0120red", "cup", "\u0120ä½ł", "\u0120Lamp", "<s>"], ["red", "", "", "lamp", ""]),
        (["\u2581red", "cup", "\u2581茶", "\u25812", "<s>"], ["red", "", "茶", "", ""]),
        (["red", "##cup", "茶", "[MASK]", "<s>"], ["red", "", "茶", "", ""]),
    ],
)
def test_whole_words_of_every_kind_of_vocabulary_are_known(tokens, whole):
    class Tokenizer(list):
        all_special_tokens = ("<s>",)

        def convert_ids_to_tokens(self, ids):
            return [self[n] for n in ids]

    tokenizer = Tokenizer(tokens)
    assert _whole_words(tokenizer) == whole
    letters, chinese = _allowed(whole)
    assert [whole[n] for n in letters] == [word for word in whole if word.isascii() and word]
    assert np.all([whole[n] == "茶" for n in chinese])
