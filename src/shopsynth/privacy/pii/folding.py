"""Text as it is compared: full-width forms folded, invisible characters gone, positions kept.

In: a text. Out: its folded form, and for every folded character its place in the text.

Folding is done character by character, so that a place is never lost and time stays linear:
Unicode's own normalisation sorts combining marks, which a hostile text can make slow.
"""

import unicodedata
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_INVISIBLE = frozenset({"Cf", "Mn", "Me"})
"""Categories that leave no mark of their own: joiners, bidi controls, accents, keycaps."""

_DASHES = frozenset("\u2212\u2500\u2501")
"""Characters that people type for a dash and that are no dash punctuation to Unicode."""


class _Folds(dict[int, str]):
    """What each code point becomes; filled as code points come by."""

    def __init__(self) -> None:
        super().__init__()
        self.uneven: set[str] = set()

    def __missing__(self, code: int) -> str:
        character = chr(code)
        folded = _fold(character)
        self[code] = folded
        if len(folded) != 1:
            self.uneven.add(character)
        return folded


def _fold(character: str) -> str:
    category = unicodedata.category(character)
    if category in _INVISIBLE:
        return ""
    if category == "Nd":
        return str(unicodedata.decimal(character))
    if category == "Pd" or character in _DASHES:
        return "-"
    folded = unicodedata.normalize("NFKC", character)
    if folded.isspace() and character not in "\r\n":
        return " "
    return "".join(each for each in folded if unicodedata.category(each) not in _INVISIBLE)


_FOLDS = _Folds()


@dataclass(frozen=True)
class Folded:
    """A folded text.

    Attributes:
        plain: The text that rules look at.
        places: For each character of ``plain`` its place in the text; ``None`` if they are equal.
        size: Characters of the text.
    """

    plain: str
    places: NDArray[np.int64] | None
    size: int

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Translate a span of ``plain`` into the text, with the invisible characters in and after.

        A keycap or an accent comes after what it belongs to, so it goes with it.
        """
        if self.places is None:
            return start, end
        first, last = int(self.places[start]), int(self.places[end - 1])
        after = int(self.places[end]) if end < len(self.places) else self.size
        return first, max(after, last + 1)


def fold(text: str) -> Folded:
    """Fold a text for comparison.

    Example:
        >>> folded = fold("１３\u200b８")
        >>> folded.plain, folded.span(0, 3)
        ('138', (0, 4))
    """
    if text.isascii():
        return Folded(text.translate(_FOLDS) if "\t" in text else text, None, len(text))
    plain = text.translate(_FOLDS)
    if _FOLDS.uneven.isdisjoint(text):
        return Folded(plain, None, len(text))
    widths = np.fromiter((len(_FOLDS[ord(each)]) for each in text), np.int64, len(text))
    return Folded(plain, np.repeat(np.arange(len(text)), widths), len(text))
