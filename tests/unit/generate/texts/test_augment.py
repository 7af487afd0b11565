"""The front door: what it refuses, what it protects, what the label filter takes out."""

import json
import sys
from importlib.metadata import PackageNotFoundError
from types import SimpleNamespace
from typing import Any

import numpy as np
import polars as pl
import pytest

from fakes.lexicons import small_cilin, small_wordnet
from shopsynth.generate.texts import (
    EmbeddingScorer,
    LabelFilter,
    _cilin,
    augment_text,
    sentence_encoder,
)
from shopsynth.generate.texts._sizes import rewritten
from shopsynth.schema import InputError, MissingExtraError, SourceError, UnknownNameError

TITLES = pl.Series(["soft large red shoe for Acme Runner 12", "black paint bottle, matte, cheap"])


def made(edit, texts=TITLES, **more):
    given: dict[str, Any] = {"seed": 1} | more
    return augment_text(texts, {edit: given.pop("options", {})}, **given).variants


def test_the_record_and_phrases_are_protected():
    record = pl.DataFrame({"brand": ["acme runner", None], "colour": ["RED", "black"], "n": [1, 2]})
    texts = made("delete", record=record, copies=30, options={"share": 0.9})
    first = texts.filter(row=0)["text"]
    assert first.str.contains("red").all()
    assert first.str.contains("Acme Runner 12", literal=True).all()
    assert not first.str.contains("soft").all()
    assert texts.filter(row=1)["text"].str.contains("black").all()


def test_copies_are_never_the_same_variant_twice():
    variants = made("swap", copies=50)
    assert variants.select("row", "text").is_unique().all()
    assert variants["copy"].n_unique() > 1


def test_what_cannot_be_used_is_refused():
    with pytest.raises(InputError, match="type String, got Int64"):
        made("swap", texts=pl.Series([1]))
    with pytest.raises(InputError, match="copies of at least 1"):
        made("swap", copies=0)
    with pytest.raises(InputError, match="a category for each of 2 texts, got 1"):
        made("insert", category=pl.Series(["a"]))
    with pytest.raises(InputError, match="a record of 2 rows"):
        made("swap", record=pl.DataFrame({"brand": ["a"]}))
    with pytest.raises(UnknownNameError, match="swap"):
        made("swop")


def test_insert_takes_words_of_the_same_category_only():
    texts = pl.Series(
        ["green tea leaves", "green tea bags", "green shoe laces", "green shoe soles"]
    )
    category = pl.Series(["tea", "tea", "shoe", "shoe"])
    words = set(" ".join(made("insert", texts=texts, category=category, copies=40)
                         .filter(pl.col("row") < 2)["text"]).split())  # fmt: skip
    assert words == {"green", "tea", "leaves", "bags"}


@pytest.mark.parametrize(
    ("size", "ways"),
    [
        ("1L", ("1000ml",)), ("1.5kg", ("1500g",)), ("750 ML", ("0.75 L",)), ("5g", ()), ("5G", ()),
        ("10 x 20 cm", ()), ("3m", ()), ("2 in 1", ()), ('15.6"', ("15.6 inch", "15.6-inch")),
        ("5 g/L", ()), ("1-2 kg", ()), ("4-g", ()), ("33 cl", ("330 ml", "0.33 L")),
        ("2公斤", ("2000克", "2千克")), ("150 mm", ("15 cm",)), ("model", ()),
    ],
)  # fmt: skip
def test_sizes_are_rewritten_where_that_is_exact(size, ways):
    assert rewritten(size) == ways


class TestSynonyms:
    def test_words_get_the_form_of_the_one_they_stand_for(self, tmp_path):
        options = {"wordnet": str(small_wordnet(tmp_path)), "share": 1.0}
        texts = pl.Series(["Soft shoes", "LARGE BOXES", "red bottle", "new Drill"])
        variants = made("synonyms", texts=texts, options=options)["text"].to_list()
        assert variants == ["Gentle footgears", "LARGE CASE KNIFES", "red flask", "fresh Borer"]

    def test_parts_of_speech_can_be_chosen(self, tmp_path):
        options = {"wordnet": str(small_wordnet(tmp_path)), "parts_of_speech": ["adj"], "share": 1}
        assert made("synonyms", texts=pl.Series(["soft shoe"]), options=options)[
            "text"
        ].to_list() == ["gentle shoe"]

    def test_chinese_words_are_found_from_left_to_right(self, tmp_path):
        options = {"wordnet": False, "cilin": str(small_cilin(tmp_path)), "share": 1.0}
        texts = pl.Series(["红色便携办公用品 男士"])
        assert made("synonyms", texts=texts, options=options)["text"].item() == "赤色轻便文具 男士"

    def test_no_lexicon_at_all_alters_nothing(self):
        assert made("synonyms", options={"wordnet": False}).height == 0

    def test_a_folder_without_wordnet_is_told(self, tmp_path):
        with pytest.raises(SourceError, match=r"index\.noun"):
            made("synonyms", options={"wordnet": str(tmp_path)})
        for name in ("index.noun", "data.noun"):
            (tmp_path / name).write_text("of another form\n")
        with pytest.raises(SourceError, match="WordNet 3"):
            made("synonyms", options={"wordnet": str(tmp_path)})

    def test_a_cilin_that_is_none_is_told(self, tmp_path):
        path = tmp_path / "cilin.json"
        path.write_text(json.dumps([1]))
        with pytest.raises(SourceError, match="cilin_tree"):
            made("synonyms", texts=pl.Series(["红色"]),
                 options={"wordnet": False, "cilin": str(path)})  # fmt: skip


