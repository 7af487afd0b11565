r"""Words of titles and of searches, in one vocabulary.

In: texts as Polars series. Out: flat arrays of their words, and what each word is.

Digits and letters are words apart, so that ``18v`` and ``18-Volt`` share one; whether they were
written as one is kept. Number marks stay inside (``1-1/4``). Scripts without spaces give pairs of
characters, as :mod:`shopsynth.text.words` has it, but here none overlaps the next; or, if asked,
the words of a dictionary. Words of one
stem are one for every count; only the English plural is taken off.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
import polars as pl
from numpy.typing import NDArray

from shopsynth.text.characters import Characters
from shopsynth.text.segmentation import Segmentation, part_phrases
from shopsynth.text.span_words import COUNTED, TIMES, UNIT, roles_of

NUMBER, MEASURE, BINDER, JOINER, UNSPACED = (1 << bit for bit in range(5))
"""What a word is: a number; a unit or what is counted; a word that begins what is not the thing
itself (``for``, ``with``); one that only joins; a piece of a script without spaces. 0: a plain
word."""

_UNSPACED = r"[\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}]"
_SPACED = r"[\p{L}\p{M}--\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}]"
_GLUE, _HYPHEN, _WORD_END = "\x1f", "\x1e", "\x1d"
_EDGE = r"[(\[,;:|（【，；：、｜]|\s[-–—]\s"
_NUMBER = r"\p{N}+(?:[-./,]\p{N}+)*"
_LETTERS = rf"{_SPACED}+(?:['’]{_SPACED}+)?"
_PIECES: dict[Segmentation, str] = {
    "characters": rf"{_UNSPACED}{{1,2}}",
    "jieba": rf"\p{{Han}}+|{_UNSPACED}{{1,2}}",
}

_WORDS_OF = {
    BINDER: "in with for without by from on to at per mit für ohne von avec pour sans con para sin",
    JOINER: "and of the a an or und oder der die das et ou de du des la le les y o el los",
}


@dataclass(frozen=True)
class Tokens:
    """Words of texts, text after text.

    Attributes:
        text: ``(n_tokens,)`` number of the text.
        word: ``(n_tokens,)`` number in the vocabulary, -1 for a word that it lacks.
        glued: ``(n_tokens,)`` whether no space stands between it and the word before.
        hyphened: ``(n_tokens,)`` whether a hyphen ties it to the letters or digits before it.
        edge: ``(n_tokens,)`` whether a bracket, comma or dash stands before it.
        offsets: ``(n_texts + 1,)`` where each text's words begin.
    """

    text: NDArray[np.int64]
    word: NDArray[np.int64]
    glued: NDArray[np.bool_]
    hyphened: NDArray[np.bool_]
    edge: NDArray[np.bool_]
    offsets: NDArray[np.int64]

    @property
    def place(self) -> NDArray[np.int64]:
        """Place of each word in its text, ``(n_tokens,)``."""
        return np.arange(self.text.size) - self.offsets[self.text]


@dataclass(frozen=True)
class Vocabulary:
    """Distinct words.

    Attributes:
        words: Spellings, sorted.
        stem: ``(n_words,)`` number of the stem.
        kind: ``(n_words,)`` what it is: bits of :data:`NUMBER` and the others.
        n_stems: Number of stems.
    """

    words: pl.Series
    stem: NDArray[np.int64]
    kind: NDArray[np.uint8]
    n_stems: int

    @classmethod
    def of(
        cls, texts: Sequence[pl.Series], segmentation: Segmentation = "characters"
    ) -> tuple[Self, list[Tokens]]:
        """Read texts, several series in one vocabulary.

        Args:
            texts: Series of strings; a null has no words.
            segmentation: How Chinese is cut.

        Returns:
            The vocabulary, and the words of each series.

        Raises:
            MissingExtraError: If ``segmentation`` asks for a library that is not installed.
        """
        frames = [_tokens(each, segmentation) for each in texts]
        words = pl.concat([frame["token"] for frame in frames]).unique().sort()
        stems = _stems(words)
        distinct = stems.unique().sort()
        made = cls(
            words=words,
            stem=distinct.search_sorted(stems).to_numpy().astype(np.int64),
            kind=_kinds(words),
            n_stems=distinct.len(),
        )
        return made, [
            _laid_out(frame, words, each.len()) for frame, each in zip(frames, texts, strict=True)
        ]

    def digits(self) -> NDArray[np.int64]:
        """Count the characters of each stem that is a number, 0 of others; ``(n_stems,)``."""
        found = np.zeros(self.n_stems, np.int64)
        number = (self.kind & NUMBER) != 0
        found[self.stem[number]] = self.words.str.len_chars().to_numpy()[number]
        return found


def _tokens(texts: pl.Series, segmentation: Segmentation) -> pl.DataFrame:
    """Cut texts: ``text``, ``token``, ``glued``, ``hyphened``, ``edge``."""
    spelled = (
        texts.cast(pl.String)
        .fill_null("")
        .str.normalize("NFKC")
        .str.to_lowercase()
        .str.replace_all(f"[{_GLUE}{_HYPHEN}]", " ")
        .str.replace_all(r"(\p{L})-([\p{L}\p{N}])", f"${{1}}{_HYPHEN}${{2}}")
        .str.replace_all(r"(\p{N})-(\p{L})", f"${{1}}{_HYPHEN}${{2}}")
        .str.replace_all(r"(\p{N})(\p{L})", f"${{1}}{_GLUE}${{2}}")
        .str.replace_all(r"(\p{L})(\p{N})", f"${{1}}{_GLUE}${{2}}")
    )
    if segmentation == "jieba":
        spelled = part_phrases(spelled, _WORD_END)
    token = rf"[{_GLUE}{_HYPHEN}]?(?:{_NUMBER}|{_PIECES[segmentation]}|{_LETTERS})"
    part = pl.col("part")
    return (
        pl.DataFrame({"part": spelled.str.extract_all(f"{token}|{_EDGE}")})
        .with_row_index("text")
        .explode("part")
        .drop_nulls("part")
        .with_columns(sign=~part.str.contains(r"[\p{L}\p{N}\p{M}]"))
        .with_columns(
            edge=pl.col("sign").shift(1, fill_value=False)
            & (pl.col("text") == pl.col("text").shift(1))
        )
        .filter(~pl.col("sign"))
        .select(
            "text",
            token=part.str.strip_chars_start(_GLUE + _HYPHEN),
            glued=part.str.starts_with(_GLUE),
            hyphened=part.str.starts_with(_HYPHEN),
            edge=pl.col("edge").fill_null(False),
        )
    )


def _laid_out(frame: pl.DataFrame, words: pl.Series, n_texts: int) -> Tokens:
    text = frame["text"].to_numpy().astype(np.int64)
    return Tokens(
        text=text,
        word=words.search_sorted(frame["token"]).to_numpy().astype(np.int64),
        glued=frame["glued"].to_numpy(),
        hyphened=frame["hyphened"].to_numpy(),
        edge=frame["edge"].to_numpy(),
        offsets=np.searchsorted(text, np.arange(n_texts + 1)),
    )


def _stems(words: pl.Series) -> pl.Series:
    """Take the English plural off plain words of four letters and more.

    Source:
        The S-stemmer: Harman, How effective is suffixing?, JASIS 42(1), 1991.
    """
    word = pl.col("word")
    plural = word.str.contains(r"^[a-z]{3,}s$") & ~word.str.contains(r"(ss|us|is)$")
    return words.to_frame("word").select(
        pl.when(~plural)
        .then(word)
        .when(word.str.contains(r"[a-z]{2}ies$"))
        .then(word.str.replace(r"ies$", "y"))
        .when(word.str.contains(r"(ch|sh|ss|x|zz)es$"))
        .then(word.str.replace(r"es$", ""))
        .otherwise(word.str.replace(r"s$", ""))
    )["word"]


def _kinds(words: pl.Series) -> NDArray[np.uint8]:
    kind = np.zeros(words.len(), np.uint8)
    kind[words.str.contains(r"^\p{N}").to_numpy()] = NUMBER
    kind[words.str.contains(_UNSPACED).to_numpy()] |= UNSPACED
    found = Characters.of(words).words
    measures = (roles_of(found.key) & (UNIT | COUNTED | TIMES)) != 0
    plain = kind[found.text] & (NUMBER | UNSPACED) == 0
    kind[found.text[measures & plain]] |= MEASURE
    for bit, listed in _WORDS_OF.items():
        kind[words.is_in(listed.split()).to_numpy()] |= bit
    return kind


def is_among(keys: NDArray[np.int64], known: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Tell which keys are among sorted ones.

    Args:
        keys: Of any shape.
        known: Rising.
    """
    if known.size == 0:
        return np.zeros(keys.shape, np.bool_)
    place = np.minimum(np.searchsorted(known, keys), known.size - 1)
    found: NDArray[np.bool_] = known[place] == keys
    return found
