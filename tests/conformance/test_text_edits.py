"""What every edit of texts must do. A plug-in runs this suite by registering its class first."""

import re
import unicodedata
from collections import Counter
from decimal import Decimal
from typing import Any

import polars as pl
import pytest

from fakes.lexicons import small_cilin, small_wordnet
from fakes.small_apertium import small_apertium
from fakes.span_lines import BRANDS, LINES
from fakes.tiny_bert import save_tiny_masked_bert
from shopsynth.generate.texts import TEXT_EDITS, augment_text, make_edit
from shopsynth.schema import RecipeError
from shopsynth.text.spans import protected_spans

EDITS = TEXT_EDITS.names()
NEEDS = {"pinyin": "pypinyin", "script": "opencc"}
TEXTS = pl.Series([text for text, _ in LINES])
FACTORS = {"ml": 1, "cl": 10, "l": 1000, "毫升": 1, "升": 1000, "g": 1, "kg": 1000, "克": 1,
           "公斤": 1000, "千克": 1000, "mm": 1, "cm": 10, "m": 1000, '"': 1, "inch": 1}  # fmt: skip


@pytest.fixture(scope="session")
def masked_model(tmp_path_factory):
    """A random masked language model that knows the corpus' words and Chinese characters."""
    pytest.importorskip("transformers")
    singly = [sign for sign in sorted(set("".join(TEXTS))) if "\u4e00" <= sign <= "\u9fff"]
    folder = tmp_path_factory.mktemp("masked") / "bert"
    return str(save_tiny_masked_bert(folder, [*TEXTS, *singly]))


@pytest.fixture(params=EDITS)
def edit(request, tmp_path):
    """The edit's name with options under which it does as much as it can."""
    name = request.param
    if name in NEEDS:
        pytest.importorskip(NEEDS[name])
    options: dict[str, Any] = (
        {"share": 0.6} if "share" in TEXT_EDITS.get(name).Options.model_fields else {}
    )
    if name == "back_translation":
        options |= {"program": str(small_apertium(tmp_path))}
    if name in ("masked_lm", "contextual_insert"):
        options |= {"model": request.getfixturevalue("masked_model")}
    if name == "embedding_neighbours":
        options |= {"least_count": 2, "least_similarity": 0.1, "wordnet": False}
    if name == "synonyms":
        lexicons = {"wordnet": str(small_wordnet(tmp_path)), "cilin": str(small_cilin(tmp_path))}
        options |= lexicons
    return {name: options}


def variants_of(texts, edit, **more):
    given: dict[str, Any] = {"seed": 5, "copies": 3, "phrases": BRANDS} | more
    return augment_text(texts, edit, **given).variants


SIZE = re.compile(
    r'([\d.]+)[ -]?(毫升|升|公斤|千克|克|inch|"|(?:ml|cl|l|kg|g|[cm]?m)(?![a-z]))', re.IGNORECASE
)


def value_of(text):
    """What a text says but for its sizes, and these as numbers of their family's least unit."""
    sizes = []
    for number, unit in SIZE.findall(text):
        unit = unit.lower()
        family = next(f for f in ("ml cl l 毫升 升", "g kg 克 公斤 千克", "mm cm m", '" inch')
                      if unit in f.split())  # fmt: skip
        sizes.append((family, Decimal(number) * FACTORS[unit]))
    return SIZE.sub("#", text), sizes


def spans_of(texts):
    found = protected_spans(texts, phrases=BRANDS)
    spans: list[list[str]] = [[] for _ in range(texts.len())]
    for row, start, stop, _ in found.iter_rows():
        spans[row].append(texts[row][start:stop])
    return spans


def test_the_corpus_is_large_and_all_its_spans_are_found():
    assert len(LINES) >= 200
    assert len(EDITS) >= 10
    missed = [
        (text, part)
        for (text, parts), spans in zip(LINES, spans_of(TEXTS), strict=True)
        for part in parts
        if not any(part in span for span in spans) and part not in "".join(spans)
    ]
    assert missed == []


def test_no_edit_alters_a_protected_span(edit):
    (name,) = edit
    keeps = TEXT_EDITS.get(name).keeps
    made = variants_of(TEXTS, edit)
    assert made.height > 0
    for row, text in made.select("row", "text").iter_rows():
        original, parts = LINES[row]
        if keeps == "value":
            assert value_of(text) == value_of(original)
            continue
        place = 0
        for span in spans_of(pl.Series([original]))[0]:
            assert span in text, (original, text)
            if keeps == "in_place":
                place = text.index(span, place) + len(span)
        for part in parts:
            assert text.count(part) >= original.count(part), (original, text)


def test_moving_edits_only_move(edit):
    (name,) = edit
    if TEXT_EDITS.get(name).keeps != "whole":
        pytest.skip("it does not move spans")
    for row, text in variants_of(TEXTS, edit).select("row", "text").iter_rows():
        assert Counter(text) == Counter(LINES[row][0])


def test_no_character_is_cut_in_two(edit):
    made = variants_of(TEXTS, edit)
    for text in made["text"]:
        assert text.encode("utf-8").decode("utf-8") == text
        assert not unicodedata.combining(text[:1])
        assert "\U0001f3fd\u200d\U0001f680" not in text or "👩🏽‍🚀" in text
        assert "🇫🇷🇩🇪" in text or "🇫" not in text


def test_the_same_seed_gives_the_same_bytes_and_another_seed_others(edit):
    made = variants_of(TEXTS, edit)
    assert made.equals(variants_of(TEXTS, edit))
    if set(edit) - {"script", "back_translation"}:
        assert not made.equals(variants_of(TEXTS, edit, seed=6))


def test_a_text_beside_others_is_not_mixed_up_with_them(edit):
    made = variants_of(TEXTS, edit, copies=1)
    assert made["row"].is_sorted()
    assert made["row"].max() < TEXTS.len()
    assert (made["text"] != TEXTS.gather(made["row"])).all()


@pytest.mark.parametrize(
    "texts",
    [
        pl.Series([], dtype=pl.String),
        pl.Series(["", None, " ", "\n", "\x00", "\u0301", "\u200d", "<", "&", "12", "茶", "a"]),
        pl.Series(
            ["a\nb\r\nc", "line one\nline two words", ("large soft 红色 shoe 5 ml " * 45_000)]
        ),
    ],
)
def test_odd_texts_neither_crash_nor_spill(edit, texts):
    made = variants_of(texts, edit, copies=1)
    assert made["row"].is_in(list(range(texts.len()))).all()
    assert (made["text"].str.len_chars() > 0).all()


def test_unknown_options_are_refused(edit):
    (name,) = edit
    with pytest.raises(RecipeError, match="unknown key"):
        make_edit(name, {"no_such_option": 1})