@pytest.mark.parametrize(("edit", "library"), [("pinyin", "pypinyin"), ("script", "opencc")])
def test_a_missing_library_is_named_with_its_extra(edit, library, monkeypatch):
    monkeypatch.setitem(sys.modules, library, None)
    if edit == "script":
        from shopsynth.generate.texts import script

        script._converter.cache_clear()
    with pytest.raises(MissingExtraError, match=rf"{library}.*shopsynth\[text\]"):
        made(edit)


def test_a_missing_sentence_model_is_named_with_its_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "sentence_transformers", None)
    with pytest.raises(MissingExtraError, match=r"shopsynth\[text\]"):
        sentence_encoder("somewhere")


@pytest.mark.parametrize("to", ["other", "simplified", "traditional"])
def test_script_converts_by_what_the_text_is_written_in(to):
    pytest.importorskip("opencc")
    variants = made("script", texts=pl.Series(["保温杯 华为", "電腦滑鼠"]), options={"to": to},
                    phrases=["华为"])  # fmt: skip
    expected = {"other": ["保溫杯 华为", "电脑滑鼠"], "simplified": ["电脑滑鼠"],
                "traditional": ["保溫杯 华为"]}  # fmt: skip
    assert variants["text"].to_list() == expected[to]


def test_pinyin_writes_letters_or_what_sounds_alike():
    pytest.importorskip("pypinyin")
    lettered = made("pinyin", texts=pl.Series(["女鞋"]), options={"write": "letters", "share": 1.0})
    assert lettered["text"].to_list() == ["nvxie"]
    fuzzy = made("pinyin", texts=pl.Series(["山"]), options={"fuzzy": True}, copies=60)["text"]
    assert set(fuzzy) & set("三桑伞商")


class TestLabelFilter:
    TEXTS = pl.Series(["red shoe", "blue shoe", "green tea", "black tea", "green shoe tea", "odd"])
    LABELS = pl.Series(["shoe", "shoe", "tea", "tea", "shoe", None])

    def variants(self, *rows):
        return pl.DataFrame(rows, schema={"row": pl.UInt32, "text": pl.String}, orient="row")

    def test_each_variant_taken_out_keeps_its_reason(self):
        variants = self.variants(
            (0, "red shoes"), (3, "black shoe"), (2, "xyz"), (4, "green tea"), (5, "odd!")
        )
        judged = LabelFilter(self.LABELS).keep(self.TEXTS, variants)
        assert judged.kept["text"].to_list() == ["red shoes", "odd!"]
        reasons = {json.loads(record)["text"]: why
                   for _, why, record in judged.rejects.iter_rows()}  # fmt: skip
        assert reasons == {
            "black shoe": "label_lost",
            "xyz": "too_far",
            "green tea": "label_unsure",
        }

    def test_no_labels_and_no_variants_are_no_trouble(self):
        none = pl.Series([None] * 6, dtype=pl.String)
        one = self.variants((0, "red shoes"))
        assert LabelFilter(none).keep(self.TEXTS, one).kept.height == 1
        assert LabelFilter(none).keep(self.TEXTS, one.clear()).rejects.height == 0

    def test_labels_must_fit_the_texts(self):
        with pytest.raises(InputError, match="a label for each of 6 texts, got 1"):
            LabelFilter(pl.Series(["a"])).keep(self.TEXTS, self.variants((0, "red")))

    def test_vectors_of_a_model_judge_too(self):
        def encode(texts):
            return np.array([[float("shoe" in text), float("tea" in text), 0.1] for text in texts])

        variants = self.variants((0, "crimson shoe"), (1, "blue tea"))
        judged = LabelFilter(self.LABELS, scorer=EmbeddingScorer(encode)).keep(self.TEXTS, variants)
        assert judged.kept["text"].to_list() == ["crimson shoe"]

    def test_the_front_door_filters(self):
        labels = pl.Series(["shoe", "paint"])
        made = augment_text(TITLES, ["delete"], seed=1, copies=5, keep=LabelFilter(labels, 0.99))
        assert made.variants.height == 0
        assert set(made.rejects["reason"]) <= {"label_lost", "label_unsure", "too_far"}
        assert made.rejects.height > 0


class TestLibrariesThatAreNotShipped:
    def test_a_cilin_that_is_installed_is_found_and_one_that_is_not_is_named(
        self, tmp_path, monkeypatch
    ):
        path = small_cilin(tmp_path)
        file = SimpleNamespace(name=path.name, locate=lambda: path)
        installed = SimpleNamespace(files=[file])
        monkeypatch.setattr(_cilin, "distribution", lambda name: installed)
        texts = pl.Series(["红色 外套"])
        options = {"wordnet": False, "cilin": True, "share": 1.0}
        assert made("synonyms", texts=texts, options=options)["text"].item() == "赤色 外套"

        def missing(name):
            raise PackageNotFoundError(name)

        monkeypatch.setattr(_cilin, "distribution", missing)
        with pytest.raises(MissingExtraError, match="licence"):
            made("synonyms", texts=texts, options=options)

    def test_a_sentence_model_is_asked_with_its_prompt(self, monkeypatch):
        asked = []

        class Model:
            def __init__(self, name):
                asked.append(name)

            def encode(self, texts, *, show_progress_bar):
                asked.extend(texts)
                return np.ones((len(texts), 2))

        library = SimpleNamespace(SentenceTransformer=Model)
        monkeypatch.setitem(sys.modules, "sentence_transformers", library)
        encode = sentence_encoder("folder", prompt="query: ")
        assert encode(["red shoe"]).shape == (1, 2)
        assert asked == ["folder", "query: red shoe"]
