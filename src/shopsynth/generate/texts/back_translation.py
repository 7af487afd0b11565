"""back_translation: a text goes into another language and comes back in other words.

In: texts in one language. Out: those that came back different; a text whose protected spans did
not all come back, in order, stays as it is. Not for titles that are lists of nouns, whose order
translators change, and slow beside all other edits.
"""

import re
from collections.abc import Sequence
from typing import ClassVar, Literal, Self

import numpy as np
import polars as pl
from pydantic import Field

from shopsynth.generate.texts._pieces import Pieces
from shopsynth.generate.texts._translators import Apertium, Translator
from shopsynth.generate.texts.base import Keeps, register
from shopsynth.schema import InputError, Settings
from shopsynth.text.characters import HAN, LETTER, Characters

_LONGEST = 4_000
"""Characters of a text that is sent: a page. Longer ones are no product texts, and stay."""

_DIGITS = "bcdfghjklm"
_HOLDER = re.compile(rf"\s*\bXq([{_DIGITS}]{{2,}})x\b\s*", re.IGNORECASE)
"""Stands for a protected span: no word of any language, so it comes back as it went; of letters
alone, for numbers are taken apart."""

_SPACES = re.compile(r"[\s\x00-\x1f\x7f-\x9f\u2028\u2029]+")

_LANGUAGE = r"^[A-Za-z][A-Za-z_-]*$"

Bounds = list[tuple[int, int]]


class BackTranslationOptions(Settings):
    """Options of ``back_translation``."""

    engine: Literal["apertium"] = "apertium"
    """Who translates; others are given in Python."""

    language: str = Field(default="eng", pattern=_LANGUAGE)
    """Language of the texts, as the engine names it."""

    pivot: str = Field(default="spa", pattern=_LANGUAGE)
    """Language to go through."""

    script: Literal["letters", "chinese"] = "letters"
    """Script of ``language``: texts with Chinese characters are sent if it is Chinese, and others
    if it is not."""

    program: str = "apertium"
    """Name or path of the program."""

    timeout_s: float = Field(default=60.0, gt=0)
    """Longest a call of the program, of up to 2,000 texts, may take."""


@register("back_translation")
class BackTranslation:
    """Translate there and back.

    Nothing is left to chance: further copies of a text are none.

    Source: Sennrich, Haddow and Birch, Improving neural machine translation models with
        monolingual data, ACL 2016; as augmentation: Xie et al., UDA, NeurIPS 2020.
    """

    Options: ClassVar[type[Settings]] = BackTranslationOptions
    keeps: ClassVar[Keeps] = "in_place"

    def __init__(self, options: BackTranslationOptions, engine: Translator | None = None) -> None:
        self.options = options
        if engine is None:
            engine = Apertium(options.program, timeout_s=options.timeout_s)
        self._engine = engine

    @classmethod
    def by(cls, engine: Translator, **options: object) -> Self:
        """Make the edit with an engine of one's own.

        Args:
            engine: Who translates.
            options: Fields of :class:`BackTranslationOptions`.

        Example:
            >>> class Shouting:
            ...     def translate(self, texts, source, target):
            ...         return [text.upper() if target == "en" else text for text in texts]
            >>> from shopsynth.generate import augment_text
            >>> edit = BackTranslation.by(Shouting(), language="en", pivot="de")
            >>> texts = pl.Series(["red cup 5 cm"])
            >>> augment_text(texts, {"back_translation": edit}, seed=1).variants["text"].item()
            'RED CUP 5 cm'
        """
        return cls(BackTranslationOptions.parse(dict(options), "back_translation"), engine)

    def edit(self, pieces: Pieces, random: np.random.Generator) -> Characters:
        """Alter each text that comes back different, with every protected span."""
        cells = pieces.texts.series().to_list()
        spans = _spans_of(pieces)
        # A text that has the form of a holder itself could not be told from one.
        rows = [row for row in self._sendable(pieces) if not _HOLDER.search(cells[row])]
        sent = [_with_holders(cells[row], spans[row]) for row in rows]
        there = self._translated(sent, self.options.language, self.options.pivot)
        back = self._translated(there, self.options.pivot, self.options.language)
        for row, text in zip(rows, back, strict=True):
            cells[row] = _restored(text, cells[row], spans[row])
        return Characters.of(pl.Series(cells, dtype=pl.String))

    def _sendable(self, pieces: Pieces) -> list[int]:
        """List the texts that have words of the right script and no more than a page."""
        texts = pieces.texts
        flags = np.bitwise_or.reduceat(texts.flags, texts.offsets[:-1])
        chinese = (flags & HAN) != 0
        wanted = chinese if self.options.script == "chinese" else ~chinese & ((flags & LETTER) != 0)
        short = np.diff(texts.offsets) <= _LONGEST
        rows: list[int] = np.flatnonzero(wanted & short).tolist()
        return rows

    def _translated(self, texts: Sequence[str], source: str, target: str) -> list[str]:
        made = self._engine.translate(texts, source, target) if texts else []
        if len(made) != len(texts):
            raise InputError(
                f"augment_text.back_translation: expected of the engine one line for each of "
                f"{len(texts)} texts, got {len(made)}; return an empty one for what it cannot do"
            )
        return [_SPACES.sub(" ", text) for text in made]


def _spans_of(pieces: Pieces) -> list[Bounds]:
    """List the protected spans of each text, in its own characters."""
    spans: list[Bounds] = [[] for _ in range(pieces.texts.n_texts)]
    text = pieces.texts.text_of(pieces.spans.start)
    first = pieces.texts.offsets[text]
    start, stop = pieces.spans.start - first, pieces.spans.stop - first
    for row, *bounds in zip(text.tolist(), start.tolist(), stop.tolist(), strict=True):
        spans[row].append((bounds[0], bounds[1]))
    return spans


def _with_holders(text: str, spans: Bounds) -> str:
    """Put a holder in the place of each span, and make one line of the text."""
    parts, place = [], 0
    for number, (start, stop) in enumerate(spans):
        digits = "".join(_DIGITS[int(digit)] for digit in f"{number:02d}")
        parts += [text[place:start], f" Xq{digits}x "]
        place = stop
    return _SPACES.sub(" ", "".join([*parts, text[place:]])).strip()


def _number(holder: re.Match[str]) -> int:
    return int("".join(str(_DIGITS.index(letter)) for letter in holder[1].lower()))


def _restored(made: str, text: str, spans: Bounds) -> str:
    """Put the spans back; the text itself if one is missing, doubled or out of order."""
    numbers = [_number(found) for found in _HOLDER.finditer(made)]
    if numbers != list(range(len(spans))) or not made.strip():
        return text

    def span(found: re.Match[str]) -> str:
        start, stop = spans[_number(found)]
        # A space where there was one, or an end of the text.
        before, behind = (
            " " if not beside or beside.isspace() else ""
            for beside in (text[max(start - 1, 0) : start], text[stop : stop + 1])
        )
        return before + text[start:stop] + behind

    whole = _HOLDER.sub(span, made).strip()
    return whole + "." if text.rstrip().endswith(".") and not whole.endswith(".") else whole
