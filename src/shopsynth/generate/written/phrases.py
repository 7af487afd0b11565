r"""Texts as rows of words in one spelling, in which a phrase is found or not.

In: texts. Out: lists of words. Numbers are words of their own and lose what does not count
(``1,000`` and ``1000``, ``2.50`` and ``2.5``), Chinese characters are single words, and signs of
money, percent and degree are words too: ``$9`` is not ``€9``.
"""

import re
from collections.abc import Sequence

import polars as pl

_NUMBER = r"\p{Nd}+(?:[.,]\p{Nd}+)*"
_UNSPACED = r"[\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}]"
_LETTERS = r"[\p{L}\p{M}\p{N}--\p{Nd}\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}]+"
_SIGN = r"[$€£¥₹%°]"
_WORD = f"{_NUMBER}|{_UNSPACED}|{_LETTERS}|{_SIGN}"

_THOUSANDS = re.compile(r"(?<=\d),(?=\d{3}(?!\d))")
_ZEROS = re.compile(r"(\.\d*?)0+$")

Words = tuple[str, ...]


def words_of(texts: Sequence[str]) -> list[Words]:
    """Cut texts into words.

    Example:
        >>> words_of(["Mug, 1,000 ml: $2.50", "红色杯 2L"])
        [('mug', '1000', 'ml', '$', '2.5'), ('红', '色', '杯', '2', 'l')]
    """
    found = (
        pl.Series(texts, dtype=pl.String)
        .str.normalize("NFKC")
        .str.to_lowercase()
        .str.extract_all(_WORD)
    )
    return [tuple(_number(word) for word in words) for words in found.to_list()]


def has_phrase(words: Words, phrase: Words) -> bool:
    """Tell whether the words of a phrase stand beside each other, in their order.

    Example:
        >>> text, colour, other = words_of(["a light blue cup", "light blue", "blue light"])
        >>> has_phrase(text, colour), has_phrase(text, other)
        (True, False)
    """
    n = len(phrase)
    return any(words[i : i + n] == phrase for i in range(len(words) - n + 1)) if n else True


def is_number(word: str) -> bool:
    """Tell whether a word is a number in digits."""
    return word[:1].isdecimal()


def _number(word: str) -> str:
    if not is_number(word):
        return word
    plain = _THOUSANDS.sub("", word)
    return _ZEROS.sub(r"\1", plain).rstrip(".") if plain.count(".") == 1 else plain
