"""Words: one spelling, one way to split, in any script and on hostile text."""

from itertools import pairwise

import polars as pl
import pytest

from shopsynth.text.words import WORD, spell_alike, split_words


def _words(texts: list[str | None], *, numbers_apart: bool = False) -> list[list[str]]:
    found = split_words(pl.Series(texts, dtype=pl.String), numbers_apart=numbers_apart)
    words = found.vocabulary.gather(found.ids).to_list()
    ends = found.offsets.tolist()
    return [words[start:end] for start, end in pairwise(ends)]


@pytest.mark.parametrize(
    ("text", "spelled"),
    [
        ("Ünïted  ÀÉ\tb", "ünïted àé b"),
        ("Ａ４ ｐａｐｅｒ", "a4 paper"),
        ("<b>Big&nbsp;Sale</b>", "b big nbsp sale b"),
        ("\x00a\x07b\u200bc", "a b c"),
        ("🎉🎉", ""),
        ("شاي أخضر", "شاي أخضر"),
        ("हिन्दी", "हिन्दी"),
        (None, ""),
        ("", ""),
        ("  ...  ", ""),
    ],
)
def test_texts_that_read_the_same_are_spelled_alike(text: str | None, spelled: str) -> None:
    assert spell_alike(pl.Series([text], dtype=pl.String)).to_list() == [spelled]


def test_spelling_twice_equals_once() -> None:
    texts = pl.Series(["ＵＳＢ－Ｃ ½ cup", "ﬁne ™", "İstanbul", "Straße 5", "茶、杯"])
    once = spell_alike(texts)
    assert spell_alike(once).to_list() == once.to_list()
    assert once.str.contains(f"^{WORD}( {WORD})*$").all()


def test_a_column_of_nulls_has_no_words() -> None:
    nulls = pl.Series([None, None])
    assert spell_alike(nulls).to_list() == ["", ""]
    assert _words([None, None]) == [[], []]
    assert split_words(pl.Series([], dtype=pl.String)).offsets.tolist() == [0]


def test_phrases_without_spaces_become_pairs_and_scripts_part() -> None:
    assert _words(["iPhone手机壳 黑", "テ"]) == [["iphone", "手机", "机壳", "黑"], ["テ"]]


def test_numbers_stand_apart_where_asked() -> None:
    texts: list[str | None] = ["10mm", "10 mm", "1,5L", "x2y", "50个装"]
    assert _words(texts, numbers_apart=True) == [
        ["10", "mm"],
        ["10", "mm"],
        ["1,5", "l"],
        ["x", "2", "y"],
        ["50", "个装"],
    ]
    assert _words(["10mm x2y"]) == [["10mm", "x2y"]]


def test_a_word_has_one_id_wherever_it_stands() -> None:
    found = split_words(pl.Series(["a b a", None, "b"]))
    assert found.ids.tolist() == [0, 1, 0, 1]
    assert found.offsets.tolist() == [0, 3, 3, 4]
    assert found.vocabulary.to_list() == ["a", "b"]


def test_a_text_of_a_megabyte_is_split() -> None:
    found = split_words(pl.Series(["ab " * 350_000]))
    assert found.ids.size == 350_000
    assert found.vocabulary.len() == 1
