"""Where words end in Chinese, by a dictionary.

In: texts. Out: the same texts with a mark between the words of every Chinese phrase.

The dictionary and the hidden Markov model for names are those of the library jieba. It is in no
extra (42 MB, no wheel, last released in 2020): without it phrases are cut into pairs of characters
(:mod:`shopsynth.text.words`). Not for Japanese and Thai.
"""

import re
import warnings
from collections.abc import Callable
from functools import cache
from importlib import import_module
from typing import Any, Literal

import polars as pl

from shopsynth.schema import MissingExtraError

Segmentation = Literal["characters", "jieba"]
"""How Chinese phrases are cut: into pairs of neighbouring characters, which need no dictionary, or
into the words of jieba's."""

_PHRASE = re.compile("[\u3400-\u4dbf\u4e00-\u9fff]{2,}")


def part_phrases(texts: pl.Series, mark: str) -> pl.Series:
    """Put a mark between the words of Chinese phrases; everything else stays.

    Args:
        texts: Strings; a null stays one.
        mark: What to put.

    Raises:
        MissingExtraError: If the library jieba is not installed.
    """
    cut = dictionary_cutter()
    known: dict[str, str] = {}

    def parted(found: re.Match[str]) -> str:
        phrase = found[0]
        if phrase not in known:
            known[phrase] = mark.join(cut(phrase))
        return known[phrase]

    return pl.Series(
        texts.name,
        [None if text is None else _PHRASE.sub(parted, text) for text in texts],
        dtype=pl.String,
    )


@cache
def dictionary_cutter() -> Callable[[str], list[str]]:
    """Load jieba's dictionary, a second once a process.

    It is read from its own file, never from the copy that jieba keeps in the folder for temporary
    files, where anybody may put another.

    Raises:
        MissingExtraError: If the library jieba is not installed.
    """
    library = _library()
    tokenizer = library.Tokenizer()
    tokenizer.FREQ, tokenizer.total = tokenizer.gen_pfdict(tokenizer.get_dict_file())
    tokenizer.initialized = True

    def cut(phrase: str) -> list[str]:
        words: list[str] = tokenizer.lcut(phrase)
        return words

    return cut


def _library() -> Any:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # its last release is older than some of Python's
            return import_module("jieba")
    except ImportError as error:
        raise MissingExtraError(
            "segmentation jieba: expected the library jieba, got none; install it with pip install "
            "jieba, or set segmentation to characters, which needs no library"
        ) from error
