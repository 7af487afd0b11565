"""text: one spelling for every text, and never another row."""

import time

import polars as pl
import pytest

from shopsynth.clean import CleanContext, CleanSettings
from shopsynth.clean.text import Text, normalise


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("  Red\t mug \n", "Red mug"),
        ("ＲＥＤ　ｍｕｇ１", "RED mug1"),
        ("cafe\u0301", "café"),
        ("zero\u200bwidth\ufeff", "zerowidth"),
        ("e\u200b\u0301", "é"),
        ("bell\x07", "bell"),
        ("<p>Red <b>mug</b></p>", "Red mug"),
        ("<br/>", None),
        ("a <!-- hidden --> b", "a b"),
        ("x<script>alert(1)</script>y", "x y"),
        ("Tea &amp; cups&nbsp;&#8482;", "Tea & cups TM"),
        ("&amp;lt;b&amp;gt;bold", "bold"),
        ("R&D", "R&D"),
        ("a=1&region=2", "a=1&region=2"),
        ("I <3 mugs", "I <3 mugs"),
        ("size < 5 and > 3", "size < 5 and > 3"),
        ("&noentity;", "&noentity;"),
        ("红色 马克杯", "红色 马克杯"),
        ("", None),
        ("\u200b ", None),
        (None, None),
    ],
)
def test_a_text_gets_one_spelling(written: str | None, read: str | None) -> None:
    texts = pl.Series("title", [written, "plain"], dtype=pl.String)
    assert normalise(texts, strip_html=True).to_list() == [read, "plain"]


def test_html_stays_when_told() -> None:
    texts = pl.Series(["<b>Ａ</b> &amp;"])
    assert normalise(texts, strip_html=False).to_list() == ["<b>A</b> &amp;"]


def test_entities_nested_too_deep_are_disarmed_without_touching_other_texts() -> None:
    deep = "&" + "amp;" * 9 + "lt;"
    alone = normalise(pl.Series([deep]), strip_html=True).to_list()
    both = normalise(pl.Series(["&noentity;", deep]), strip_html=True).to_list()
    assert both == ["&noentity;", *alone]
    assert alone == [" ".join(alone[0].split())]
    assert normalise(pl.Series(alone), strip_html=True).to_list() == alone


@pytest.mark.parametrize("hostile", ["<a", "<script>", "<!--", "&amp;", "<a <", "&#38;#38;"])
def test_a_hostile_text_takes_linear_time(hostile: str) -> None:
    text = hostile * (300_000 // len(hostile))
    start = time.process_time()
    once = normalise(pl.Series([text]), strip_html=True)
    # Quadratic time would be minutes; linear is milliseconds.
    assert time.process_time() - start < 5
    assert normalise(once, strip_html=True).to_list() == once.to_list()


def test_only_text_columns_change() -> None:
    frame = pl.DataFrame({"item_id": [" a "], "title": [" Red "], "colour": [" blue "]})
    cleaned = Text().clean("items", frame, CleanContext(CleanSettings()))
    assert cleaned.kept.to_dicts() == [{"item_id": " a ", "title": "Red", "colour": " blue "}]
    assert cleaned.rejects.is_empty()
