r"""What a word is: one spelling, one pattern, one way to cut scripts that write no spaces.

In: texts as a Polars series. Out: the same texts with one spelling and single blanks, or their
words as numbers in one flat array.

A word is a run of letters, marks and numbers; everything else parts words. Chinese, Japanese and
Thai write no spaces, so a run of theirs is a phrase: :func:`split_words` cuts it into pairs of
neighbouring characters, which needs no dictionary and finds the same pairs in any phrase, or, if
asked, Chinese into the words of a dictionary.
"""

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from shopsynth.text.segmentation import Segmentation, part_phrases

WORD = r"[\p{L}\p{M}\p{N}]+"
"""A word as people who put spaces between words see it; marks belong to letters (Hindi, Arabic)."""

UNSPACED = r"[\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}]"
"""A character of a script that puts no spaces between words."""

_PART = r"[\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}]+|[\p{L}\p{M}\p{N}--\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}]+"  # noqa: E501
_NUMBER = r"\p{Nd}+(?:[.,]\p{Nd}+)*"
_LETTERS = r"[\p{L}\p{M}\p{N}--\p{Nd}\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}]+"
_NUMBER_OR_PART = rf"{_NUMBER}|{UNSPACED}+|{_LETTERS}"
_PARTING = r"[^\p{L}\p{M}\p{N}]+"
_PAIR = 2  # characters; most Chinese words have two
_MARK = "\x1f"  # parts words, as any control character does


@dataclass(frozen=True)
class Words:
    """The words of texts, flat.

    Attributes:
        vocabulary: Distinct words, sorted.
        ids: ``(n_words,)`` int64 place in the vocabulary of every word, text after text.
        offsets: ``(n_texts + 1,)`` int64; the words of text ``i`` are
            ``ids[offsets[i]:offsets[i + 1]]``.
    """

    vocabulary: pl.Series
    ids: NDArray[np.int64]
    offsets: NDArray[np.int64]


def spell_alike(texts: pl.Series) -> pl.Series:
    """Give texts that read the same one spelling: their words, in order, with single blanks.

    Unicode NFKC (full-width letters, ligatures, ``™``), lower case; punctuation, control
    characters, emoji and the signs of markup part words and are gone. Not for display.

    Args:
        texts: Strings; a null has no words.

    Returns:
        As many strings, without nulls; empty where a text has no words.

    Source:
        Unicode Standard Annex 15, Unicode Normalization Forms.

    Example:
        >>> spell_alike(pl.Series(["  ＵＳＢ-C, 2m™ ", "茶杯!", "🎉", None])).to_list()
        ['usb c 2mtm', '茶杯', '', '']
    """
    return (
        _composed(texts.cast(pl.String).fill_null(""))
        .str.to_lowercase()
        .str.replace_all(_PARTING, " ")
        .str.strip_chars(" ")
    )


def split_words(
    texts: pl.Series, *, numbers_apart: bool = False, segmentation: Segmentation = "characters"
) -> Words:
    """Split texts into words; phrases of scripts without spaces into pairs of characters.

    Args:
        texts: Strings; a null has no words.
        numbers_apart: Whether a number is a word of its own, with its decimals, so that ``10mm``
            and ``10 mm`` have the same words: ``10`` and ``mm``.
        segmentation: How Chinese is cut; Japanese and Thai are cut into pairs in any case.

    Returns:
        The words in the order of the texts.

    Raises:
        MissingExtraError: If ``segmentation`` asks for a library that is not installed.

    Example:
        >>> found = split_words(pl.Series(["Red 2.5L jug", None, "红色茶杯"]), numbers_apart=True)
        >>> found.vocabulary.gather(found.ids).to_list()
        ['red', '2.5', 'l', 'jug', '红色', '色茶', '茶杯']
        >>> found.offsets.tolist()
        [0, 4, 4, 7]
    """
    spelled = _composed(texts.cast(pl.String)).str.to_lowercase()
    if segmentation == "jieba":
        spelled = part_phrases(spelled, _MARK)
    parts = (
        pl.DataFrame({"part": spelled.str.extract_all(_NUMBER_OR_PART if numbers_apart else _PART)})
        .with_row_index("text")
        .explode("part")
        .drop_nulls("part")
    )
    pairs = _pairs(parts["part"].unique().sort(), whole=segmentation == "jieba")
    words = parts.join(pairs, on="part", how="left", maintain_order="left").explode("words")
    vocabulary = words["words"].unique().sort()
    counts = np.bincount(words["text"].to_numpy(), minlength=texts.len())
    return Words(
        vocabulary=vocabulary.alias("word"),
        ids=vocabulary.search_sorted(words["words"]).to_numpy().astype(np.int64),
        offsets=np.concatenate(([0], np.cumsum(counts))).astype(np.int64),
    )


def _composed(texts: pl.Series) -> pl.Series:
    """Apply NFKC where it can change anything: most catalogues are mostly ASCII."""
    rows = texts.str.contains(r"[^\x00-\x7f]").fill_null(False).arg_true()
    if rows.is_empty():
        return texts
    return texts.scatter(rows, texts.gather(rows).str.normalize("NFKC"))


def _pairs(parts: pl.Series, *, whole: bool) -> pl.DataFrame:
    """Return ``part`` and ``words``: a list, of pairs where the part is a longer phrase.

    Args:
        parts: Distinct words and phrases.
        whole: Whether Chinese parts are words already.
    """
    n = pl.col("part").str.len_chars()
    cut = pl.col("part").str.contains(UNSPACED) & (n > _PAIR)
    if whole:
        cut &= ~pl.col("part").str.contains(r"^\p{Han}+$")
    size = pl.when(cut).then(_PAIR).otherwise(n)
    pieces = (
        pl.DataFrame({"part": parts})
        .with_columns(size=size, start=pl.int_ranges(n.cast(pl.Int64) - size + 1))
        .explode("start")
        .with_columns(words=pl.col("part").str.slice(pl.col("start"), pl.col("size")))
    )
    return pieces.group_by("part", maintain_order=True).agg("words")
